import Files
import Tensors

/// A format that files can lie in: valid files to start from, and the parser that must survive what becomes
/// of them.
public struct Format: Sendable {
  /// What the format is called.
  public let name: String
  let seeds: [[UInt8]]
  /// Bytes and words that matter to the format.
  let dictionary: [[UInt8]]
  /// Parses a file; throws only a `FlowError`.
  let parse: @Sendable ([UInt8]) throws(FlowError) -> Int
  /// Makes a mutated file pass the first guard, where there is one, so that what lies behind it is reached
  /// too.
  var repair: @Sendable (inout [UInt8]) -> Void = { _ in }

  /// Every format that the library reads.
  public static let all = [csv, textTable, npy, npz, safeTensors]

  /// Tables whose separator, decimal mark and header the reader finds.
  static let textTable = Format(
    name: "text table",
    seeds: csv.seeds + ["a|b\n1,5|x\n2|\"y\nz\"\n", ",x\n0,1\n1,2\n"].map { Array($0.utf8) },
    dictionary: csv.dictionary + ["|", "\n\n", "1,5", "#1"].map { Array($0.utf8) } + [
      [0xFF, 0xFE], [0x1F, 0x8B],
    ]
  ) { (bytes) throws(FlowError) in
    let table = try TextTable.parse(bytes: bytes)
    require(table.rows > 0 && Set(table.names).count == table.width, "a table has rows and distinct names")
    for row in 0..<table.rows {
      for column in 0..<table.width {
        if case .number(let number) = table.value(row: row, column: column) {
          require(number.isFinite, "numbers are finite")
        }
        _ = table.text(row: row, column: column)
      }
    }
    return table.rows * table.width
  }

  static let csv = Format(
    name: "csv",
    seeds: [
      "a,b,c\n1,2,3\n4,5,6\n", "\u{FEFF}x;y\r\n1;2\r\n", "\"a\"\"b\",\"c\nd\"\n\"1\",\"-2e-3\"\n",
      "1e308\t-1e-400\t.5\n0\t00\t5.\n", "größe,重さ\nnan,inf\n,\n",
    ].map { Array($0.utf8) },
    dictionary: [
      ",", ";", "\t", "\"", "\"\"", "\n", "\r\n", "1e999", "-", "nan", "\u{FEFF}", "é",
      "9999999999999999999999",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0]]
  ) { (bytes) throws(FlowError) in
    let dtype = bytes.count % 2 == 0 ? DType.float32 : .float64
    let separator: CSV.Separator = [.comma, .tab, .semicolon][bytes.count / 2 % 3]
    let table = try CSV.parse(bytes: bytes, separator: separator, dtype: dtype)
    require(table.values.isFinite && table.values.rows > 0, "a table holds rows of finite numbers")
    return table.values.count
  }

  static let npy = Format(
    name: "npy",
    seeds: samples.map(NPY.bytes) + [
      header("{'descr': '>i8', 'fortran_order': True, 'shape': (2, 3), }", content: 48),
      header("{'descr': '<f2', 'fortran_order': True, 'shape': (2, 1, 3), }", content: 12),
      header("{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }", content: 7),
    ],
    dictionary: [
      "'", "(", ")", ",", "True", "False", "<f4", ">f8", "|O", "<u8", "99999999999999999", "2147483647", "0",
      "'shape': (", "L", "{", "}", "[('a', '<f4')]",
    ].map { Array($0.utf8) } + lies
  ) { (bytes) throws(FlowError) in
    let tensor = try NPY.parse(bytes: bytes, dtype: [nil, .float32, .float64][bytes.count % 3])
    require(tensor.count <= bytes.count, "an array has no more numbers than its file bytes")
    return tensor.count
  }

  static let npz = Format(
    name: "npz",
    seeds: [
      NPZ(samples.enumerated().map { ("\($0.offset)", $0.element) }).bytes, NPZ(["größe": samples[1]]).bytes,
      NPZ([:]).bytes, deflated,
    ],
    dictionary: ["PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", ".npy"].map { Array($0.utf8) } + lies
  ) { (bytes) throws(FlowError) in
    let archive = try NPZ.parse(bytes: bytes, limit: 1 << 16)
    let count = archive.members.reduce(0) { $0 + $1.value.count }
    require(count <= 1 << 16, "an archive expands to no more than its limit")
    return count
  }

  static let safeTensors = Format(
    name: "safetensors",
    seeds: [
      SafeTensors(
        ["layer": ["weight": .leaf(samples[0]), "order": .frozen(samples[1])], "scale": .leaf(samples[2])],
        metadata: ["architecture": "nsf", "größe": "a\nb"]
      ).bytes,
      SafeTensors([("", samples[3])]).bytes, SafeTensors([]).bytes,
      jsonFile(#"{"a\u00e9\ud83d\ude00":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#, content: 4),
    ],
    dictionary: [
      "\"", "{", "}", "[", "]", ":", ",", "\\u", "\\ud800", "null", "1e999", "-1", "9223372036854775807",
      "\"dtype\":\"I64\"", "F16", "BOOL", "__metadata__", "[[[[[[[[[[[[", "\"shape\":[2147483647,2147483647]",
    ].map { Array($0.utf8) } + lies,
    parse: { (bytes) throws(FlowError) in
      let file = try SafeTensors.parse(bytes: bytes)
      require(file.tensors.allSatisfy { $0.value.count <= bytes.count }, "no more numbers than bytes")
      return file.tree.leaves.count
    },
    repair: { bytes in
      // The header's length, so that it ends where its last brace stands.
      guard bytes.count > 8, let end = bytes.lastIndex(of: 0x7D), end >= 8 else { return }
      for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: (end - 7) >> (8 * i)) }
    })

  private static let samples = [
    Tensor([1, -2, 0.5, 3, 4, 5], shape: [2, 3]), Tensor(ints: [2, 0, 1]),
    Tensor([1, .infinity, .nan, 1e300], dtype: .float64), Tensor(7), Tensor([], shape: [0, 3]),
  ]

  /// Numbers that a header lies with.
  private static let lies: [[UInt8]] = [
    [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF], [0, 0, 0, 0x80],
    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0], [8, 0], [1, 0, 0, 0],
  ]

  private static func header(_ text: String, content: Int) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      + (0..<content).map { UInt8($0 % 2) }
  }

  private static func jsonFile(_ text: String, content: Int) -> [UInt8] {
    [UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8) + [UInt8](repeating: 1, count: content)
  }
}
