import Foundation
import Testing

/// No public type of the library has the name of a type that a user's file sees by `import Foundation`: such
/// a name would be ambiguous wherever both modules are imported.
@Suite struct TypeNameTests {
  /// Whether one of the modules that Foundation brings along has a type of that name, by the runtime's
  /// tables.
  private func isTaken(_ name: String) -> Bool {
    ["Swift", "Foundation", "FoundationEssentials", "FoundationInternationalization", "Dispatch"]
      .contains { module in
        let prefix = module == "Swift" ? "s" : "\(module.utf8.count)\(module)"
        return ["V", "O", "C", "_p"].contains { kind in
          _typeByName("\(prefix)\(name.utf8.count)\(name)\(kind)") != nil
        }
      }
  }

  @Test func theTablesAreRead() {
    for name in ["Progress", "Operation", "Data", "Unit", "LocalizedError", "Dictionary", "DispatchQueue"] {
      #expect(isTaken(name), "\(name)")
    }
    #expect(!isTaken("Bijection"))
  }

  @Test func namesAreFree() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
    let files = try #require(
      FileManager.default.enumerator(at: sources.standardized, includingPropertiesForKeys: nil))
    var names: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      let declaration = /\npublic (?:struct|enum|final class|class|protocol|typealias|actor) (\w+)/
      for match in ("\n" + text).matches(of: declaration) { names.insert(String(match.1)) }
    }
    #expect(names.count >= 150, "\(names.count) public types found")
    // The old name of ProgressOutput.
    names.remove("Progress")
    #expect(names.filter { isTaken($0) } == [])
  }
}
