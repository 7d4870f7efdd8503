import Flows

/// A file that no table can be read from, or that does not suit a model.
struct BrokenTable {
  let name: String
  let bytes: [UInt8]
  /// Whether the file suits a fit, and only `score` refuses it.
  var isForScore = false
  /// Whether a fit refuses the file with `--missing error` alone.
  var lacksValues = false

  init(_ name: String, _ text: String, isForScore: Bool = false) {
    self.init(name, Array(text.utf8), isForScore: isForScore)
  }

  init(_ name: String, _ bytes: [UInt8], isForScore: Bool = false) {
    (self.name, self.bytes, self.isForScore) = (name, bytes, isForScore)
  }

  /// Broken tables of all kinds: one fault each, in many places.
  static let all = encodings + records + fields + missing + headers + arrays + scored

  /// A sound table of the columns a and b with `count` rows.
  private static func rows(
    _ count: Int, header: String = "a,b", separator: String = ",",
    _ change: (Int, [String]) -> [String] = { $1 }
  ) -> String {
    let lines = (0..<count).map { i in
      change(i, ["\(Double(i * i % 17) + 0.5)", "\(Double(i * 5 % 13) - 0.25)"]).joined(separator: separator)
    }
    return ([header.replacing(",", with: separator)] + lines).joined(separator: "\n") + "\n"
  }

  /// The table with another text for a field.
  private static func rows(field: String, at place: (row: Int, column: Int), separator: String = ",")
    -> String
  {
    rows(12, separator: separator) { i, texts in
      var texts = texts
      if i == place.row { texts[place.column] = field }
      return texts
    }
  }

  private static let encodings: [BrokenTable] = {
    let sound = rows(12)
    let units = Array(("\u{FEFF}" + sound).utf16)
    let little = units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    var tables = [
      BrokenTable("odd.csv", little + [65]), BrokenTable("surrogate.csv", little + [0, 0xD8]),
      BrokenTable("utf32.csv", [0xFF, 0xFE, 0, 0] + little),
      BrokenTable("unmarked.csv", Array(little.dropFirst(2))),
      BrokenTable("zeros.csv", [UInt8](repeating: 0, count: 100)), BrokenTable("empty.csv", ""),
      BrokenTable("mark.csv", "\u{FEFF}"), BrokenTable("breaks.csv", "\r\n\n\n"),
      BrokenTable("book.xlsx", "PK\u{3}\u{4}xl/workbook"), BrokenTable("t.parquet", "PAR1\u{15}"),
      BrokenTable("t.pdf", "%PDF-1.7\n"), BrokenTable("page.csv", "<!DOCTYPE html><html></html>"),
      BrokenTable("picture.csv", [0x89, 0x50, 0x4E, 0x47, 13, 10]),
      BrokenTable("cut.csv.gz", [0x1F, 0x8B, 8]),
      BrokenTable("other.csv.gz", [0x1F, 0x8B, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]),
      BrokenTable("bad.csv.gz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]),
      BrokenTable(
        "stored.csv.gz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0xFE, 0xFF, 65, 0, 0, 0, 0, 1]),
    ]
    for (i, byte) in [0xE9, 0xFF, 0xC0, 0x80, 0xED, 0xF5].enumerated() {
      for row in [0, 11] {  // Latin-1 and other bytes that are not UTF-8, in a header and in a field.
        let text = rows(field: "@", at: (row, i % 2)).utf8.map { $0 == 0x40 ? UInt8(byte) : $0 }
        tables.append(BrokenTable("latin-\(i)-\(row).csv", text))
      }
    }
    return tables
  }()

  private static let records: [BrokenTable] = {
    var tables: [BrokenTable] = []
    for (i, separator) in [",", ";", "\t", "|"].enumerated() {
      for row in [0, 5, 11] {
        func table(_ name: String, _ change: @escaping ([String]) -> [String]) {
          let text = rows(12, separator: separator) { $0 == row ? change($1) : $1 }
          tables.append(BrokenTable("\(name)-\(i)-\(row).csv", text))
        }
        table("short") { Array($0.dropLast()) }
        table("long") { $0 + ["7"] }
        if row < 11 { table("blank") { _ in [] } }
        table("open") { ["\"" + $0[0], $0[1]] }
        table("inside") { [$0[0] + "\"x\"", $0[1]] }
        table("behind") { ["\"\($0[0])\"x", $0[1]] }
      }
    }
    return tables
  }()

  private static let fields: [BrokenTable] = {
    let texts = [
      "x", "-inf", "Infinity", "0x1F", "1 000", "1.2.3", "1e", "--1", "+", ".", "1e400",
      "-1e999", "1e-400", "1e300", "-1e60",
      "$3", "5%", "2024-01-31", "12:30", "true", "\u{661}\u{662}", "\u{2212}1",
      "1\u{A0}000", "\"1,5\"",
      "\"a\nb\"", "'1'", "1d5", "(3)", String(repeating: "9", count: 400),
      String(repeating: "x", count: 300_000),
      "\"" + String(repeating: "y\n", count: 20_000) + "\"", "\u{7}",
    ]
    return texts.enumerated().flatMap { i, text in
      [(0, 1), (11, 0)].map { place in
        BrokenTable("field-\(i)-\(place.0).csv", rows(field: text, at: place))
      }
    }
  }()

  private static let missing: [BrokenTable] = ["", " ", "NA", "nan", "#N/A", "null", "?"].enumerated()
    .flatMap { i, text in
      [(0, 1), (11, 0)].map { place in
        var table = BrokenTable("missing-\(i)-\(place.0).csv", rows(field: text, at: place))
        table.lacksValues = true
        return table
      }
    }

  private static let headers: [BrokenTable] = [
    BrokenTable("only.csv", "a,b\n"), BrokenTable("twice.csv", rows(12, header: "a,a")),
    BrokenTable("unnamed.csv", rows(12, header: "a,")), BrokenTable("three.csv", rows(12, header: "a,b,c")),
    BrokenTable("one.csv", rows(12, header: "a")), BrokenTable("single.csv", "a,b\n1,2\n"),
    BrokenTable(
      "name-break.csv", rows(field: "x", at: (3, 1)).replacing("a,b\n", with: "\"a\nz\",\"b\r\nb\"\n")),
    BrokenTable("flat.csv", rows(12) { _, texts in [texts[0], "7"] }),
    BrokenTable("texts.csv", "a,b\nx,y\nz,w\n"),
    BrokenTable("prose.csv", "Dear reader,\nthis is a letter, and no table.\nYours\n"),
    BrokenTable("json.csv", "{\"a\": [1, 2],\n \"b\": [3, 4]}\n"),
    BrokenTable("page-2.csv", "<html>\n<body>\n"),
  ]

  private static let arrays: [BrokenTable] = {
    let sound = NPY.bytes(of: Key(0).normal([12, 2]))
    let archive = NPZ(["x": Key(0).normal([12, 2]), "y": Tensor(1)]).bytes
    return [
      BrokenTable("cut.npy", Array(sound.dropLast(3))), BrokenTable("more.npy", sound + [0]),
      BrokenTable("head.npy", Array(sound.prefix(20))), BrokenTable("text.npy", "a,b\n1,2\n"),
      BrokenTable("scalar.npy", NPY.bytes(of: Tensor(1))),
      BrokenTable("cube.npy", NPY.bytes(of: .zeros([2, 2, 2]))),
      BrokenTable("none.npy", NPY.bytes(of: .zeros([0, 2]))),
      BrokenTable("nan.npy", NPY.bytes(of: Tensor([[1, .nan], [2, 3]]))), BrokenTable("two.npz", archive),
      BrokenTable("cut.npz", Array(archive.dropLast(30))), BrokenTable("zero.npz", NPZ([:]).bytes),
    ]
  }()

  /// Sound tables, each other than the model's.
  private static let scored: [BrokenTable] = [
    BrokenTable("renamed.csv", rows(12, header: "a,c"), isForScore: true),
    BrokenTable("case.csv", rows(12, header: "A,B"), isForScore: true),
    BrokenTable("fewer.csv", "a\n1\n2\n3\n", isForScore: true),
    BrokenTable("wide.csv", "1,2,3\n4,5,6\n", isForScore: true),
    BrokenTable("narrow.csv", "1\n4\n", isForScore: true),
    BrokenTable("huge.csv", rows(field: "1e300", at: (3, 1)), isForScore: true),
    BrokenTable("narrow.npy", NPY.bytes(of: .zeros([3])), isForScore: true),
    BrokenTable("words.csv", "b,a\nx,1\ny,2\n", isForScore: true),
    BrokenTable("dates.csv", "a,b\n1,2024-01-31\n2,2024-02-29\n", isForScore: true),
    BrokenTable("gap.csv", "a,b,c\n1,,3\n2,4,5\n", isForScore: true),
    BrokenTable("blank-name.csv", "a,b ,b2,\"b\" \n1,2,3,4\n", isForScore: true),
    BrokenTable("more-names.csv", "a,\"b,\",c\n1,2,3\n", isForScore: true),
  ]
}
