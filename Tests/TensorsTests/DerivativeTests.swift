import Foundation
import Tensors
import Testing

/// A function with its derivatives at points, from Tests/Fixtures/make_derivatives.py.
private struct Case: Decodable, Sendable, CustomTestStringConvertible {
  struct Order: Decodable, Sendable {
    let values: [Double?]
    let conditions: [Double]
  }
  let name: String
  let x: [Double]
  let orders: [Order]

  var testDescription: String { name }

  static let all: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/derivatives.json")
    guard let data = try? Data(contentsOf: file),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { fatalError("cannot read \(file)") }
    return cases
  }()

  var function: (Tensor) -> Tensor {
    switch name {
    case "sigmoid": { sigmoid($0) }
    case "tanh": { tanh($0) }
    case "softplus": { softplus($0) }
    case "logSigmoid": { logSigmoid($0) }
    case "exp": { exp($0) }
    case "expm1": { expm1($0) }
    case "log": { log($0) }
    case "log1p": { log1p($0) }
    case "sqrt": { sqrt($0) }
    case "reciprocal": { reciprocal($0) }
    case "atan": { atan($0) }
    case "erf": { erf($0) }
    case "sin": { sin($0) }
    case "cos": { cos($0) }
    default: preconditionFailure("no function \(name)")
    }
  }

  /// The relative error that is allowed at a point. Near a zero of the derivative, where the condition number
  /// is far above |x|, it grows with that number. exp(−x²) in erf′ has the condition number 2x² itself.
  func tolerance(_ order: Int, _ i: Int, _ unit: Double) -> Double {
    let condition = orders[order].conditions[i]
    return condition > 4 * max(1, abs(x[i])) || name == "erf" ? unit * max(1, condition) : unit
  }
}

/// How a derivative is taken, from the function to its derivative.
private enum Mode: String, CaseIterable {
  case forward, reverse

  func derivative(_ f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
    switch self {
    case .forward: { x in jvp(at: x, along: .ones(x.shape, dtype: x.dtype), f).tangent }
    case .reverse: { x in gradient(at: x) { f($0).sum() } }
    }
  }
}

/// Derivatives keep their relative accuracy in the tails and near zeros.
@Suite struct DerivativeTests {
  /// Three orders, each transformation in either mode, in every order of nesting.
  @Test(arguments: Case.all) private func agreesWith40Digits(_ test: Case) {
    for modes in nestings {
      let order = modes.count
      let f = modes.reduce(test.function) { $1.derivative($0) }
      let found = f(Tensor(test.x, dtype: .float64)).doubles
      for (i, expected) in test.orders[order].values.enumerated() {
        guard let expected, expected != 0 else { continue }
        let error = abs(found[i] / expected - 1)
        #expect(
          error <= test.tolerance(order, i, 1e-14),
          "\(test.name), \(modes), at \(test.x[i]): \(found[i]), not \(expected)")
      }
    }
  }

  /// float32 has the same accuracy in its own digits, at points that it holds.
  @Test(arguments: Case.all) private func singleAgrees(_ test: Case) {
    let points = test.x.indices.filter { Double(Float(test.x[$0])) == test.x[$0] }
    for modes in nestings {
      let order = modes.count
      let f = modes.reduce(test.function) { $1.derivative($0) }
      let found = f(Tensor(points.map { test.x[$0] }, dtype: .float32)).doubles
      for (i, found) in zip(points, found) {
        guard let expected = test.orders[order].values[i],
          (Double(Float.leastNormalMagnitude)...Double(Float.greatestFiniteMagnitude)).contains(abs(expected))
        else { continue }
        #expect(
          abs(found / expected - 1) <= test.tolerance(order, i, 5e-6),
          "\(test.name), \(modes), at \(test.x[i]): \(found), not \(expected)")
      }
    }
  }
}

/// The values, and every nesting of up to three transformations.
private let nestings: [[Mode]] = {
  let more = { (shorter: [[Mode]]) in shorter.flatMap { modes in Mode.allCases.map { modes + [$0] } } }
  let (one, two) = (more([[]]), more(more([[]])))
  return [[]] + one + two + more(two)
}()
