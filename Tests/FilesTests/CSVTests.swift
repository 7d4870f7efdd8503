import Foundation
import FuzzSupport
import Tensors
import Testing

@testable import Files

@Suite struct CSVTests {
  @Test(
    arguments: [
      ("1,2\n3,4", nil, [2, 2], [1, 2, 3, 4]),
      ("1,2\r\n3,4\r\n", nil, [2, 2], [1, 2, 3, 4]),
      ("1,2\r3,4\r\r", nil, [2, 2], [1, 2, 3, 4]),
      ("a,b\n1,2\n\n\n", ["a", "b"], [1, 2], [1, 2]),
      ("\u{FEFF}a,b\n1,2", ["a", "b"], [1, 2], [1, 2]),
      ("\u{FEFF}1", nil, [1, 1], [1]),
      (" a ,\tb\n 1\t, 2 \n", ["a", "b"], [1, 2], [1, 2]),
      ("\" a\",\"b,\"\"c\"\"\r\nd\"\n\"1\",\"-2\"", [" a", "b,\"c\"\r\nd"], [1, 2], [1, -2]),
      ("größe,重さ\n+1e-2,.5", ["größe", "重さ"], [1, 2], [0.01, 0.5]),
      ("x\n-0\n5.\n1E3", ["x"], [3, 1], [0, 5, 1000]),
    ] as [(String, [String]?, Shape, [Double])])
  func reads(text: String, names: [String]?, shape: Shape, values: [Double]) throws {
    let table = try CSV.parse(text, dtype: .float64)
    #expect(table.names == names)
    #expect(table.values.shape == shape)
    #expect(table.values.dtype == .float64)
    #expect(table.values.doubles == values)
  }

  @Test func headerOnRequest() throws {
    #expect(try CSV.parse("1,2\n3,4", header: .present).names == ["1", "2"])
    #expect(try CSV.parse("1,2\n3,4", header: .none).values.shape == [2, 2])
  }

  @Test func selectsColumnsInTheOrderAskedFor() throws {
    let text = ",label,b,a\n1,cat,2,3\n4,\"dog, old\",5,6\n"
    let table = try CSV.parse(text, columns: ["a", "b"])
    #expect(table.names == ["a", "b"])
    #expect(table.values.isIdentical(to: Tensor([[3, 2], [6, 5]])))
  }

  @Test(arguments: [CSV.Separator.tab, .semicolon])
  func otherSeparators(separator: CSV.Separator) throws {
    let table = CSV(names: ["a,b", "c"], values: Tensor([[1.5, 2], [3, 4]]))
    let again = try CSV.parse(table.text(separator: separator), separator: separator)
    #expect(again.names == table.names)
    #expect(again.values.isIdentical(to: table.values))
  }

  @Test(
    arguments: [
      ("", nil, nil, "expected rows of numbers, got an empty file"),
      ("\u{FEFF}\r\n\n", nil, nil, "expected rows of numbers, got an empty file"),
      ("a,b\n", nil, nil, "expected rows of numbers under the header, got none"),
      ("a,b\n1,2\n3", 3, 2, "expected 2 fields, as in the header, got 1"),
      ("1,2\n3,4,5,6", 2, 3, "expected 2 fields, as in row 1, got 4"),
      ("1,2\n\n3,4", 2, 1, "expected a number, got an empty field"),
      ("1\n\n3", 2, 1, "expected a number, got an empty field"),
      ("1,2,\n", 1, 3, "expected a number, got an empty field"),
      ("a,b\n\"1\",\" \"", 2, 2, "expected a number, got an empty field"),
      ("a\n\"x\ny\"", 2, 1, "expected a number, got \"x\\ny\""),
      ("a,\"b\nc\"\n1,x", 3, 2, "expected a number, got \"x\""),
      ("1,0x10", 1, 2, "expected a number, got \"0x10\""),
      ("1\n1e", 2, 1, "expected a number, got \"1e\""),
      ("1\n1 2", 2, 1, "expected a number, got \"1 2\""),
      ("a\n1\u{0}", 2, 1, "expected a number, got \"1\\0\""),
      ("x,1", 1, 1, "expected a number, got \"x\""),
      ("1\nnan", 2, 1, "expected a finite number, got \"nan\""),
      ("1\n-Infinity", 2, 1, "expected a finite number, got \"-Infinity\""),
      ("inf,nan", 1, 1, "expected a finite number, got \"inf\""),
      ("1\n-1e39", 2, 1, "expected a number in the range of float32, got \"-1e39\""),
      ("x\n1e-50\n", 2, 1, "expected a number in the range of float32, got \"1e-50\""),
      ("a,b,a\n1,2,3", 1, 3, "expected distinct column names, got \"a\" in column 1 too"),
      ("a,,c\n1,2,3", 1, 2, "expected a column name, got an empty field"),
      ("1\n\"2", 2, 1, "expected a closing quote, got the end of the file"),
      ("1\n\"2\"3", 2, 1, "expected the field to end at its closing quote, got \"3\""),
      ("1\n2\"3\"", 2, 1, "expected quotes around the whole field only, got one inside it"),
    ] as [(String, Int?, Int?, String)])
  func refuses(text: String, row: Int?, column: Int?, message: String) {
    #expect(throws: FlowError.file(path: "data.csv", row: row, column: column, message: message)) {
      try CSV.parse(text, source: "data.csv")
    }
  }

  @Test func refusesDoubleOverflow() {
    let message = "expected a number in the range of float64, got \"1e400\""
    #expect(throws: FlowError.file(path: "text", row: 1, column: 2, message: message)) {
      try CSV.parse("1,1e400", dtype: .float64)
    }
  }

  @Test func refusesWhatIsNotUnicode() {
    let bytes = Array("a,b\n1,".utf8) + [0xC3, 0x28, 0x0A]
    let message = "expected UTF-8, got the bytes \"\\xc3(\""
    #expect(throws: FlowError.file(path: "text", row: 2, column: 2, message: message)) {
      try CSV.parse(bytes: bytes)
    }
  }

  @Test(
    arguments: [
      ("a,b\n1,2", ["c"], 1, "expected a column \"c\", got \"a\", \"b\""),
      ("a,b\n1,2", ["a", "a"], nil, "expected to be asked for column \"a\" once"),
      ("1,2\n3,4", ["a"], 1, "expected a header with the columns' names, got numbers"),
    ] as [(String, [String], Int?, String)])
  func refusesSelections(text: String, columns: [String], row: Int?, message: String) {
    #expect(throws: FlowError.file(path: "text", row: row, column: nil, message: message)) {
      try CSV.parse(text, columns: columns)
    }
  }

  @Test func longTextIsCutInErrors() {
    let message = "expected a number, got \"\(String(repeating: "é", count: 40))…\""
    #expect(throws: FlowError.file(path: "text", row: 1, column: 2, message: message)) {
      try CSV.parse("1," + String(repeating: "é", count: 10_000))
    }
  }

  @Test func filesThatCannotBeReadOrWritten() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (path, got) in [(folder + "/none.csv", "nothing there"), (folder, "a folder"), ("", "nothing there")]
    {
      #expect(
        throws: FlowError.file(
          path: path, row: nil, column: nil, message: "expected a readable file, got \(got)")
      ) { try CSV.read(path) }
    }
    let path = folder + "/none/table.csv"
    let message = "expected a place to write a file to, got none"
    #expect(throws: FlowError.file(path: path, row: nil, column: nil, message: message)) {
      try CSV(values: Tensor([[1]])).write(to: path)
    }
  }

  @Test(arguments: [DType.float32, .float64])
  func whatIsWrittenReadsBackBitForBit(dtype: DType) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var generator = Generator(seed: 1)
    var numbers: [Double] = [0, -0.0, 1, -1, 1e22, 1e-22, 123456789, 0.1, -1 / 3.0, 16_777_217]
    while numbers.count < 600 {
      let bits = generator.next()
      let number =
        dtype == .float32
        ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
      if number.isFinite { numbers.append(number) }
    }
    let names = ["plain", "with, comma", "with \"quotes\"", " spaces ", "two\nlines", "\u{301}accent"]
    let table = CSV(names: names, values: Tensor(numbers, shape: [100, 6], dtype: dtype))
    try table.write(to: folder + "/table.csv")
    let again = try CSV.read(folder + "/table.csv", dtype: dtype)
    #expect(again.names == names)
    #expect(again.values.isIdentical(to: table.values))
  }

  @Test func writesShortNumbers() {
    let table = CSV(names: ["a"], values: Tensor([[5], [0.1], [.nan], [-.infinity]]))
    #expect(table.text() == "a\n5\n0.1\nnan\n-inf\n")
  }

  private func temporaryFolder() throws -> String {
    let folder = NSTemporaryDirectory() + "flows-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    return folder
  }
}
