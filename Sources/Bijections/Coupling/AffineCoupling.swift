/// One half of the channels scales and shifts the other half.
///
/// Map: with x = (a, b), a the first ⌊D/2⌋ channels, and (r, t) = net(a, context): y = (a, b · exp(s(r)) + t).
///
/// log|det J| = Σ s(r), a row; the network's cost.
///
/// Inverse: b = (y_b − t) · exp(−s(r)), with the same r and t since a passes; the same cost.
///
/// Parameters: `net`. Its last layer starts at zero by default (see `MLP`), and the coupling as a constant scaling: the
/// identity for `.bounded` and `.exponential`.
///
/// Domain: all reals. Errors: those of the network for shapes it cannot take. With D = 1 nothing passes, and the
/// coupling depends on the context alone.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, eqs. 4-8.
public struct AffineCoupling: Bijection {
  /// How the network's output r becomes the logarithm of the scale.
  public enum Scale: Sendable, Hashable {
    /// c · tanh(r / c): smooth, within ±c, so neither direction can blow up.
    case bounded(Double)
    /// r itself, as the paper and jax-flows have it.
    case exponential
    /// log sigmoid(r + shift): a contraction, as Glow's code has it with shift 2.
    case sigmoid(shift: Double)

    func logScale(_ r: Tensor) -> Tensor {
      switch self {
      case .bounded(let bound): bound * tanh(r / bound)
      case .exponential: r
      case .sigmoid(let shift): logSigmoid(r + shift)
      }
    }
  }

  private let network: any Network
  private let scale: Scale

  /// A coupling whose scale and shift the network gives.
  public init(_ network: any Network, scale: Scale = .bounded(2)) {
    self.network = network
    self.scale = scale
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (halves, scale) = (Halves(site), scale)
    let width = halves.transformed
    let (params, net) = try site.conditioner(network, key, inputs: halves.cut, outputs: 2 * width)

    @Sendable func scaleAndShift(_ params: Params, _ a: Tensor, _ context: Tensor?) -> (s: Tensor, t: Tensor) {
      let output = net(params.child("net"), a, context)
      return (scale.logScale(output.sliced(axis: -1, 0..<width)), output.sliced(axis: -1, width..<2 * width))
    }
    return site.layer("AffineCoupling", ["net": params]) { params, x, context in
      let (a, b) = halves.split(x)
      let (s, t) = scaleAndShift(params, a, context)
      return (halves.join(a, b * exp(s) + t), s.sumPerRow())
    } inverse: { params, y, context in
      let (a, b) = halves.split(y)
      let (s, t) = scaleAndShift(params, a, context)
      return (halves.join(a, (b - t) * exp(-s)), -s.sumPerRow())
    }
  }
}
