// Lists the public symbols without a doc comment in a folder of symbol graphs; fails where there is one.
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

    let kind: Kind
    let pathComponents: [String]
    let docComment: Comment?
    let location: Location?

    var isDocumented: Bool {
      docComment?.lines.contains { !$0.text.allSatisfy(\.isWhitespace) } == true
    }
    /// What the compiler derives (`==` of a Hashable type) stands nowhere in a file.
    var isWritten: Bool { location != nil }
  }

  let module: Module
  let symbols: [Symbol]
}

guard CommandLine.arguments.count == 2 else {
  print("usage: undocumented FOLDER")
  exit(2)
}
let folder = URL(fileURLWithPath: CommandLine.arguments[1])
let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
let symbols = try files.filter { $0.lastPathComponent.hasSuffix(".symbols.json") }
  .flatMap { try JSONDecoder().decode(Graph.self, from: Data(contentsOf: $0)).symbols }
  .filter(\.isWritten)
let root = "file://" + FileManager.default.currentDirectoryPath + "/"
let missing = symbols.filter { !$0.isDocumented }
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
