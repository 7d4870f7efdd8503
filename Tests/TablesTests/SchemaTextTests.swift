import Tensors
import Testing

@testable import Tables

/// The text of a schema in a model file.
@Suite struct SchemaTextTests {
  @Test(arguments: [
    "", "[]", "{}", "{\"version\": 1}", "{\"version\": 1, \"columns\": []}",
    "{\"version\": 2, \"columns\": [{\"name\": \"x\", \"kind\": \"constant\", \"levels\": [\"a\"]}]}",
    column("\"kind\": \"secret\", \"levels\": [\"a\"]"), column("\"kind\": \"categorical\", \"levels\": []"),
    column("\"kind\": \"categorical\", \"levels\": [\"a\", \"a\"]"),
    column("\"kind\": \"categorical\", \"levels\": [\"a\", 3]"),
    column("\"kind\": \"categorical\", \"numbers\": {}"), numbers("\"step\": -1"),
    numbers("\"deviation\": 0"), numbers("\"deviation\": 1e999"), numbers("\"places\": 400"),
    numbers("\"places\": -1"), numbers("\"curve\": {\"name\": \"cube\"}"),
    numbers("\"curve\": {\"name\": \"logit\", \"low\": 3, \"high\": 2}"),
    numbers("\"curve\": {\"name\": \"asinh\", \"center\": 0, \"width\": 0}"),
    numbers("\"spikes\": \"many\""), numbers("\"lower\": 3, \"upper\": 2"), numbers("\"least\": 10"),
    numbers("\"most\": null"),
    numbers("\"date\": {\"mark\": \"x\"}"),
  ])
  func damagedSchemasAreErrors(text: String) {
    #expect(throws: FlowError.self) { try TableSchema(parsing: text) }
  }

  @Test func aSoundTextIsNone() throws { _ = try TableSchema(parsing: numbers("\"step\": 1")) }
}

/// A schema of one column in JSON.
private func column(_ members: String) -> String {
  "{\"version\": 1, \"columns\": [{\"name\": \"x\", \"missing\": null, \(members)}]}"
}

/// A schema of one column of numbers, of which some members are others.
private func numbers(_ members: String) -> String {
  let sound = [
    "\"places\": 2", "\"step\": 0.5", "\"deviation\": 1", "\"mean\": 0", "\"spikes\": []",
    "\"least\": 0", "\"most\": 9",
    "\"curve\": {\"name\": \"identity\"}",
  ]
  let name = members.prefix { $0 != ":" }
  let others = sound.filter { !$0.hasPrefix(name) }.joined(separator: ", ")
  return column("\"kind\": \"continuous\", \"numbers\": {\(members), \(others)}")
}
