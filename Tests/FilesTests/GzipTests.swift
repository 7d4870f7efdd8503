import Foundation
import Tensors
import Testing

@testable import Files

@Suite struct GzipTests {
  private func fixture(_ name: String) throws -> [UInt8] { try FileBytes.read("\(fixtures)/\(name).gz") }

  /// Codes of up to 13 bits, beyond the table. The checksum compares every byte.
  @Test func longCodes() throws {
    let content = try Gzip.expanded(fixture("long-codes"), limit: 1 << 20, source: "x")
    #expect(content.count == 16_369)
    #expect(content.count { $0 == 65 } == 1 && content.count { $0 == 65 + 12 } == 8191)
  }

  /// Two members with optional fields, and zeros behind them, as on a tape.
  @Test func membersFollowEachOther() throws {
    let table = try TextTable.read("\(fixtures)/members.csv.gz")
    #expect(table.names == ["a", "b"] && table.rows == 400)
    #expect(try table.numbers(columns: [1]).doubles[399] == 159_201.5)
    #expect(try CSV.read("\(fixtures)/members.csv.gz").values.shape == [400, 2])
  }

  @Test func damagedFilesAreRefused() throws {
    let file = try fixture("members.csv")
    func message(_ bytes: [UInt8], limit: Int = 1 << 20) -> String {
      do throws(FlowError) { return "\(try Gzip.expanded(bytes, limit: limit, source: "x").count)" } catch {
        return error.description
      }
    }
    #expect(message(file, limit: 1000).hasSuffix("expected at most 1000 bytes, got more, in a gzip file"))
    // A cut between the members, in the zeros or before the first byte, and a changed name, cannot be seen.
    let whole = try #require(Int(message(file)))
    var refused = 0
    for place in stride(from: 0, to: file.count - 16, by: 31) {
      var changed = file
      changed[place] ^= 0x10
      for text in [message(changed), message(Array(file[..<place]))] {
        refused += Int(text) == nil ? 1 : 0
        #expect(Int(text).map { $0 <= whole } ?? text.contains("expected"), "\(text)")
      }
    }
    #expect(refused > 60)
  }
}
