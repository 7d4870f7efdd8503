import CKernels
import Foundation
import Testing

private func check<T: Element>(_ name: String, _ y: [T], _ expected: [T]) {
  for (i, (a, b)) in zip(y, expected).enumerated() {
    #expect(a.isNaN ? b.isNaN : a == b && a.sign == b.sign, "\(name), case \(i): \(a), not \(b)")
  }
}

@Suite struct SpecialValueTests {
  @Test func single() { edges(Float.self) }
  @Test func double() { edges(Double.self) }

  func edges<T: Element>(_: T.Type) {
    let inf = T.infinity, nan = T.nan, tiny = T.leastNonzeroMagnitude,
      x: [T] = [0, -0.0, inf, -inf, nan, tiny, -tiny]
    let smallest: [T] = [tiny, -tiny]
    check("exp", T.unary(CK_EXP, x), [1, 1, inf, 0, nan, 1, 1])
    check("expm1", T.unary(CK_EXPM1, x), [0, -0.0, inf, -1, nan] + smallest)
    check("log", T.unary(CK_LOG, [0, -0.0, inf, -inf, nan, 1, -1]), [-inf, -inf, inf, nan, nan, 0, nan])
    check("log1p", T.unary(CK_LOG1P, x), [0, -0.0, inf, nan, nan] + smallest)
    check("log1p", T.unary(CK_LOG1P, [-1, -2]), [-inf, nan])
    check("tanh", T.unary(CK_TANH, x), [0, -0.0, 1, -1, nan] + smallest)
    check("sigmoid", T.unary(CK_SIGMOID, x), [0.5, 0.5, 1, 0, nan, 0.5, 0.5])
    check("softplus", T.unary(CK_SOFTPLUS, [inf, -inf, nan, 1000, -1000]), [inf, 0, nan, 1000, 0])
    check("erf", T.unary(CK_ERF, [0, -0.0, inf, -inf, nan]), [0, -0.0, 1, -1, nan])
    check(
      "erfinv", T.unary(CK_ERFINV, [0, -0.0, 1, -1, 1.5, -inf, nan]), [0, -0.0, inf, -inf, nan, nan, nan])
    check("sin", T.unary(CK_SIN, x), [0, -0.0, nan, nan, nan] + smallest)
    check("cos", T.unary(CK_COS, x), [1, 1, nan, nan, nan, 1, 1])
    check("atan", T.unary(CK_ATAN, x), [0, -0.0, T(Double.pi / 2), -T(Double.pi / 2), nan] + smallest)
    check("relu", T.unary(CK_RELU, [-1, 2, nan, inf, -inf]), [0, 2, nan, inf, 0])
    check("sign", T.unary(CK_SIGN, [-3, 4, nan, 0]), [-1, 1, nan, 0])
    check("sqrt", T.unary(CK_SQRT, [4, -1, inf, -0.0]), [2, nan, inf, -0.0])
    check("floor", T.unary(CK_FLOOR, [1.5, -1.5, inf]), [1, -2, inf])
    check("maximum", T.binary(CK_MAXIMUM, [1, nan, 2, -inf], [2, 1, nan, 0]), [2, nan, nan, 0])
    check("minimum", T.binary(CK_MINIMUM, [1, nan, 2, -inf], [2, 1, nan, 0]), [1, nan, nan, -inf])
    check("less", T.binary(CK_LESS, [1, nan, 2], [2, 1, 2]), [1, 0, 0])
    check("not equal", T.binary(CK_NOT_EQUAL, [1, nan, 2], [2, 1, 2]), [1, 1, 0])
    check("sqrt's derivative", T.binary(CK_D_SQRT, [2, 3], [4, 0]), [0.25, 0])
  }

  /// e^-100 and its like are kept although they are subnormal in `Float`.
  @Test func tails() {
    check("exp", Float.unary(CK_EXP, [-100]), [Float(exp(-100.0))])
    check("softplus", Float.unary(CK_SOFTPLUS, [-100, 100]), [Float(exp(-100.0)), 100])
    check("sigmoid", Float.unary(CK_SIGMOID, [-100]), [Float(exp(-100.0))])
  }

  /// C99's table for pow, by comparison with the C library's.
  @Test func powers() {
    let values: [Double] = [
      0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, .infinity, -.infinity, .nan, 16_777_215,
      -16_777_215,
    ]
    for x in values {
      for y in values {
        let exact = pow(x, y)
        check("pow(\(x), \(y))", Float.binary(CK_POW, [Float(x)], [Float(y)]), [Float(exact)])
        let found = Double.binary(CK_POW, [x], [y])[0]
        #expect(
          found == exact && found.sign == exact.sign || found.isNaN && exact.isNaN
            || abs(found - exact) <= exact.ulp,
          "pow(\(x), \(y)): \(found), not \(exact)")
      }
    }
  }
}
