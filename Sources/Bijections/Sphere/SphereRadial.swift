import Randomness
import Tensors

/// A radial map of the sphere: it turns points towards a centre along great circles.
///
/// Map, for unit vectors x of n numbers, a centre μ and c = x·μ: x moves by the angle δ = g sin θ towards
/// μ, where θ is its angle to μ and g = α exp(β (c − 1)). So y = k x + g sinc(δ) μ with k = cos δ − c g
/// sinc(δ), which is the exponential map of the gradient of the potential α/β · exp(β (x·μ − 1)).
///
/// log|det J| = log(1 − g (c − β sin² θ)) + (n − 2) log k with respect to areas of the sphere; O(n). The
/// first term is that of θ ↦ θ − δ, which rises for α < 1, and k = sin(θ − δ) / sin θ is the ratio of the
/// circles' lengths.
///
/// Inverse: θ from θ − δ by `inverseOfMonotone`, and then the opposite turn; some dozens of evaluations for
/// one number per row. `Inverted(SphereRadial())` turns points away from a centre.
///
/// Parameters: `center` [n], of any length, with μ its direction, normal at first; `strength` [1], with
/// α = 0.99 σ(strength), −2 at first; `logConcentration` [1], with β = exp, 0 at first.
///
/// Domain: vectors of length 1, to 10⁻⁴, and the codomain the same. Errors: `mismatch` for samples that are
/// not vectors of at least two numbers.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, the section on
/// exponential-map flows, with one centre a layer instead of a sum.
public struct SphereRadial: Bijection {
  /// Makes a radial map.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, sphere) = (site.channels, Domain(site.inputDim, .unitVectors))
    try site.expect(
      site.inputDim.rank == 1 && size > 1, "SphereRadial", "inputDim", "a vector of at least two numbers")
    let params: Params = [
      "center": .leaf(key.normal([size]).cast(to: site.dtype)),
      "strength": .leaf(.full([1], -2, dtype: site.dtype)),
      "logConcentration": .leaf(.zeros([1], dtype: site.dtype)),
    ]
    return site.layer("SphereRadial", params, from: sphere, to: sphere) { params, x, _ in
      let pull = SpherePull(params)
      // 1 − c without cancellation.
      let turn = pull.turn(0.5 * square(x - pull.center).sum(axis: 1, keepDims: true))
      return (turn.stay * x + turn.move * pull.center, turn.logDet(size))
    } inverse: { params, y, _ in
      let pull = SpherePull(params)
      let turn = pull.turn(2 * square(sin(0.5 * pull.angle(before: y))))
      // x = (y − g sinc(δ) μ) / k
      return ((y - turn.move * pull.center) / turn.stay, -turn.logDet(size))
    }
  }
}

/// The parameters of a radial map.
private struct SpherePull {
  let center, strength, concentration: Tensor

  init(_ params: Params) {
    let direction = params["center"]
    center = direction / sqrt(square(direction).sum())
    (strength, concentration) = (0.99 * sigmoid(params["strength"]), exp(params["logConcentration"]))
  }

  /// The coefficients of the map, and the two factors of its determinant, [rows, 1] each.
  struct Turn {
    let stay, move, slope: Tensor

    func logDet(_ size: Int) -> Tensor { (log(slope) + Double(size - 2) * log(stay)).sumPerRow() }
  }

  /// The turn of points with 1 − cos θ = `height`, [rows, 1].
  func turn(_ height: Tensor) -> Turn {
    let (cosine, square) = (1 - height, height * (2 - height))
    let g = strength * exp(-concentration * height)
    let (cos, sinc) = cosineAndSinc(ofRoot: g * g * square)
    return Turn(
      stay: cos - cosine * g * sinc, move: g * sinc, slope: 1 - g * (cosine - concentration * square))
  }

  /// The angle θ of the point that the map turns to y, [rows, 1].
  func angle(before y: Tensor) -> Tensor {
    let height = (y * center).sum(axis: 1, keepDims: true)
    let radius = sqrt(square(y - height * center).sum(axis: 1, keepDims: true))
    let angle = planeAngle(height, radius)
    let ends = (
      lower: Tensor.zeros(angle.shape, dtype: y.dtype), upper: Tensor.full(angle.shape, .pi, dtype: y.dtype)
    )
    return inverseOfMonotone(at: angle, given: [strength, concentration], between: ends) {
      angle, parameters in
      let (height, sine) = (2 * square(sin(0.5 * angle)), sin(angle))
      let g = parameters[0] * exp(-parameters[1] * height)
      return (angle - g * sine, 1 - g * (1 - height - parameters[1] * square(sine)))
    }
  }
}

/// cos √q and sin √q / √q for q ≥ 0, with derivatives at 0.
private func cosineAndSinc(ofRoot q: Tensor) -> (Tensor, Tensor) {
  let isSmall = q .< 1e-4
  let root = sqrt(select(where: isSmall, 1, q))
  let cosine = 1 - q * (1.0 / 2 - q * (1.0 / 24 - q / 720))
  let sinc = 1 - q * (1.0 / 6 - q * (1.0 / 120 - q / 5040))
  return (select(where: isSmall, cosine, cos(root)), select(where: isSmall, sinc, sin(root) / root))
}
