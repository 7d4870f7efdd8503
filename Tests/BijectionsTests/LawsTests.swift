import Bijections
import Foundation
import Testing
import Verification

@Suite struct LawsTests {
  @Test(arguments: lawsTable, Laws.Law.allCases) func law(_ row: LawsRow, _ law: Laws.Law) throws {
    try Self.laws[row.name]!.check(law)
  }

  /// The laws of each row, which share the results that several of them need.
  private static let laws = Dictionary(uniqueKeysWithValues: lawsTable.map { ($0.name, $0.laws) })

  @Test func everyPublicLayerHasARow() throws {
    let layers = try publicTypes(conformingTo: "(?:Composed)?Bijection")
    let rows = Set(lawsTable.map { String("\(type(of: $0.bijection))".prefix { $0 != "<" }) })
    #expect(layers.count >= 30 && layers.isSuperset(of: ["ActNorm", "Coupling", "Inverted"]), "\(layers)")
    #expect(layers.subtracting(rows).isEmpty, "layers without a row in the laws table")
  }

  /// A transformer's laws are those of the couplings and autoregressive layers that it stands in.
  @Test func everyPublicTransformerHasARow() throws {
    func transformers(in value: Any) -> [String] {
      let own = value is any Transformer ? ["\(type(of: value))"] : []
      return own + Mirror(reflecting: value).children.flatMap { transformers(in: $0.value) }
    }
    let names = try publicTypes(conformingTo: "(?:Numberwise)?Transformer")
    let rows = Set(lawsTable.flatMap { transformers(in: $0.bijection) })
    #expect(names.count >= 12, "\(names)")
    #expect(names.subtracting(rows).isEmpty, "transformers without a row in the laws table")
  }

  /// The public types of the library that say they conform to a protocol, where they are declared or in an
  /// extension.
  private func publicTypes(conformingTo name: String) throws -> Set<String> {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
    let files = try #require(
      FileManager.default.enumerator(at: sources.standardized, includingPropertiesForKeys: nil))
    let declared = try Regex<(Substring, Substring)>(
      "(?:public (?:struct|enum|final class)|extension) (\\w+)[^{:\\n]*:[^{]*\\b\(name)\\b[^{]*\\{")
    let isPublic = /public (?:struct|enum|final class) (\w+)/
    var (conforming, all): (Set<String>, Set<String>) = ([], [])
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: declared) { conforming.insert(String(match.1)) }
      for match in text.matches(of: isPublic) { all.insert(String(match.1)) }
    }
    return conforming.intersection(all)
  }
}
