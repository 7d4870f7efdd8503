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

/// The optimal transport from independent normal numbers to standard ones: x moves to (x − mean) / deviation
/// on a straight line. With b = 1 / deviation, c = −b mean and m = 1 − t + t b, its potential is
/// Φ = Σ −½ (b − 1) (x − t c)² / m − c x + ½ c² t.
struct NormalTransport: VelocityField {
  let means, deviations: [Double]

  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let b = 1 / Tensor(deviations, dtype: site.dtype)
    let c = -(b * Tensor(means, dtype: site.dtype))
    return (
      ["b": .leaf(b), "c": .leaf(c)],
      Velocity(
        { params, x, t, _ in
          let (b, c) = (params["b"], params["c"])
          return (b - 1) * (x - t * c) / (1 - t + t * b) + c
        },
        closedForm: { params, x, t, _ in
          let (b, c) = (params["b"], params["c"])
          let m = 1 - t + t * b
          let offset = x - t * c
          // ∂Φ/∂t = Σ (b − 1) c (x − t c) / m + ½ (b − 1)² (x − t c)² / m² + ½ c²
          let slope = (b - 1) * c * offset / m + 0.5 * square((b - 1) * offset / m) + 0.5 * c * c
          let trace = ((b - 1) / m * Tensor.ones([x.rows, 1], dtype: x.dtype)).sumPerRow()
          return .init(
            velocity: (b - 1) * offset / m + c, trace: trace, timeSlope: slope.sumPerRow())
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
