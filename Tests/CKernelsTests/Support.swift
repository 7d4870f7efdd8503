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

/// The bits of each element, with one NaN for all: its sign and payload are nobody's promise.
func bits<T: Element>(_ x: [T]) -> [UInt64] {
  x.map { $0.isNaN ? .max : Double($0).bitPattern }
}
