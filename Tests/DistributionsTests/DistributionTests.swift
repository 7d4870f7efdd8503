import Foundation
import Testing

extension DistributionRow: CustomTestStringConvertible {
  var testDescription: String { name }
}

@Suite struct DistributionTests {
  @Test(arguments: distributionTable, DistributionLaw.allCases)
  func law(_ row: DistributionRow, _ law: DistributionLaw) throws { try law.check(row) }

  @Test func everyPublicDistributionHasARow() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/Distributions").standardized
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var distributions: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      let declaration =
        /(?:public struct|extension) (\w+)[^{]*:[^{]*\b(?:Distribution|LocationScaleFamily)\b[^{]*\{/
      for match in text.matches(of: declaration) { distributions.insert(String(match.1)) }
    }
    let rows = distributionTable.map { "\(type(of: $0.distribution))".prefix { $0 != "<" } }
    #expect(distributions.count >= 14)
    #expect(
      distributions.subtracting(rows.map(String.init)).isEmpty, "distributions without a row in the table")
  }
}
