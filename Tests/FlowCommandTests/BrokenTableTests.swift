import Flows
import Foundation
import Testing

@testable import flow

/// Every broken table gets one clear line and exit code 2, and no file changes.
@Suite struct BrokenTableTests {
  @Test func oneLineAndNothingLost() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write(
      "sound.csv", "a,b\n" + (0..<30).map { "\($0 * 7 % 31),\($0 * 3 % 29)" }.joined(separator: "\n"))
    let settings = "--architecture nsf --layers 1 --hidden 2 --epochs 1"
    _ = try await place.json("fit @sound.csv \(settings) --out @m.safetensors")
    let model = try FileBytes.read(place["m.safetensors"])
    #expect(BrokenTable.all.count >= 200 && Set(BrokenTable.all.map(\.name)).count == BrokenTable.all.count)

    for (i, table) in BrokenTable.all.enumerated() {
      try FileBytes.write(table.bytes, to: place[table.name])
      for command in table.isForScore ? ["score"] : i % 4 == 0 ? ["fit", "score"] : ["fit"] {
        let line =
          command == "fit"
          ? "fit @\(table.name) \(settings) --out @m.safetensors"
            + (table.lacksValues ? " --missing error" : "")
            + (table.name == "flat.csv" ? " --type continuous" : "")
          : "score @m.safetensors @\(table.name)"
        // A constant column, or a single row, can be scored.
        if command == "score", ["flat.csv", "single.csv"].contains(table.name) { continue }
        let outcome = await place.flow(line)
        let error = outcome.error ?? "no error"
        #expect(outcome.code == 2 && outcome.output.isEmpty, "\(line): \(outcome)")
        let isClear = error.contains(table.name) && error.contains("expected") && error.contains(", got")
        #expect(isClear && error.count < 500 && !error.contains { $0.isNewline }, "\(line): \(error)")
        if i % 5 == 0 {
          let json = await place.flow(line + " --json")
          let object = try JSON(parsing: Array(json.output.utf8))
          #expect(json.code == 2 && json.error == nil && object["error"]?["message"] == .string(error))
        }
      }
      #expect(try FileBytes.read(place[table.name]) == table.bytes)
    }
    #expect(try FileBytes.read(place["m.safetensors"]) == model)
  }
}
