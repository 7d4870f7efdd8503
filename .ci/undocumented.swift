// Lists the public symbols without a doc comment in a folder of symbol graphs; fails where there is one. A
// symbol that meets a requirement of one of the library's protocols is documented there.
//
//     undocumented FOLDER
import Foundation

struct Graph: Decodable {
  struct Module: Decodable { let name: String }
  struct Symbol: Decodable {
    struct Kind: Decodable { let displayName: String }
    struct Comment: Decodable {
      struct Line: Decodable { let text: String }
      let lines: [Line]
    }
    struct Location: Decodable {
      struct Position: Decodable { let line: Int }
      let uri: String
      let position: Position
    }

    struct Identifier: Decodable { let precise: String }

    let kind: Kind
    let identifier: Identifier
    let pathComponents: [String]
    let docComment: Comment?
    let location: Location?

    var isDocumented: Bool {
      docComment?.lines.contains { !$0.text.allSatisfy(\.isWhitespace) } == true
    }
    /// What the compiler derives (`==` of a Hashable type) stands nowhere in a file.
    var isWritten: Bool { location != nil }
  }

  struct Relationship: Decodable {
    let kind, source, target: String
  }

  let module: Module
  let symbols: [Symbol]
  let relationships: [Relationship]
}

guard CommandLine.arguments.count == 2 else {
  print("usage: undocumented FOLDER")
  exit(2)
}
let folder = URL(fileURLWithPath: CommandLine.arguments[1])
let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
let graphs = try files.filter { $0.lastPathComponent.hasSuffix(".symbols.json") }
  .map { try JSONDecoder().decode(Graph.self, from: Data(contentsOf: $0)) }
let symbols = graphs.flatMap(\.symbols).filter(\.isWritten)
let relationships = graphs.flatMap(\.relationships)

let names = Dictionary(symbols.map { ($0.identifier.precise, $0.pathComponents) }) { first, _ in first }
/// The protocols of each type, by its name.
var protocols: [String: Set<String>] = [:]
/// The names of each protocol's requirements.
var requirements: [String: Set<String>] = [:]
for relationship in relationships {
  guard let source = names[relationship.source], let target = names[relationship.target] else { continue }
  switch relationship.kind {
  case "conformsTo": protocols[source.joined(separator: "."), default: []].insert(target[0])
  case "requirementOf": requirements[target[0], default: []].insert(source.last!)
  default: break
  }
}

func meetsRequirement(_ symbol: Graph.Symbol) -> Bool {
  let type = symbol.pathComponents.dropLast().joined(separator: ".")
  return protocols[type, default: []].union([type]).contains {
    requirements[$0, default: []].contains(symbol.pathComponents.last!)
  } && !relationships.contains { $0.kind == "requirementOf" && $0.source == symbol.identifier.precise }
}

let root = "file://" + FileManager.default.currentDirectoryPath + "/"
let missing = symbols.filter { !$0.isDocumented && !meetsRequirement($0) }
for symbol in missing {
  let place =
    symbol.location.map { ", \($0.uri.replacingOccurrences(of: root, with: "")):\($0.position.line + 1)" }
    ?? ""
  print(
    "error: no doc comment:", symbol.kind.displayName, symbol.pathComponents.joined(separator: ".") + place
  )
}
print("\(symbols.count) public symbols, \(missing.count) without a doc comment")
// A graph of nothing says that its extraction has changed, not that all is well.
exit(missing.isEmpty && symbols.count >= 1_000 ? 0 : 1)
