import FuzzSupport
import Tensors
import Testing

@testable import Files

@Suite struct CSVFuzzTests {
  private static let seeds = [
    "a,b,c\n1,2,3\n4,5,6\n", "\u{FEFF}x;y\r\n1;2\r\n", "\"a\"\"b\",\"c\nd\"\n\"1\",\"-2e-3\"\n",
    "1e308\t-1e-400\t.5\n0\t00\t5.\n", "größe,重さ\nnan,inf\n,\n",
  ]
  private static let alphabet =
    Array(
      "0123456789.,;\t\"\"\"\n\n\r eE+-nainfxé\u{0}\u{FEFF}".utf8) + [0xFF, 0xC3, 0x80]

  /// Whatever the bytes, the answer is a finite table or a `FlowError`.
  @Test(arguments: 0..<4)
  func mutatedTextsNeverCrash(seed: UInt64) {
    var generator = Generator(seed: seed)
    var accepted = 0
    for _ in 0..<2_500 {
      var bytes = Array(CSVFuzzTests.seeds.randomElement(using: &generator)!.utf8)
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        mutate(&bytes, using: &generator)
      }
      let header = [CSV.Header.automatic, .present, .none].randomElement(using: &generator)!
      let separator = [CSV.Separator.comma, .tab, .semicolon].randomElement(using: &generator)!
      let columns = [nil, nil, nil, nil, nil, nil, ["a"], ["y", "x"]].randomElement(using: &generator)!
      let dtype = Bool.random(using: &generator) ? DType.float32 : .float64
      do throws(FlowError) {
        let table = try CSV.parse(
          bytes: bytes, header: header, columns: columns, separator: separator, dtype: dtype)
        accepted += 1
        #expect(table.values.doubles.allSatisfy(\.isFinite) && table.values.shape[0] > 0)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    #expect(accepted > 50)  // The mutations must not be so wild that only errors are tried.
  }

  private func mutate(_ bytes: inout [UInt8], using generator: inout Generator) {
    let place = Int.random(in: 0...bytes.count, using: &generator)
    let byte = CSVFuzzTests.alphabet.randomElement(using: &generator)!
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: bytes.insert(byte, at: place)
    case 1 where place < bytes.count: bytes[place] = byte
    case 2 where place < bytes.count: bytes.remove(at: place)
    default: bytes.insert(contentsOf: bytes[place...].prefix(5), at: place)
    }
  }

  /// The quick way for short numbers gives the same bits as the toolchain's parser.
  @Test func numbersAreTheNearest() {
    var generator = Generator(seed: 11)
    for _ in 0..<5_000 {
      let digits = String(
        Int.random(in: 0...(1 << Int.random(in: 1...60, using: &generator)), using: &generator))
      let point = Int.random(in: 0...digits.count, using: &generator)
      let text =
        "\(digits.prefix(point)).\(digits.dropFirst(point))e\(Int.random(in: -30...30, using: &generator))"
      let field = ArraySlice(text.utf8)
      #expect(DecimalText<Double>(field) == .number(Double(text)!), "\(text)")
      let float = Float(text)!
      #expect(DecimalText<Float>(field) == (float.isFinite ? .number(float) : .outOfRange), "\(text)")
    }
  }
}
