import CKernels

/// The sets this machine has, best first. Every test of same bits runs on each.
let instructionSets: [String] = {
  let names: [String] = ["v4", "v3", "baseline"]
  return names.filter { name in ck_has_instruction_set(name) }
}()

/// A small generator of its own, so that a test's numbers never change.
struct Generator {
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15

  mutating func bits() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 2_685_821_657_736_338_717
  }

  /// Uniform in (-1, 1).
  mutating func double() -> Double { Double(Int64(bitPattern: bits()) >> 11) * 0x1p-52 }

  mutating func doubles(_ n: Int) -> [Double] { (0..<n).map { _ in double() } }
  mutating func floats(_ n: Int) -> [Float] { (0..<n).map { _ in Float(double()) } }

  /// Any bits at all: every binade, NaN and infinity.
  mutating func anyFloats(_ n: Int) -> [Float] {
    (0..<n).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: bits())) }
  }
  mutating func anyDoubles(_ n: Int) -> [Double] { (0..<n).map { _ in Double(bitPattern: bits()) } }
}

/// The two element types, with the functions of the C header under one name each.
protocol Element: BinaryFloatingPoint, Sendable {
  static var lanes: Int { get }
  static func random(_ n: Int, _ generator: inout Generator) -> [Self]
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Self]
  static func unary(_ f: ck_unary, _ x: [Self]) -> [Self]
  static func binary(_ f: ck_binary, _ a: [Self], _ b: [Self]) -> [Self]
  static func gemm(
    _ aT: Bool, _ bT: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: [Self], _ b: [Self], _ bias: [Self]?,
    _ f: ck_epilogue
  ) -> [Self]
  static func sumRows(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self]
  static func sumColumns(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self]
  static func maxRows(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self]
  static func maxColumns(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self]
  static func cumsum(_ x: [Self], _ rows: Int, _ columns: Int, reverse: Bool) -> [Self]
  static func transpose(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self]
  static func solve(
    lower: Bool, transposed: Bool, unit: Bool, _ n: Int, _ columns: Int, _ t: [Self], _ x: [Self]
  ) -> [Self]
  static func lu(_ n: Int, _ a: [Self]) -> (lu: [Self], permutation: [Int32], sign: Int32)
  static func qr(_ rows: Int, _ columns: Int, _ a: [Self]) -> (q: [Self], r: [Self])
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
}

/// The bits of each element, with one NaN for all: its sign and payload are nobody's promise.
func bits<T: Element>(_ x: [T]) -> [UInt64] {
  x.map { $0.isNaN ? .max : Double($0).bitPattern }
}
