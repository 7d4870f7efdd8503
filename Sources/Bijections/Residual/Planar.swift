import Randomness
import Tensors

/// A bump along one direction: a residual layer with a single hidden unit.
///
/// Map: y = x + û tanh(w·x + b), over all D numbers of a sample, with û = u + (m(w·u) − w·u) w / |w|², so that w·û = m(w·u)
/// with m(a) = softplus(a + c) − 0.999 > −0.999: the map can be inverted whatever u is.
///
/// log|det J| = log(1 + m(w·u) (1 − tanh²(w·x + b))); O(D).
///
/// Inverse: α = w·x solves α + m tanh(α + b) = w·y, a strictly increasing equation in a known bracket (`inverseOfMonotone`,
/// 5 to 10 evaluations of one number a row); then x = y − û tanh(α + b). So the forward direction is the cheap one: put
/// `Inverted(Planar())` into a flow that is sampled from.
///
/// Parameters: `u` [D], 0 at first, where the layer is the identity; `w` [D], normal of deviation 1/√D; `b` [1], 0.
///
/// Domain: all reals. A context is ignored. Errors: none of its own.
///
/// Rezende & Mohamed 2015, *Variational Inference with Normalizing Flows*, arXiv 1505.05770, eqs. 10-12 and appendix A.1.
public struct Planar: Bijection {
  // The paper has m(a) = softplus(a) − 1, which rounds to −1 for a < −17 in float32, where the log-det is −∞: hence the margin
  // of 10⁻³. And its m(0) = −0.31 makes a layer that is not the identity at u = 0, with a jump of û at w = 0, since û − u has
  // the length (m − a) / |w|. With c = softplus⁻¹(0.999), m(0) = 0 and both are gone. In float32, m is off by 10⁻⁷ at most.

  /// A planar layer.
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
      let t = tanh((x.flatRows * unit.w).sumPerRow() + params["b"])
      return unit.moved(x, by: t, sign: 1)
    } inverse: { params, y, _ in
      let (unit, b) = (Unit(params), params["b"])
      let target = (y.flatRows * unit.w).sumPerRow()
      let reach = 2 * abs(unit.slope)
      let along = inverseOfMonotone(
        at: target, given: [unit.slope, b], between: (target - reach, target + reach)
      ) { along, parameters in
        let t = tanh(along + parameters[1])
        return (along + parameters[0] * t, 1 + parameters[0] * (1 - square(t)))
      }
      return unit.moved(y, by: tanh(along + b), sign: -1)
    }
  }

  /// The direction in which the layer moves points, constrained.
  private struct Unit {
    let w: Tensor
    let direction: Tensor
    /// w·û.
    let slope: Tensor

    init(_ params: Params) {
      let u = params["u"]
      w = params["w"]
      let (dot, norm) = ((w * u).sum(), square(w).sum())
      slope = softplus(dot + Unit.offset) - Unit.least
      direction = u + (slope - dot) / select(where: norm .> 0, norm, 1) * w
    }

    /// Points moved by t along the direction or against it, and the log-det of that.
    func moved(_ x: Tensor, by t: Tensor, sign: Double) -> (Tensor, Tensor) {
      let y = x.flatRows + sign * t.expanded(axis: 1) * direction
      return (y.reshaped(to: x.shape), sign * log1p(slope * (1 - square(t))))
    }

    static let least = 0.999
    /// c with softplus(c) = 0.999.
    static let offset = log(expm1(Tensor(least, dtype: .float64))).item
  }
}

extension Tensor {
  /// Rows as vectors, whatever a sample's shape.
  var flatRows: Tensor { reshaped(to: [rows, shape.sample.count]) }
}
