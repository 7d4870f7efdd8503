import FittedModels
import Flows
import FlowsC
import Foundation
import Testing

@testable import flow

private func characters(_ bytes: [CChar]) -> String {
  String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A model that is opened as a program in C does.
private final class Opened {
  let pointer: OpaquePointer
  let width: Int

  init(_ path: String) throws {
    let (pointer, text) = Opened.open(path)
    self.pointer = try #require(pointer, "\(text)")
    #expect(text.isEmpty)
    width = Int(flowsDimension(pointer))
  }

  static func open(_ path: String, size: Int = 1000) -> (OpaquePointer?, String) {
    var error = [CChar](repeating: 1, count: size)
    let pointer = flowsOpen(path, &error, Int64(size))
    return (pointer, characters(error))
  }

  func logPDF(_ rows: [Double], given context: [Double]? = nil, width: Int? = nil) -> (
    status: Int32, text: String, values: [Double]
  ) {
    let size = width ?? self.width
    var error = [CChar](repeating: 1, count: 1000)
    var result = [Double](repeating: 7, count: rows.count / size)
    let status = flowsLogPDF64(
      pointer, rows, Int64(result.count), Int64(size), context, context == nil ? 0 : 1,
      Int64(context?.count ?? 0), &result, &error, 1000)
    return (status, characters(error), result)
  }

  func sample(_ seed: UInt32, _ rows: Range<Int>, given context: [Double]? = nil) -> (
    status: Int32, text: String, values: [Double]
  ) {
    var error = [CChar](repeating: 1, count: 1000)
    var result = [Double](repeating: 7, count: rows.count * width)
    let status = flowsSample64(
      pointer, 0, seed, Int64(rows.lowerBound), Int64(rows.count), Int64(width), context,
      context == nil ? 0 : 1, Int64(context?.count ?? 0), &result, &error, 1000)
    return (status, characters(error), result)
  }

  deinit { #expect(flowsClose(pointer) == 0) }
}

@Suite struct CInterfaceTests {
  /// Fits a tiny model.
  private func fitted(_ place: Workplace, _ words: String) async throws -> String {
    let outcome = await place.flow("fit @plain.csv --epochs 2 --seed 1 \(words) --out @m.safetensors")
    #expect(outcome.code == 0, "\(outcome)")
    return place["m.safetensors"]
  }

  private static let kinds = Architecture.all.map { architecture in
    let own = [("layers", "2"), ("hidden", "8,8"), ("solver-steps", "4")].filter { name, _ in
      architecture.settings.contains { $0.rawValue == name }
    }
    return "--architecture \(architecture.name)" + own.map { " --\($0) \($1)" }.joined()
  }
  private static let others = [
    "--architecture nsf --layers 1 --dtype float64", "--architecture nice --no-standardize --layers 1",
    "--architecture auto --folds 2",
  ]

  @Test(arguments: kinds + others)
  func densitiesAndDrawsAreThoseOfTheCommand(words: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(place, words)
    _ = try await place.json("score @m.safetensors @plain.csv --out @scores.npy")
    _ = try await place.json("sample @m.safetensors --count 120 --seed 3 --out @draws.npy")
    let (scores, draws) = (try NPY.read(place["scores.npy"]), try NPY.read(place["draws.npy"]))
    let model = try Opened(path)
    #expect(flowsDtype(model.pointer) == (scores.dtype == .float64 ? 64 : 32))
    #expect(flowsContextDimension(model.pointer) == 0)
    let own = model.logPDF(try CSV.read(place["plain.csv"]).values.doubles)
    #expect(own.status == 0 && own.text.isEmpty, "\(own.text)")
    #expect(own.values.map { scores.dtype == .float64 ? $0 : Double(Float($0)) } == scores.doubles)
    let all = model.sample(3, 0..<120)
    #expect(all.status == 0 && all.values == draws.doubles, "\(all.text)")
    #expect(model.sample(3, 50..<120).values == Array(draws.doubles[100...]))
  }

  @Test func piecesOfASampleAreTheWhole() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(place, "--architecture realnvp --layers 1 --hidden 4")
    _ = try await place.json("sample @m.safetensors --count 20300 --seed 3 --out @draws.npy")
    let draws = try NPY.read(place["draws.npy"]).doubles
    let model = try Opened(path)
    for rows in [0..<1, 9_990..<10_010, 9_999..<20_001, 20_000..<20_300, 10_000..<10_000] {
      #expect(model.sample(3, rows).values == Array(draws[2 * rows.lowerBound..<2 * rows.upperBound]))
    }
  }

  @Test func contextsAreInTheirUnits() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(
      place, "--context weight --architecture nsf --layers 1 --hidden 4 --columns height")
    _ = try await place.json("score @m.safetensors @plain.csv --out @scores.npy")
    _ = try await place.json(
      "sample @m.safetensors --count 30 --seed 3 --given weight=-7.25 --out @draws.npy")
    let scores = try NPY.read(place["scores.npy"]).doubles
    let draws = try NPY.read(place["draws.npy"]).doubles
    let model = try Opened(path)
    #expect(flowsDimension(model.pointer) == 1 && flowsContextDimension(model.pointer) == 1)
    let table = try CSV.read(place["plain.csv"]).values
    let (rows, context) = (table.sliced(axis: 1, 0..<1).doubles, table.sliced(axis: 1, 1..<2).doubles)
    var result = [Double](repeating: 0, count: rows.count)
    let count = Int64(rows.count)
    #expect(flowsLogPDF64(model.pointer, rows, count, 1, context, count, 1, &result, nil, 0) == 0)
    #expect(result.map { Double(Float($0)) } == scores)
    #expect(model.sample(3, 0..<30, given: [-7.25]).values == draws)
    // One row for each draw, from a draw on.
    var some = [Double](repeating: 0, count: 10)
    let each = [Double](repeating: -7.25, count: 10)
    #expect(flowsSample64(model.pointer, 0, 3, 20, 10, 1, each, 10, 1, &some, nil, 0) == 0)
    #expect(some == Array(draws[20...]))
    #expect(model.logPDF([1000]).text == "expected a context of weight, got a null pointer")
    #expect(model.logPDF([1000], given: [1, 2]).text == "expected a context of 1 numbers per row, got 2")
    #expect(model.logPDF([1000], given: [.nan]).values[0].isNaN)
    #expect(model.sample(3, 0..<2, given: [.nan]).text.hasPrefix("expected a context near the model's data"))
  }

  @Test func rowsThatAreNoDataGetWhatTheLibraryGives() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(place, "--log height --architecture realnvp --layers 1 --hidden 4")
    let model = try Opened(path)
    let rows: [Double] = [1000, -7, .nan, -7, 0, -7, -5, .nan, 1001, -7, .infinity, 1]
    let own = model.logPDF(rows)
    #expect(own.status == 0)
    let (first, last) = (model.logPDF([1000, -7]).values[0], model.logPDF([1001, -7]).values[0])
    #expect(own.values[0] == first && own.values[4] == last)
    #expect(own.values[1].isNaN && own.values[2] == -.infinity && own.values[3].isNaN)
    let floats = rows.map(Float.init)
    var narrow = [Float](repeating: 0, count: 6)
    #expect(flowsLogPDF32(model.pointer, floats, 6, 2, nil, 0, 0, &narrow, nil, 0) == 0)
    #expect(narrow[0] == Float(first) && narrow[1].isNaN && narrow[2] == -.infinity)
    var draws = [Float](repeating: 0, count: 6)
    #expect(flowsSample32(model.pointer, 0, 3, 0, 3, 2, nil, 0, 0, &draws, nil, 0) == 0)
    #expect(draws == model.sample(3, 0..<3).values.map(Float.init))
  }

  @Test func wrongCallsAreRefused() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(place, "--architecture realnvp --layers 1 --hidden 4")
    let model = try Opened(path)
    var (result, error) = ([Double](repeating: 0, count: 8), [CChar](repeating: 1, count: 400))
    func text(_ status: Int32) -> String { "\(status) " + characters(error) }
    let rows = [Double](repeating: 1, count: 8)
    #expect(
      text(flowsLogPDF64(nil, rows, 2, 2, nil, 0, 0, &result, &error, 400))
        == "1 expected a model, got a null pointer")
    #expect(
      text(flowsLogPDF64(model.pointer, nil, 2, 2, nil, 0, 0, &result, &error, 400))
        == "1 expected rows, got a null pointer")
    #expect(
      text(flowsLogPDF64(model.pointer, rows, 2, 2, nil, 0, 0, nil, &error, 400))
        == "1 expected a place for the result, got a null pointer")
    #expect(
      text(flowsLogPDF64(model.pointer, rows, 2, 3, nil, 0, 0, &result, &error, 400))
        == "1 expected rows of 2 numbers per row, got 3")
    for count in [-1, Int64.max, Int64.min] {
      #expect(
        text(flowsLogPDF64(model.pointer, rows, count, 2, nil, 0, 0, &result, &error, 400))
          == "1 expected a possible number of rows, got \(count)")
      #expect(flowsSample64(model.pointer, 0, 1, 0, count, 2, nil, 0, 0, &result, &error, 400) == 1)
    }
    #expect(
      text(flowsLogPDF64(model.pointer, rows, 2, 2, rows, 2, 2, &result, &error, 400))
        == "1 expected no context, which the model does not have, got one")
    #expect(
      text(flowsSample64(model.pointer, 0, 1, -3, 2, 2, nil, 0, 0, &result, &error, 400))
        == "1 expected the number of the first draw, from 0 on, got -3")
    let odd = UnsafeRawPointer(bitPattern: 4099)!.assumingMemoryBound(to: Double.self)
    #expect(
      text(flowsLogPDF64(model.pointer, odd, 2, 2, nil, 0, 0, &result, &error, 400))
        == "1 expected the address of rows to be a multiple of 8")
    #expect(flowsLogPDF64(model.pointer, nil, 0, 2, nil, 0, 0, nil, &error, 400) == 0)
    // A text is cut to its buffer.
    #expect(flowsLogPDF64(nil, rows, 2, 2, nil, 0, 0, &result, &error, 9) == 1)
    #expect(characters(error) == "expected")
    #expect(flowsLogPDF64(nil, rows, 2, 2, nil, 0, 0, &result, &error, 0) == 1)
    #expect(flowsLogPDF64(nil, rows, 2, 2, nil, 0, 0, &result, &error, -5) == 1)
    #expect(flowsOpen(nil, &error, 400) == nil)
    #expect(flowsDimension(nil) == -1 && flowsDtype(nil) == -1 && flowsClose(nil) == 1)
    #expect(flowsContextDimension(OpaquePointer(bitPattern: 3)) == -1)
  }

  @Test func aClosedModelIsRefused() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let path = try await fitted(place, "--architecture realnvp --layers 1 --hidden 4")
    let pointer = try #require(Opened.open(path).0)
    #expect(flowsClose(pointer) == 0 && flowsClose(pointer) == 1 && flowsDimension(pointer) == -1)
    var (result, error) = ([Double](repeating: 0, count: 8), [CChar](repeating: 1, count: 400))
    #expect(flowsSample64(pointer, 0, 1, 0, 2, 2, nil, 0, 0, &result, &error, 400) == 1)
    #expect(characters(error) == "expected an open model, got a closed one")
  }

  @Test func filesThatAreNoModelsAreRefused() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let none = Opened.open(place["none"])
    #expect(none.0 == nil && none.1 == "\(place["none"]): expected a readable file, got nothing there")
    let bytes = try Data(contentsOf: URL(filePath: await fitted(place, "--architecture nice --layers 1")))
    for count in stride(from: 0, to: bytes.count, by: bytes.count / 40) {
      try bytes.prefix(count).write(to: URL(filePath: place["cut"]))
      #expect(Opened.open(place["cut"]).0 == nil)
    }
    #expect(Opened.open(place.folder).0 == nil)
    try SafeTensors(Params.empty, metadata: ["schema": "{}"]).write(to: place["mixed.safetensors"])
    let mixed = Opened.open(place["mixed.safetensors"]).1
    #expect(mixed.hasSuffix("got one of mixed columns, whose rows are texts; take flow score"), "\(mixed)")
    // A text in another language is cut between characters.
    #expect(Opened.open("ä", size: 2).1 == "" && Opened.open("ää", size: 4).1 == "ä")
  }

  /// The header has the functions of the library with their types.
  @Test func theHeaderHasTheFunctions() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/CInterface")
    let header = try String(contentsOf: sources.appending(path: "include/flows.h"), encoding: .utf8)
    let code = try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    let inC = header.replacing(try Regex("//[^\n]*"), with: "")
      .matches(of: /(\w+(?: \*| ))(flows_\w+)\(([^)]*)\);/).map { match in
        let arguments = match.3.split(separator: ",").map { argument in
          // A type stands before the name.
          argument.split(whereSeparator: \.isWhitespace).joined(separator: " ").replacing(/\w+$/, with: "")
        }
        return "\(match.2): \(([match.1] + arguments.map { $0[...] }).map { $0.trimmed })"
      }
    let types = [
      "OpaquePointer?": "flows_model *", "UnsafePointer<CChar>?": "const char *", "Int64": "int64_t",
      "UnsafeMutablePointer<CChar>?": "char *", "UnsafePointer<Float>?": "const float *",
      "UnsafeMutablePointer<Float>?": "float *", "UnsafePointer<Double>?": "const double *",
      "UnsafeMutablePointer<Double>?": "double *", "UInt32": "uint32_t", "Int32": "int32_t",
    ]
    let inSwift = code.matches(of: /@_cdecl\("(\w+)"\)\s*public func \w+\(([^)]*)\) -> (\S+)/).map { match in
      let arguments = match.2.split(separator: ",").map { $0.split(separator: ":").last! }
      let own = ([match.3] + arguments).map { $0.split(whereSeparator: \.isWhitespace).joined() }
      return "\(match.1): \(own.map { types[$0] ?? $0 })"
    }
    #expect(inC.count == 9 && inC.sorted() == inSwift.sorted())
  }
}
