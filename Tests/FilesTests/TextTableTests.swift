import Foundation
import Tensors
import Testing

@testable import Files

@Suite struct TextTableTests {
  /// A table's names and texts, row after row.
  private func content(_ table: TextTable) -> [[String]] {
    [table.names]
      + (0..<table.rows).map { row in (0..<table.width).map { table.text(row: row, column: $0) } }
  }

  @Test(
    arguments: [
      ("a,b\n1,x\n", .comma, [["a", "b"], ["1", "x"]]),
      ("a;b\n1,5;x\n", .semicolon, [["a", "b"], ["1,5", "x"]]),
      ("a\tb\n1,5\tx;y\n", .tab, [["a", "b"], ["1,5", "x;y"]]),
      ("a|b\n1|x,y\n", .pipe, [["a", "b"], ["1", "x,y"]]),
      ("\u{FEFF}\"a,\"\"b\",c\r\n\"1\n2\",\"\"\r\n", .comma, [["a,\"b", "c"], ["1\n2", ""]]),
      ("id,tags\n1,a|b\n2,a\n3,c|d\n", .comma, [["id", "tags"], ["1", "a|b"], ["2", "a"], ["3", "c|d"]]),
      ("x\n1\n2", .comma, [["x"], ["1"], ["2"]]),
      ("kind,color\ncat,red\r", .comma, [["kind", "color"], ["cat", "red"]]),
      ("name,2019\nAda,1.5\n", .comma, [["#1", "#2"], ["name", "2019"], ["Ada", "1.5"]]),
      ("age,2019\n7,1.5\n", .comma, [["age", "2019"], ["7", "1.5"]]),
      ("NA,2019\n7,1.5\n", .comma, [["#1", "#2"], ["NA", "2019"], ["7", "1.5"]]),
      ("1,2\n3,4", .comma, [["#1", "#2"], ["1", "2"], ["3", "4"]]),
      ("\"a;b\",c\n\"1;2\",3\n", .comma, [["a;b", "c"], ["1;2", "3"]]),
    ] as [(String, CSV.Separator, [[String]])])
  func findsSeparatorAndHeader(text: String, separator: CSV.Separator, expected: [[String]]) throws {
    let table = try TextTable.parse(text)
    #expect(table.separator == separator && content(table) == expected)
    #expect(table.hasHeader == (table.names[0] != "#1"))
    #expect(table.remarks.contains(.noHeader) != table.hasHeader)
  }

  @Test func headerOnRequest() throws {
    let yes = try TextTable.parse("2019,2020\n1,2\n", options: .init(header: .present))
    #expect(yes.names == ["2019", "2020"] && yes.remarks == [])
    let mixed = try TextTable.parse("age,2019\n7,1.5\n")
    #expect(mixed.hasHeader && mixed.remarks == [.numbersInHeader])
    let no = try TextTable.parse("a,b\n1,2\n", options: .init(header: .none))
    #expect(no.rows == 2 && no.remarks == [])
    var options = TextTable.Options()
    options.knownNames = ["2020"]
    #expect(try TextTable.parse("2019,2020\n1,2\n", options: options).names == ["2019", "2020"])
  }

  @Test(
    arguments: [
      ("a;b\n1,5;2\n", nil, [1.5, 2], true), ("a|b\n1,5|2.5\n", nil, nil, false),
      ("a;b\n1.5;2\n", nil, [1.5, 2], false), ("a\tb\n-1,5e3\t+,5\n", nil, [-1500, 0.5], true),
      ("a,b\n\"1,5\",2\n", nil, nil, false), ("a,b\n\"1,5\",2\n", .comma, [1.5, 2], false),
      ("a;b\n1,5;2\n", .point, nil, false),
    ] as [(String, CSV.DecimalMark?, [Double]?, Bool)])
  func findsTheDecimalMark(text: String, mark: CSV.DecimalMark?, numbers: [Double]?, isFound: Bool) throws {
    let table = try TextTable.parse(text, options: .init(decimalMark: mark))
    #expect((try? table.numbers(columns: [0, 1]))?.doubles == numbers)
    #expect(table.remarks == (isFound ? [.decimalComma] : []))
  }

  /// The long decimal text takes another way than the short one.
  @Test func commasGiveTheBitsOfPoints() {
    for text in ["0,1", "123456789,123456789123", "1,7e-300", "-98765432109876543210,5"] {
      let point = text.replacingOccurrences(of: ",", with: ".")
      #expect(DecimalText<Double>(ArraySlice(text.utf8), mark: .comma) == .number(Double(point)!))
      #expect(DecimalText<Double>(ArraySlice(text.utf8)) == .text)
    }
  }

  @Test func columnsWithoutNames() throws {
    #expect(try TextTable.parse(",a\n0,5\n1,6\n").incidental == [0: .index])
    #expect(try TextTable.parse("Unnamed: 0,a\n7,5\n3,6\n").incidental == [0: .index])
    #expect(try TextTable.parse("\"\",mpg\nMazda,5\nFiat,6\n").incidental == [0: .index])
    let empty = try TextTable.parse("a,\n1,\n2,\n")
    #expect(empty.names == ["a", "#2"] && empty.incidental == [1: .empty])
    #expect(try TextTable.parse("a,Unnamed: 1\n1,2\n1,2\n").incidental == [:])
    let message = "expected a column name, got an empty field"
    #expect(throws: FlowError.file(path: "text", row: 1, column: 2, message: message)) {
      try TextTable.parse("a,\n1,2\n1,2\n")
    }
  }

  @Test func valuesAreKept() throws {
    let table = try TextTable.parse("a,b,c\n1e400,,nan\n\"\",1e-400, 007 \n")
    let values = (0..<2).map { row in (0..<3).map { table.value(row: row, column: $0) } }
    #expect(values == [[.outOfRange, .empty, .notFinite], [.empty, .outOfRange, .number(7)]])
    #expect(table.isQuoted(row: 1, column: 0) && !table.isQuoted(row: 0, column: 1))
    #expect(table.text(row: 1, column: 2) == "007" && table.origin(ofRow: 1).line == 3)
  }

  @Test(arguments: [false, true])
  func readsUTF16(isBig: Bool) throws {
    let units = "\u{FEFF}größe,重さ\n1,2\n".utf16.flatMap { unit in
      let bytes = [UInt8(unit & 255), UInt8(unit >> 8)]
      return isBig ? bytes.reversed() : bytes
    }
    #expect(content(try TextTable.parse(bytes: units)) == [["größe", "重さ"], ["1", "2"]])
  }

  @Test func tablesAreJoinedByName() throws {
    let first = try TextTable.parse("a,b\n1,x\n", source: "1.csv")
    let second = try TextTable.parse("b;a\ny;2,5\n", source: "2.csv")
    let joined = try TextTable.joined([first, second, first])
    #expect(content(joined) == [["a", "b"], ["1", "x"], ["2,5", "y"], ["1", "x"]])
    #expect(try joined.numbers(columns: [0]).doubles == [1, 2.5, 1])
    #expect(joined.origin(ofRow: 1) == ("2.csv", 2))
    let message = "expected a number in \"b\", got \"y\""
    #expect(joined.error(row: 1, column: 1, message).description == "2.csv, row 2, column 1: \(message)")
    for (text, expected) in [
      ("a,c\n1,2\n", "3.csv, row 1: expected the columns of 1.csv, got them without \"b\" and with \"c\""),
      ("1,2\n", "3.csv: expected a header, as 1.csv has, got none"),
    ] {
      let other = try TextTable.parse(text, source: "3.csv")
      #expect(throws: FlowError.self) { try TextTable.joined([first, other]) }
      do throws(FlowError) { _ = try TextTable.joined([first, other]) } catch {
        #expect(error.description == expected)
      }
    }
  }

  @Test(
    arguments: [
      ("", nil, nil, "expected a table, got an empty file"),
      ("a,b\n", nil, nil, "expected rows under the header, got none"),
      ("a,b\n1,2\n3", 3, 2, "expected 2 fields, as in row 1, got 1"),
      ("a,b\n1,2\n\n3,4", 3, 2, "expected 2 fields, as in row 1, got a blank line"),
      ("a,b,a\n1,2,3", 1, 3, "expected distinct column names, got \"a\" in column 1 too"),
      (
        "1.0 2.0\n3 4\n", 1, nil,
        "expected fields with commas, semicolons, tabs or bars between them, got 2 numbers with blanks"
      ),
      ("a\n\"2", 2, 1, "expected a closing quote, got the end of the file"),
      (
        "PK\u{3}\u{4}", nil, nil,
        "expected a table as text, got a zip archive or a workbook; save the sheet as CSV"
      ),
      (
        "a,\u{0}", nil, nil,
        "expected text in UTF-8, got a zero at byte 2: binary data, or UTF-16 without its mark"
      ),
    ] as [(String, Int?, Int?, String)])
  func refuses(text: String, row: Int?, column: Int?, message: String) {
    #expect(throws: FlowError.file(path: "x.csv", row: row, column: column, message: message)) {
      try TextTable.parse(text, source: "x.csv")
    }
  }

  @Test(
    arguments: [
      ("x\n1\ny\n", 3, "expected a number in \"x\", got \"y\""),
      ("x,z\n,1\n", 2, "expected a number in \"x\", got an empty field"),
      ("x\ninf\n", 2, "expected a finite number in \"x\", got \"inf\""),
      ("x\n1e-400\n", 2, "expected a number in the range of float64 in \"x\", got \"1e-400\""),
    ] as [(String, Int, String)])
  func numbersAreNamed(text: String, row: Int, message: String) throws {
    let table = try TextTable.parse(text, source: "x.csv")
    #expect(throws: FlowError.file(path: "x.csv", row: row, column: 1, message: message)) {
      try table.numbers(columns: [0])
    }
  }
}
