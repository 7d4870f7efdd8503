import Bijections
import Randomness
import Tensors

/// A distribution of independent angles, each von Mises, the analogue of a normal distribution on the circle.
///
/// log p(x) = Σ (κ cos(x − location) − log(2π I₀(κ))) with κ = exp(logConcentration). It is computed as Σ
/// (−2κ sin²(½(x − location)) − log(2π e^(−κ) I₀(κ))), without cancellation for large κ. The density has
/// period 2π and mass 1 per turn. The cost is O(D).
///
/// Draws are in [−π, π) and exact for every κ. They are made by rejection from a wrapped Cauchy distribution,
/// in rounds with their own keys until all numbers are accepted. A round accepts at least 65 %. A number that
/// is rejected 64 times (with probability 10⁻²⁹) takes its last proposal. Draws are differentiable by both
/// parameters.
///
/// Parameters: `location` and `logConcentration`, of a sample's shape, learned or frozen leaves, 0 unless
/// given.
///
/// Domain: all reals, as angles. A context is ignored. Errors: `mismatch` for a value that does not
/// broadcast to a sample, a concentration that is not positive, or values that the dtype cannot hold. Values
/// that are not finite give `notFinite`.
///
/// Best & Fisher 1979, *Efficient simulation of the von Mises distribution*, Appl. Statist. 28, section 3.
public struct VonMises: Distribution {
  private let location: Parameter
  private let concentration: Parameter

  /// Makes a distribution with a location and a concentration, each given or learned.
  public init(location: Parameter = 0, concentration: Parameter = 1) {
    self.location = location
    self.concentration = concentration
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let boundary = site.boundary("VonMises")
    return (
      [
        "location": try location.location(of: "VonMises", key.folded(in: 0), at: site),
        "logConcentration": try concentration.logarithm(
          "concentration", of: "VonMises", key.folded(in: 1), at: site),
      ],
      LogPDF(boundary) { params, x, _ in
        logDensity(x - params["location"], exp(params["logConcentration"]))
      },
      Sampler(boundary) { key, params, count, _ in
        let concentration = exp(params["logConcentration"])
        let shape = site.inputDim.batched(count)
        let constant = draw(key, concentration.detached, shape)
        let angle =
          constant.isSymbolic
          ? constant : ImplicitDraw.vonMises(concentration.broadcast(to: shape), constant)
        return (wrapped(params["location"] + angle), logDensity(angle, concentration))
      }
    )
  }
}

private let turn = 2 * Double.pi

private func logDensity(_ angle: Tensor, _ concentration: Tensor) -> Tensor {
  let constant = logScaledBesselI0(concentration) + logarithm(turn)
  return -2 * (concentration * square(sin(0.5 * angle))).sumPerRow() - constant.sum()
}

private func wrapped(_ angle: Tensor) -> Tensor { angle - turn * floor((angle + .pi) / turn) }

/// Draws angles around 0.
///
/// The envelope is a wrapped Cauchy density, proportional to 1 / (r − cos θ). Its draws are θ = 2 atan(s · C)
/// with C a standard Cauchy number and s² = (r − 1) / (r + 1). Let c = κ(r − cos θ). Then e^(κ cos θ) (r −
/// cos θ) ∝ c e^(−c) has its maximum at c = 1, and a proposal is accepted with probability c e^(1 − c). The
/// optimal r solves κ r² − r − κ = 0, so κr = ½(1 + √(1 + 4κ²)); in the paper's notation r = (1 + ρ²) / 2ρ.
/// The excess κ(r − 1) avoids cancellation:
///
///     excess = ½(1 + √(1 + 4κ²)) − κ = ½(1 + 1 / (√(1 + 4κ²) + 2κ)),   s² = excess / (excess + 2κ),
///     c = excess + κ(1 − cos θ) = excess + 2κ t² / (1 + t²)   with t = tan ½θ = s · C.
private func draw(_ key: Key, _ concentration: Tensor, _ shape: Shape) -> Tensor {
  DrawTrace.current?.refuse("von Mises numbers, which are made by rejection")
  let excess = 0.5 * (1 + 1 / (sqrt(1 + 4 * square(concentration)) + 2 * concentration))
  let s = sqrt(excess / (excess + 2 * concentration))
  let dtype = concentration.dtype
  var (angle, isAccepted) = (Tensor.zeros(shape, dtype: dtype), Tensor.zeros(shape, dtype: dtype))
  for round in 0..<64 where isAccepted.doubles.contains(0) {
    let key = key.folded(in: round)
    let t = s * key.folded(in: 0).cauchy(shape, dtype: dtype)
    let c = excess + 2 * concentration * (square(t) / (1 + square(t)))
    angle = select(where: isAccepted, angle, 2 * atan(t))
    let accepts = key.folded(in: 1).exponential(shape, dtype: dtype) .>= c - 1 - log(c)
    isAccepted = maximum(isAccepted, accepts)
  }
  return angle
}
