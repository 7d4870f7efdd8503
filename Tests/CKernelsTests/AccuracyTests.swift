import CKernels
import Foundation
import Testing

/// Distance in units of the last place of the correctly rounded result, which counts half a unit too much or
/// too little.
private func steps(_ a: Double, _ b: Double) -> Int {
  if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
  let (i, j) = (ordered(a.bitPattern), ordered(b.bitPattern))
  return a.sign == b.sign ? Int((i - j).magnitude) : .max
}

private func ordered(_ bits: UInt64) -> Int { Int(bits & 0x7fff_ffff_ffff_ffff) }

private func units(_ y: Float, _ exact: Double) -> Double {
  let rounded = Float(exact)
  if y == rounded || (y.isNaN && rounded.isNaN) { return y.sign == rounded.sign || y.isNaN ? 0 : .infinity }
  if y.isNaN || rounded.isNaN { return .infinity }
  if y.isInfinite || rounded.isInfinite { return y.sign == rounded.sign ? 1 : .infinity }
  return abs(Double(y) - exact) / Double(max(rounded.ulp, Float.leastNonzeroMagnitude))
}

struct Function: Sendable, CustomTestStringConvertible {
  let name: String
  let opcode: ck_function
  let exact: @Sendable (Double) -> Double
  var testDescription: String { name }
}

private let functions: [Function] = [
  Function(name: "exp", opcode: CK_EXP, exact: { exp($0) }),
  Function(name: "expm1", opcode: CK_EXPM1, exact: { expm1($0) }),
  Function(name: "log", opcode: CK_LOG, exact: { log($0) }),
  Function(name: "log1p", opcode: CK_LOG1P, exact: { log1p($0) }),
  Function(name: "tanh", opcode: CK_TANH, exact: { tanh($0) }),
  Function(
    name: "sigmoid", opcode: CK_SIGMOID, exact: { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) }),
  Function(name: "softplus", opcode: CK_SOFTPLUS, exact: { ($0 < 0 ? 0 : $0) + log1p(exp(-abs($0))) }),
  Function(name: "erf", opcode: CK_ERF, exact: { erf($0) }),
  Function(name: "sin", opcode: CK_SIN, exact: { sin($0) }),
  Function(name: "cos", opcode: CK_COS, exact: { cos($0) }),
  Function(name: "atan", opcode: CK_ATAN, exact: { atan($0) }),
]

@Suite struct AccuracyTests {
  /// Every 5th value of the upper 16 bits, with lower bits mixed in: all binades, both signs, infinities and
  /// NaN.
  @Test(arguments: functions) func single(_ function: Function) {
    let x = stride(from: UInt32(0), to: 65536, by: 5).map {
      Float(bitPattern: $0 << 16 | ($0 &* 40503) & 0xffff)
    }
    let y = Float.unary(function.opcode, x)
    for (x, y) in zip(x, y) where units(y, function.exact(Double(x))) > 2 {
      Issue.record("\(function.name)(\(x)) gave \(y), not \(Float(function.exact(Double(x))))")
    }
  }

  @Test(arguments: [
    ("exp", CK_EXP, 1, expReference), ("expm1", CK_EXPM1, 2, expm1Reference),
    ("log", CK_LOG, 1, logReference),
    ("log1p", CK_LOG1P, 2, log1pReference), ("tanh", CK_TANH, 2, tanhReference),
    ("sigmoid", CK_SIGMOID, 2, sigmoidReference),
    ("softplus", CK_SOFTPLUS, 2, softplusReference), ("erf", CK_ERF, 2, erfReference),
    ("sin", CK_SIN, 2, sinReference),
    ("cos", CK_COS, 2, cosReference), ("atan", CK_ATAN, 2, atanReference),
    ("erfinv", CK_ERFINV, 64, erfinvDoubleReference),
  ]) func double(_ name: String, _ opcode: ck_function, _ limit: Int, _ reference: [UInt64]) {
    let x = stride(from: 0, to: reference.count, by: 2).map { Double(bitPattern: reference[$0]) }
    let y = Double.unary(opcode, x)
    for i in x.indices {
      let exact = Double(bitPattern: reference[2 * i + 1])
      #expect(steps(y[i], exact) <= limit, "\(name)(\(x[i])) gave \(y[i]), not \(exact)")
    }
  }

  @Test func erfinvSingle() {
    let x = stride(from: 0, to: erfinvSingleReference.count, by: 2).map {
      Float(Double(bitPattern: erfinvSingleReference[$0]))
    }
    let y = Float.unary(CK_ERFINV, x)
    for i in x.indices {
      let exact = Float(Double(bitPattern: erfinvSingleReference[2 * i + 1]))
      #expect(abs(y[i] - exact) <= 4 * exact.ulp, "erfinv(\(x[i])) gave \(y[i]), not \(exact)")
    }
  }

  @Test func power() {
    let at = stride(from: 0, to: powReference.count, by: 3)
    let x = at.map { Double(bitPattern: powReference[$0]) },
      e = at.map { Double(bitPattern: powReference[$0 + 1]) }
    let exact = at.map { Double(bitPattern: powReference[$0 + 2]) }
    let y = Double.binary(CK_POW, x, e)
    for i in x.indices {
      #expect(steps(y[i], exact[i]) <= 2, "pow(\(x[i]), \(e[i])) gave \(y[i]), not \(exact[i])")
    }
    var generator = Generator()
    let base = (0..<4000).map { _ in Float(exp(30 * generator.double())) }
    let exponent = (0..<4000).map { _ in Float(3 * generator.double()) }
    for (y, (x, e)) in zip(Float.binary(CK_POW, base, exponent), zip(base, exponent)) {
      #expect(units(y, pow(Double(x), Double(e))) <= 0.51)
    }
  }
}
