import Networks
import Randomness
import Tensors

/// A residual layer: the sample plus a contraction of it, an invertible residual network.
///
/// Map: y = x + g(x, context) over all D numbers of a sample, where g is a `SpectralMLP` with a Lipschitz
/// constant L < 1 in x.
///
/// log|det J| = log|det(I + ∂g/∂x)| by Gaussian elimination, exact. Cost: D tangents through the network, and
/// O(D³). `RouletteLikelihood` estimates it in training for large D.
///
/// Inverse: fixed-point steps x ← y − g(x), each row until it has converged, and Newton's method at the end;
/// exact to rounding. Beyond 64 dimensions fixed-point steps alone, about log ε / log L of them. A row is NaN
/// where no inverse is found. The derivative is that of the implicit function theorem.
///
/// Parameters: `net`, as of `SpectralMLP`. Its last layer starts at zero by default, which gives the
/// identity. Both mappings update its frozen vectors `u` and `v` by 5 power iterations, whatever the
/// batch (`updatingStatistics`). `fit` does so at each step. The vectors lag behind the weights, and the
/// coefficient of the network is the margin: `lipschitzBound` states what holds. `MovingAverage`
/// does not average them: update them once more afterwards.
///
/// Domain: all reals. Errors: those of the network.
///
/// Behrmann, Grathwohl, Chen, Duvenaud & Jacobsen 2019, *Invertible residual networks*, arXiv 1811.00995,
/// theorem 1 and algorithm 1; Chen, Behrmann, Duvenaud & Jacobsen 2019, *Residual flows for invertible
/// generative modeling*, arXiv 1906.02735.
public struct ResidualFlow: Bijection {
  private let network: SpectralMLP

  /// Makes a residual layer of a network with a bounded Lipschitz constant.
  public init(_ network: SpectralMLP) { self.network = network }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.inputDim.count
    let contexts = site.contextDim?.count ?? 0
    let network = network.conditioned(on: contexts)
    let (net, _) = try network.initialize(
      key, inputDim: [size + contexts], outputDim: [size], dtype: site.dtype)
    let search = ContractionInverse(lipschitz: network.lipschitz)

    @Sendable func contraction(_ params: Params, _ context: Tensor?) -> LipschitzFunction {
      network.function(params.child("net"), given: context?.flatRows)
    }
    @Sendable func logDet(_ jacobian: Tensor) -> Tensor {
      Elimination(of: jacobian + .identity(size, dtype: jacobian.dtype), pivots: false).logAbsDeterminants
    }
    var (params, forward, inverse) = site.layer("ResidualFlow", ["net": net]) { params, x, context in
      let (g, jacobian) = contraction(params, context).valueAndJacobian(x.flatRows)
      return (x + g.reshaped(to: x.shape), logDet(jacobian))
    } inverse: { params, y, context in
      let g = contraction(params, context)
      let x = search(y.flatRows, g)
      return (x.reshaped(to: y.shape), -logDet(g.valueAndJacobian(x).jacobian))
    }
    let statistics: @Sendable (Params) throws(FlowError) -> Params = { (params) throws(FlowError) in
      try params.replacing("net", by: network.updatingNorms(params.child("net")))
    }
    forward = forward.updating(by: statistics).estimated { (params, x, context, roulette) throws(FlowError) in
      let (g, logDet) = roulette.estimate(contraction(params, context), at: x.flatRows)
      return (x + g.reshaped(to: x.shape), logDet)
    }
    inverse = inverse.updating(by: statistics)
    forward.outputsAlone = { (params, x, context) throws(FlowError) in
      x + contraction(params, context)(x.flatRows).reshaped(to: x.shape)
    }
    inverse.outputsAlone = { (params, y, context) throws(FlowError) in
      search(y.flatRows, contraction(params, context)).reshaped(to: y.shape)
    }
    return (params, forward, inverse)
  }

  /// A certified bound of the Lipschitz constant of g in x, at the layer's parameters.
  ///
  /// The layer is invertible where it is below 1. See `SpectralMLP.lipschitzBound`.
  public func lipschitzBound(_ params: Params) -> Double { network.lipschitzBound(params.child("net")) }
}
