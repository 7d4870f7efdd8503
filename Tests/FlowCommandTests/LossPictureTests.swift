import Flows
import Foundation
import Testing

@testable import flow

@Suite struct LossPictureTests {
  /// 60 rows of a text and two numbers.
  private static let rows = (0..<60).map { i in
    "\(i % 3 == 0 ? "a" : "b"),\(Double(i * 37 % 60) / 7),\(Double(i * i % 59) / 9)"
  }

  /// The losses by steps are a picture, of numbers and of mixed tables.
  @Test(arguments: ["--columns x,y", ""]) func lossesAreDrawn(options: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("rows.csv", "kind,x,y\n" + Self.rows.joined(separator: "\n"))
    let flow = options.isEmpty ? "ordered-splines --bins 4" : "realnvp"
    let fitted = try await place.json(
      "fit @rows.csv \(options) --architecture \(flow) --layers 1 --hidden 4 --epochs 3 --progress none "
        + "--out @m.safetensors --picture @losses.svg")
    let path = place["losses.svg"]
    #expect(fitted["picture"] == .string(path))
    let svg = try String(contentsOfFile: path, encoding: .utf8)
    #expect(svg.contains("Learning curve") && svg.contains("nats per row") && svg.contains("held out"))
  }

  @Test(arguments: [
    ("--picture @losses.pdf", "ends in .svg"), ("--picture @none/losses.svg", "folder to write to"),
    ("--private --bounds x:0:9,y:0:9 --picture @losses.svg", "--picture does not go with --private"),
  ])
  func wrongPictures(options: String, message: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("rows.csv", "kind,x,y\n" + Self.rows.joined(separator: "\n"))
    let answer = await place.flow("fit @rows.csv --out @m.safetensors \(options)")
    #expect(answer.code == 2 && (answer.error ?? answer.output).contains(message), "\(answer)")
  }
}
