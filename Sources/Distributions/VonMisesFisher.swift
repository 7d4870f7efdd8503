import Bijections
import Randomness
import Tensors

/// The von Mises-Fisher distribution on the sphere in three dimensions, the analogue of a normal
/// distribution.
///
/// log p(x) = κ μ·x − log(4π sinh(κ) / κ) with respect to areas of the sphere, with μ = direction /
/// |direction| and κ = exp(logConcentration). It is computed as −½ κ |x − μ|² − log(2π (1 − e^(−2κ)) / κ),
/// without cancellation for large κ; −∞ for vectors whose length is not 1, to 10⁻⁴.
///
/// Draws: the height along μ is 1 + log(u + (1 − u) e^(−2κ)) / κ for a uniform u, the angle around μ is
/// uniform, and a reflection brings the pole to μ. They are exact for every κ, and differentiable by
/// direction and concentration.
///
/// Parameters: `direction` [3], of any length but 0, (0, 0, 1) unless given, and `logConcentration` [1], 0
/// unless given, learned or frozen.
///
/// Domain: all reals; the density is 0 off the sphere. A context is ignored. Errors: `mismatch` for samples
/// that are not three numbers, a direction of length 0 or a concentration that is not positive;
/// `notFinite`.
///
/// Fisher 1953, *Dispersion on a sphere*, Proc. R. Soc. A 217. The height is in closed form in three
/// dimensions only (Ulrich 1984, Appl. Statist. 33).
public struct VonMisesFisher: Distribution {
  private let direction, concentration: Parameter

  /// Makes a distribution with a direction and a concentration, each given or learned.
  public init(direction: Parameter = [0, 0, 1], concentration: Parameter = 1) {
    (self.direction, self.concentration) = (direction, concentration)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let who = "VonMisesFisher"
    try site.expect(site.inputDim == [3], who, "inputDim", "[3]")
    let pole = Tensor([0, 0, 1], dtype: .float64)
    let start = try direction.value("direction", of: who, key.folded(in: 0), neutral: pole)
    if start.doubles.allSatisfy({ $0 == 0 }) {
      throw .mismatch(who: who, what: "direction", expected: "a length above 0", got: "\(start.doubles)")
    }
    var one = site
    one.inputDim = 1
    return (
      [
        "direction": direction.leaf(start, at: site),
        "logConcentration": try concentration.logarithm("concentration", of: who, key.folded(in: 1), at: one),
      ],
      LogPDF(site.boundary(who, Domain([3], .unitVectors))) { params, x, _ in logDensity(params, x) },
      Sampler(site.boundary(who)) { key, params, count, _ in
        let x = draw(key, params, count, site.dtype)
        return (x, logDensity(params, x))
      }
    )
  }
}

private func mean(_ params: Params) -> Tensor {
  let direction = params["direction"]
  return direction / sqrt(square(direction).sum())
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let concentration = exp(params["logConcentration"])
  let constant = log(-expm1(-2 * concentration)) - params["logConcentration"] + logarithm(2 * .pi)
  return -0.5 * concentration * square(x - mean(params)).sumPerRow() - constant
}

private func draw(_ key: Key, _ params: Params, _ count: Int, _ dtype: DType) -> Tensor {
  let concentration = exp(params["logConcentration"])
  // u = 0 stands for the numbers below the next one. Its logarithm would have no derivative.
  let u = maximum(key.folded(in: 0).uniform([count], dtype: dtype), 0.5 * dtype.epsilon)
  let fall = maximum(log1p((1 - u) * expm1(-2 * concentration)) / concentration, -2)
  let radius = sqrt(-fall * (2 + fall))
  let angle = 2 * .pi * key.folded(in: 1).uniform([count], dtype: dtype)
  let x = stack([radius * cos(angle), radius * sin(angle), 1 + fall], axis: 1)
  // The reflection I − 2 v vᵀ / |v|² with v = μ − e₃ or, for a μ near e₃, −(I − 2 v vᵀ / |v|²) with v = μ +
  // e₃ exchanges e₃ and μ.
  let (mean, pole) = (mean(params), Tensor([0, 0, 1], dtype: dtype))
  let isNear = mean.detached.doubles[2] > 0
  let v = isNear ? mean + pole : mean - pole
  let along = (x * v).sum(axis: 1, keepDims: true) / square(v).sum()
  return isNear ? 2 * along * v - x : x - 2 * along * v
}
