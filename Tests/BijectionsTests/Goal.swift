import Bijections
import Foundation
import Tensors
import Testing

/// An increasing function of one number, and a transformer that is fitted to it by least squares.
struct Goal: Sendable, CustomTestStringConvertible {
  let name: String
  let transformer: any Transformer
  let function: @Sendable (Double) -> Double

  var testDescription: String { "\(transformer.name), \(name)" }

  /// Numbers from −1 to 1 are carried to the points of the fit. They are dense where errors are large.
  let place: @Sendable (Double) -> Double

  static let all =
    goals([AUTM(units: 8), AUTM(units: 6), AUTM(units: 6)])
    + goals([UMNN(nodes: 20, lipschitz: 24), UMNN(nodes: 20)])

  /// Up to three functions, each with a transformer.
  private static func goals(_ transformers: [any Transformer]) -> [Goal] {
    let functions: [(String, @Sendable (Double) -> Double, @Sendable (Double) -> Double)] = [
      ("x + x³/3", { $0 + $0 * $0 * $0 / 3 }, { 3 * sin(.pi / 2 * $0) }),
      ("x + 0.9 sin x", { $0 + 0.9 * sin($0) }, { 3 * sin(.pi / 2 * $0) }),
      ("quantiles of a mixture", mixtureQuantile, { 3 * (0.3 * $0 + 0.7 * $0 * $0 * $0) }),
    ]
    return zip(functions, transformers).map { Goal(name: $0.0, transformer: $1, function: $0.1, place: $0.2) }
  }

  /// Raw parameters of least squared errors at the points, from zeros by the Levenberg-Marquardt method.
  ///
  /// The Jacobian is that of differences: the rows of one batch have one raw number changed each.
  func fitted() throws -> (raw: Tensor, steps: Int) {
    let (count, points) = (transformer.parameterCount, (-15...15).map { place(Double($0) / 15) })
    let goal = Tensor(points.map(function), dtype: .float64)
    func errors(_ raws: Tensor) -> Tensor {
      let rows = raws.rows * points.count
      let x = Tensor(points, shape: [1, points.count], dtype: .float64).broadcast(to: [
        raws.rows, points.count,
      ])
      let raw = raws.expanded(axis: 1).broadcast(to: [raws.rows, points.count, count])
      let y = transformer.forward(x.reshaped(to: [rows, 1]), raw.reshaped(to: [rows, count])).outputs
      return y.reshaped(to: x.shape) - goal
    }
    let (units, step) = (Tensor.identity(count, dtype: .float64), 1e-6)
    var (raw, damping) = (Tensor.zeros([1, count], dtype: .float64), 1.0)
    var residual = errors(raw)
    for iteration in 1...60 {
      let jacobian = (errors(raw + step * units) - residual) / step
      let normal = matmul(jacobian, jacobian, transposeB: true)
      let slope = matmul(jacobian, residual, transposeB: true)
      for _ in 0..<10 {
        let (packed, order) = lu(normal + damping * units)
        let half = triangularSolve(packed, slope.gathered(order, axis: 0), lower: true, unit: true)
        let next = raw - triangularSolve(packed, half, lower: false).transposed()
        let other = errors(next)
        if square(other).sum().item < square(residual).sum().item {
          (raw, residual, damping) = (next, other, max(damping / 5, 1e-9))
          break
        }
        damping *= 3
      }
      if abs(residual).doubles.max()! < 6e-4 { return (raw, iteration) }
    }
    return (raw, 60)
  }

  /// The derivative of `mixtureQuantile`, the ratio of the densities.
  static let mixtureSlope: @Sendable (Double) -> Double = { x in
    func normal(_ x: Double) -> Double { exp(-0.5 * x * x) }
    let y = mixtureQuantile(x)
    return normal(x) / (0.5 * (normal((y + 1.5) / 0.6) + normal((y - 1.5) / 0.6)) / 0.6)
  }

  /// The standard normal quantiles carried to those of ½ N(−1.5, 0.6²) + ½ N(1.5, 0.6²), by bisection.
  static let mixtureQuantile: @Sendable (Double) -> Double = { x in
    func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
    // Symmetric: the lower half is accurate in its tail.
    if x > 0 { return -mixtureQuantile(-x) }
    var (low, high) = (-10.0, 0.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      let mass = 0.5 * (normal((middle + 1.5) / 0.6) + normal((middle - 1.5) / 0.6))
      if mass < normal(x) { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }
}
