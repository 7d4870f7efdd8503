import Randomness
import Tensors

/// A planar layer: a residual layer with a single hidden unit, which moves points along one direction.
///
/// Map: y = x + û tanh(w·x + b) over all D numbers of a sample, with û = u + (m(w·u) − w·u) w / |w|². So
/// w·û = m(w·u) with m(a) = softplus(a + c) − 0.999 > −0.999, and the map is invertible for every u.
///
/// log|det J| = log(1 + m(w·u) (1 − tanh²(w·x + b))); O(D).
///
/// Inverse: α = w·x is the root of the increasing function α + m tanh(α + b) − w·y in a known bracket.
/// `inverseOfMonotone` finds it in 5 to 10 evaluations of one number per row. Then x = y − û tanh(α + b).
/// The forward direction is cheaper, so use `Inverted(Planar())` in a flow that is sampled from.
///
/// Parameters: `u` [D], 0 at first, which gives the identity; `w` [D], normal with standard deviation 1/√D;
/// `b` [1], 0.
///
/// Domain: all reals. A context is ignored. Errors: none of its own.
///
/// Rezende & Mohamed 2015, *Variational Inference with Normalizing Flows*, arXiv 1505.05770, eqs. 10-12 and
/// appendix A.1.
public struct Planar: Bijection {
  // The paper's m(a) = softplus(a) − 1 rounds to −1 for a < −17 in float32, and the log-det becomes −∞. The
  // margin of 10⁻³ prevents this. Also, the paper's m(0) = −0.31 makes a layer that is not the identity at
  // u = 0. Then û jumps at w = 0, since û − u has the length (m − a) / |w|. With c = softplus⁻¹(0.999),
  // m(0) = 0, and both problems disappear. In float32, m has an error of at most 10⁻⁷.

  /// Makes a planar layer.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.inputDim.count
    let w = key.normal([size]) / Double(size).squareRoot()
    let params: Params = [
      "u": .leaf(.zeros([size], dtype: site.dtype)), "w": .leaf(w.cast(to: site.dtype)),
      "b": .leaf(.zeros([1], dtype: site.dtype)),
    ]
    return site.layer("Planar", params) { params, x, _ in
      let unit = Unit(params)
      return unit.moved(x, by: (x.flatRows * unit.w).sumPerRow() + params["b"], sign: 1)
    } inverse: { params, y, _ in
      let (unit, b) = (Unit(params), params["b"])
      let target = (y.flatRows * unit.w).sumPerRow()
      let reach = 2 * abs(unit.slope)
      let along = inverseOfMonotone(
        at: target, given: [unit.slope, b], between: (target - reach, target + reach)
      ) { along, parameters in
        let a = along + parameters[1]
        return (along + parameters[0] * tanh(a), 1 + parameters[0] * tanhSlope(a))
      }
      return unit.moved(y, by: along + b, sign: -1)
    }
  }

  /// The constrained direction in which the layer moves points.
  private struct Unit {
    let w: Tensor
    let direction: Tensor
    /// The product w·û.
    let slope: Tensor

    init(_ params: Params) {
      let u = params["u"]
      w = params["w"]
      let (dot, norm) = ((w * u).sum(), square(w).sum())
      slope = softplus(dot + Unit.offset) - Unit.least
      direction = u + (slope - dot) / select(where: norm .> 0, norm, 1) * w
    }

    /// Moves points by tanh(a) along the direction or against it, and computes the log-det.
    func moved(_ x: Tensor, by a: Tensor, sign: Double) -> (Tensor, Tensor) {
      let y = x.flatRows + sign * tanh(a).expanded(axis: 1) * direction
      return (y.reshaped(to: x.shape), sign * log1p(slope * tanhSlope(a)))
    }

    static let least = 0.999
    /// The number c with softplus(c) = 0.999.
    static let offset = log(expm1(Tensor(least, dtype: .float64))).item
  }
}

extension Tensor {
  /// The rows as vectors.
  var flatRows: Tensor { reshaped(to: [rows, shape.sample.count]) }
}
