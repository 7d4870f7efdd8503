import Files
import Randomness
import Tensors
import Testing

@testable import Tables

/// Columns of texts, which an encoding must give back to the letter.
private func columns() -> KeyValuePairs<String, [String]> {
  let (n, noise) = (200, Key(0).normal([200]).doubles)
  // Columns of the same numbers would follow from each other.
  func other(_ i: Int) -> [Double] { Key(i).normal([200]).doubles }
  func number(_ x: Double, _ places: Int) -> String {
    NumberScale.Spelling.decimal(places: places, isFixed: true).text(x)
  }
  return [
    "fixed": noise.map { number(3 * $0, 2) }, "free": other(1).map { spelled(Double(Float($0))) },
    "whole": other(2).map { number(1_000 * $0, 0) },
    "fifties": other(3).map { number(((20 * $0).rounded()) * 50, 0) },
    "heavy": noise.map { number(10_000 * $0 * $0 * $0 * $0 * $0, 1) },
    "spiked": (0..<n).map { $0 % 3 == 0 ? "0.000" : $0 % 7 == 0 ? "" : number(abs(noise[$0]), 3) },
    "gap": (0..<n).map { $0 % 4 == 1 ? "NA" : spelled(noise[$0] * noise[$0]) },
    "day": other(4).map { DateFormat().text((1_000 * $0).rounded()) },
    "time": other(5).map { DateFormat(mark: "T", hasSeconds: true, isUTC: true).text((1e6 * $0).rounded()) },
    "level": (0..<n).map { ["\"a,\"\"b\"", "ü", "NaN", " c"][$0 * $0 % 4] },
    "yes": (0..<n).map { $0 % 5 == 0 ? "TRUE" : $0 % 11 == 0 ? "?" : "FALSE" },
    "constant": (0..<n).map { _ in "v1" }, "few": (0..<n).map { ["1.0", "2.50", "3.0"][$0 % 3] },
    "bounded": other(6).map { number(min(max($0 / 3 + 0.5, 0), 1), 2) },
  ]
}

@Suite struct EncodingTests {
  @Test func tablesComeBackToTheLetter() throws {
    let table = try table(columns())
    var options = TableSchema.Options()
    options.bounds = ["bounded": 0...1]
    let (schema, all) = try TableSchema.infer(from: table, options: options)
    let rows = try schema.encode(table)
    #expect(all.count == 200 && rows.count == 200 && rows.logScale.isFinite)
    for draw in 0..<3 {
      let numbers = TableRows.numbers(Key(draw), in: rows.intervals)
      let texts = schema.decode(codes: rows.codes, numbers: numbers)
      for (i, column) in schema.columns.enumerated()
      where column.kind != .continuous || column.scale?.step != 0 {
        let truth = (0..<200).map { table.text(row: $0, column: i) }
        let got = texts[i].map { $0 ?? column.missing ?? "" }
        #expect(got == truth, "\(column.name)")
      }
    }
    // Draws far out are finite, and within declared bounds.
    for far in [-1e30, -50, 50, 1e30] {
      let wild = Tensor.full([1, schema.numberCount], far, dtype: .float64)
      let texts = schema.decode(codes: .zeros([1, schema.codeCounts.count]), numbers: wild)
      #expect(texts.last == [far < 0 ? "0.00" : "1.00"])
      // Whole numbers far out are the table's own least and greatest.
      let whole = try table.numbers(columns: [2]).doubles
      #expect(texts[2] == [spelled(far < 0 ? whole.min()! : whole.max()!)])
      #expect(texts.allSatisfy { $0[0].map { !$0.contains("nan") && !$0.contains("inf") } ?? true })
    }
  }

  /// The cells of rounded numbers lie side by side, and a number with a density has the slope of its map.
  @Test func scalesAreThoseOfTheMaps() throws {
    let table = try table(columns())
    let schema = try TableSchema.infer(from: table).schema
    for scale in schema.columns.compactMap(\.scale) {
      let x = Tensor([1.5, 2.5, 4], dtype: .float64)
      var exact = scale
      exact.step = 0
      let (y, _, logSlope) = exact.intervals(x)
      let slope = jvp(at: x, along: .ones([3], dtype: .float64)) { exact.intervals($0).low }.tangent
      #expect(abs(log(slope) - logSlope).max(axis: 0).item < 1e-12)
      let back = exact.curve.inverse(y * scale.deviation + scale.mean)
      #expect(abs(back - x).max(axis: 0).item < 1e-9)
      guard scale.step > 0 else { continue }
      let (low, high, logLength) = scale.intervals(x)
      #expect(abs(exp(logLength) - (high - low)).max(axis: 0).item < 1e-12)
      let next = scale.intervals(x + scale.step)
      #expect(abs(next.low - high).max(axis: 0).item < 1e-9)
    }
  }

  /// Numbers with a decimal comma come back with a point.
  @Test func decimalCommas() throws {
    let lines = (0..<60).map { "\($0 * $0 % 47),\($0 % 7)5;\($0 % 3),5;\($0 % 2)" }
    let table = try TextTable.parse("x;few;flag\n" + lines.joined(separator: "\n") + "\n")
    let schema = try TableSchema.infer(from: table).schema
    #expect(schema.columns[1].levels.sorted() == ["0.5", "1.5", "2.5"])
    let rows = try schema.encode(table)
    let texts = schema.decode(codes: rows.codes, numbers: TableRows.numbers(Key(0), in: rows.intervals))
    #expect(texts[0].prefix(3) == ["0.05", "1.15", "4.25"] && texts[1].prefix(3) == ["0.5", "1.5", "2.5"])
  }

  /// Odd texts in any column give one line with their place, or are taken, but nothing else.
  @Test func oddFieldsGiveOneLine() throws {
    let sound = columns()
    let schema = try TableSchema.infer(from: table(sound)).schema
    let odd = [
      "", " ", "x", "NA", "nan", "-inf", "0x1F", "1 000", "1.2.3", "1e", "--1", ".", "1e400", "1e-400", "5%",
      "2024-01-31", "2024-02-30", "12:30", "true", "\u{661}", "\"1,5\"", "\"a\nb\"", "'1'", "1e300", "-1e300",
      String(repeating: "9", count: 400), String(repeating: "x", count: 10_000), "\u{7}", "#N/A", "3.5", "-7",
    ]
    var refusals = (scored: 0, fitted: 0)
    for (i, name) in schema.names.enumerated() {
      for text in odd {
        let fields = sound.map { $0.key == name ? text : $0.value[0] }.joined(separator: ",")
        let header = schema.names.joined(separator: ",")
        let row = try TextTable.parse("\(header)\n\(fields)\n", options: .init(header: .present))
        do throws(FlowError) {
          let rows = try schema.encode(row)
          #expect(rows.codes.isFinite && rows.intervals.isFinite, "\(name) \(text)")
        } catch {
          refusals.scored += 1
          let message = "\(error)"
          #expect(message.hasPrefix("text, row 2, column \(i + 1): expected ") && message.contains(", got "))
          #expect(message.utf8.count < 400 && !message.contains { $0.isNewline }, "\(message)")
        }
        let column = sound[i].value.prefix(60).enumerated().map { $0 == 11 ? text : $1 }
        do throws(FlowError) { _ = try TableSchema.infer(from: one(column)) } catch {
          refusals.fitted += 1
          let message = "\(error)"
          #expect(message.utf8.count < 400 && message.contains("expected ") && message.contains(", got "))
        }
      }
    }
    #expect(refusals.scored > 250 && refusals.fitted > 100, "\(refusals)")
  }

  private func one(_ column: [String]) throws(FlowError) -> TextTable {
    try TextTable.parse(
      (["x,y"] + column.map { $0 + ",a" }).joined(separator: "\n") + "\n", options: .init(header: .present))
  }

  @Test(arguments: [
    ("b,a\n1,x\n", "as the model was fitted to, got no c"),
    ("a,b,c\nx,1,2.5\nw,1,2.5\n", "row 3, column 1: expected one of y, x in \"a\", got \"w\""),
    ("a,b,c\nx,1,2.5\nx,1,\n", "row 3, column 3: expected a value in \"c\", got a missing one"),
    ("a,b,c\nx,one,2.5\n", "row 2, column 2: expected a whole number in \"b\", got \"one\""),
    ("a,b,c\nx,1.5,2.5\n", "row 2, column 2: expected a whole number in \"b\", got \"1.5\""),
    ("a,b,c\nx,99,2.5\n", "expected a whole number of at least 0 and at most 40 in \"b\", got \"99\""),
    ("a,b,c\nx,1,inf\n", "row 2, column 3: expected a number in \"c\", got \"inf\""),
  ])
  func misfitsAreNamed(text: String, words: String) throws {
    let sound = try table([
      "a": (0..<40).map { $0 % 3 == 0 ? "x" : "y" }, "b": (0..<40).map { "\($0 * $0 % 37)" },
      "c": (0..<40).map { "\(Double($0) * 0.37 - 3)" },
    ])
    var options = TableSchema.Options()
    options.bounds = ["b": 0...40]
    let schema = try TableSchema.infer(from: sound, options: options).schema
    let error = #expect(throws: FlowError.self) { try schema.encode(TextTable.parse(text)) }
    #expect("\(error!)".contains(words), "\(error!)")
    // Columns in another order, and more of them, do not matter.
    let other = try TextTable.parse("z,c,b,a\n1,2.5,4,y\n")
    #expect(try schema.encode(other).count == 1)
  }
}
