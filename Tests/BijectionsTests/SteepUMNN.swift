import Bijections
import Foundation
import Tensors

/// A UMNN that is built to be `Goal.mixtureQuantile`, whose slope changes by 13 within 0.1.
///
/// Least-squares fits from zeros end far off. Here units are dense where the map is steep, and linear least
/// squares find their sizes from the slope of the map.
enum SteepUMNN {
  private static let (units, lipschitz, rate) = (24, 3000.0, 60.0)

  static let transformer = UMNN(units: units, lipschitz: lipschitz, rate: rate)

  /// Numbers in −3...3, dense around 0.
  private static func places(_ count: Int) -> [Double] {
    (0..<count).map { i in
      let t = 2 * Double(i) / Double(count - 1) - 1
      return 3 * sinh(6 * t) / sinh(6)
    }
  }

  private static func spacing(_ x: [Double]) -> [Double] {
    x.indices.map { i in
      let (low, high) = (max(i - 1, 0), min(i + 1, x.count - 1))
      return (x[high] - x[low]) / Double(high - low)
    }
  }

  /// The a with elu(softplus(a + d) − 4) + 1 = f, where softplus(d) = 4.
  private static func argument(_ f: Double) -> Double {
    let z = f > 1 ? f - 1 : log(f)
    return log(expm1(z + 4)) - log(expm1(4.0))
  }

  /// The raw parameters, [74].
  static var raw: Tensor {
    let (centers, points) = (places(units), places(8 * units + 1))
    let rates = spacing(centers).map { min(max(0.8 / $0, 0.2), 0.95 * rate) }
    var (rows, goals): ([[Double]], [[Double]]) = ([], [])
    for (x, size) in zip(points, spacing(points)) {
      let weight = size.squareRoot()
      var row: [Double] = []
      for (b, c) in zip(rates, centers) { row.append(weight * (tanh(b * (x - c)) + tanh(b * c)) / b) }
      rows.append(row + [weight])
      goals.append([weight * argument(Goal.mixtureSlope(x))])
    }
    let solution = leastSquares(Tensor(rows, dtype: .float64), Tensor(goals, dtype: .float64))
    let slopes = Array(solution[0..<units])
    // s = r / √(1 + J |r|² / Λ²), solved for r.
    let share = 1 - Double(units) / (lipschitz * lipschitz) * slopes.reduce(0) { $0 + $1 * $1 }
    var raw = slopes.map { $0 / share.squareRoot() }
    for b in rates {
      let p = (b - 0.1) / (rate - 0.1)
      raw.append(log(p / (1 - p)) - log(0.9 / (rate - 1)))
    }
    for i in 0..<units {
      let constant = 4 * Double(i) / Double(units - 1) - 2
      raw.append(-rates[i] * centers[i] - constant)
    }
    return Tensor(raw + [solution[units], 0], dtype: .float64)
  }

  private static func leastSquares(_ matrix: Tensor, _ goal: Tensor) -> [Double] {
    let transposed = matrix.transposed()
    let normal = matmul(transposed, matrix) + 1e-9 * Tensor.identity(matrix.shape[1], dtype: .float64)
    let (packed, order) = lu(normal)
    let right = matmul(transposed, goal).gathered(order, axis: 0)
    let half = triangularSolve(packed, right, lower: true, unit: true)
    return triangularSolve(packed, half, lower: false).doubles
  }
}
