import Bijections
import Randomness
import Tensors

/// x' = x A: a linear field.
struct LinearField: VelocityField {
  let matrix: Tensor

  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    (
      ["matrix": .leaf(matrix.cast(to: site.dtype))],
      Velocity { params, x, _, _ in matmul(x, params["matrix"]) }
    )
  }
}

/// The optimal transport from a normal distribution to the standard one, on straight lines.
///
/// In the coordinates u = x Q along the axes of its covariance, u moves to (u − mean) / deviation. With
/// b = 1 / deviation, c = −b mean and m = 1 − t + t b, its potential is
/// Φ = Σ −½ (b − 1) (u − t c)² / m − c u + ½ c² t.
struct NormalTransport: VelocityField {
  let means, deviations: [Double]
  /// The orthogonal matrix Q of the axes; nil: those of x.
  var axes: Tensor?

  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let b = 1 / Tensor(deviations, dtype: site.dtype)
    let c = -(b * Tensor(means, dtype: site.dtype))
    let axes = axes ?? .identity(means.count, dtype: site.dtype)
    return (
      ["b": .leaf(b), "c": .leaf(c)],
      Velocity(
        { params, x, t, _ in
          let (b, c) = (params["b"], params["c"])
          let along = (b - 1) * (matmul(x, axes) - t * c) / (1 - t + t * b) + c
          return matmul(along, axes, transposeB: true)
        },
        closedForm: { params, x, t, _ in
          let (b, c) = (params["b"], params["c"])
          let m = 1 - t + t * b
          let offset = matmul(x, axes) - t * c
          // ∂Φ/∂t = Σ (b − 1) c (x − t c) / m + ½ (b − 1)² (x − t c)² / m² + ½ c²
          let slope = (b - 1) * c * offset / m + 0.5 * square((b - 1) * offset / m) + 0.5 * c * c
          let trace = ((b - 1) / m * Tensor.ones([x.rows, 1], dtype: x.dtype)).sumPerRow()
          return .init(
            velocity: matmul((b - 1) * offset / m + c, axes, transposeB: true), trace: trace,
            timeSlope: slope.sumPerRow())
        }, hasPotential: true)
    )
  }
}

/// x' = x², which reaches infinity in finite time.
struct ExplodingField: VelocityField {
  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    (["rate": .leaf(.ones([], dtype: site.dtype))], Velocity { params, x, _, _ in params["rate"] * x * x })
  }
}
