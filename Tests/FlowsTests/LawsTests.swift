import Flows
import Foundation
import Testing

@Suite struct LawsTests {
  @Test(arguments: lawsTable, Laws.Law.allCases) func law(_ row: LawsRow, _ law: Laws.Law) throws {
    try row.laws.check(law)
  }

  @Test func everyPublicLayerHasARow() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/Bijections").standardized
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var layers: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /public struct (\w+)[^{]*:[^{]*\bBijection\b/) {
        layers.insert(String(match.1))
      }
    }
    let rows = Set(lawsTable.map { "\(type(of: $0.bijection))" })
    #expect(layers.count >= 8)
    #expect(layers.subtracting(rows).isEmpty, "layers without a row in the laws table")
  }
}
