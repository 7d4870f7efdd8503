import Networks
import Randomness
import Tensors

/// The coupling of invertible recurrent inference machines: an additive coupling between a rotation and its inverse.
///
/// Map: (a, b) = x P, y = (a, b + net(a, context)) Pᵀ, with a the first ⌊D/2⌋ channels and P a product of reflections.
///
/// log|det J| = 0. Inverse: the same with a minus sign. Cost: the network's and O(D) a reflection, both ways.
///
/// Parameters: `rotation` as of `Householder`, `coupling` as of `AdditiveCoupling`; the network's last layer starts at zero by
/// default, and the layer as the identity. Domain: all reals. Errors: those of the network.
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, section 3.
public struct IRIM: Bijection {
  private let network: any Network
  private let reflections: Int

  /// An i-RIM coupling.
  ///
  /// - Precondition: at least one reflection.
  public init(_ network: any Network, reflections: Int = 3) {
    require(reflections > 0, "IRIM: at least one reflection, got \(reflections)")
    self.network = network
    self.reflections = reflections
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let rotation = Householder(reflections: reflections)
    return try site.chain(
      "IRIM",
      [
        (rotation, key.folded(in: 0), "rotation"),
        (AdditiveCoupling(network), key.folded(in: 1), "coupling"),
        (Inverted(rotation), key.folded(in: 0), "rotation"),
      ])
  }
}

/// A linear measurement's misfit, fed into the memory of an i-RIM loop.
///
/// Map: x = (η, s) with η [n] the estimate and s the memory behind it; s's first n numbers gain g · exp(a) + b, where
/// g = Aᵀ (A η − d) is the gradient of ½ |A η − d|² for the measurement d [m], the context, and A [m, n] is known.
///
/// log|det J| = 0: η passes. Inverse: the same number taken away. O(m n) both ways.
///
/// Parameters: `logScale` and `bias` [n], zeros at first; `operator` [m, n], frozen. With one such layer before each i-RIM
/// coupling (the misfit is small where couplings should have little left to do) a chain of pairs is the loop of the paper.
///
/// Domain: all reals. Errors: `mismatch` for a sample that is no vector of at least 2n numbers, and a context that is not [m].
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, eq. 9.
public struct MisfitGradient: Bijection {
  private let matrix: Tensor

  /// The misfit of measurements by a matrix [m, n].
  ///
  /// - Precondition: a matrix.
  public init(_ matrix: Tensor) {
    require(matrix.rank == 2, "MisfitGradient: a matrix, got \(matrix.shape)")
    self.matrix = matrix
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (n, width) = (matrix.shape[1], site.channels)
    guard site.inputDim.rank == 1, width >= 2 * n, site.contextDim == [matrix.shape[0]] else {
      throw .mismatch(
        who: "MisfitGradient", what: "a sample and a context",
        expected: "[\(2 * n) or more] and [\(matrix.shape[0])]",
        got: "\(site.inputDim) and \(site.contextDim.map { "\($0)" } ?? "none")")
    }
    let zeros = Tensor.zeros([n], dtype: site.dtype)
    let params: Params = [
      "logScale": .leaf(zeros), "bias": .leaf(zeros), "operator": .frozen(matrix.cast(to: site.dtype)),
    ]
    @Sendable func moved(_ params: Params, _ x: Tensor, _ data: Tensor?, _ sign: Double) -> Tensor {
      let (estimate, a) = (x.sliced(axis: 1, 0..<n), params["operator"])
      guard let data else { preconditionFailure("the boundary lets no call without a context pass") }
      let gradient = matmul(matmul(estimate, a, transposeB: true) - data, a)
      let memory =
        x.sliced(axis: 1, n..<2 * n)
        + sign * (gradient * exp(params["logScale"]) + params["bias"])
      let rest = 2 * n < width ? [x.sliced(axis: 1, 2 * n..<width)] : []
      return concatenate([estimate, memory] + rest, axis: 1)
    }
    return site.volumePreserving("MisfitGradient", params) { params, x, data in
      moved(params, x, data, 1)
    } inverse: { params, y, data in
      moved(params, y, data, -1)
    }
  }
}
