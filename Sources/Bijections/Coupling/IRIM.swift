import Networks
import Randomness
import Tensors

/// The coupling of invertible recurrent inference machines: an additive coupling between a rotation and its
/// inverse.
///
/// Map: (a, b) = x P, y = (a, b + net(a, context)) Pᵀ, with a the first ⌊D/2⌋ channels and P a product of
/// reflections.
///
/// log|det J| = 0. Inverse: the same with a minus sign. Cost: one network and O(D) per reflection, both ways.
///
/// Parameters: `rotation` as of `Householder`, `coupling` as of `AdditiveCoupling`; the network's last layer
/// starts at zero by default, and the layer as the identity. Domain: all reals. Errors: those of the network.
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, section 3.
public struct IRIM: Bijection {
  private let network: any Network
  private let reflections: Int

  /// Makes an i-RIM coupling.
  ///
  /// - Precondition: There is at least one reflection.
  public init(_ network: any Network, reflections: Int = 3) {
    require(reflections > 0, "IRIM: at least one reflection, got \(reflections)")
    (self.network, self.reflections) = (network, reflections)
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

/// Adds the gradient of a linear measurement's misfit to the memory of an i-RIM loop.
///
/// Map: x = (η, s) with the estimate η [n] and the memory s. The first n numbers of s gain g · exp(a) + b.
/// Here g = Aᵀ (A η − d) is the gradient of ½ |A η − d|², d [m] is the measurement, which is the context, and
/// A [m, n] is known.
///
/// log|det J| = 0, since η passes. Inverse: the same number subtracted. O(m n) both ways.
///
/// Parameters: `logScale` (a) and `bias` (b) [n], zeros at first; `operator` [m, n], frozen. The paper's loop
/// is a chain of pairs: one such layer, then one i-RIM coupling.
///
/// Domain: all reals. Errors: `mismatch` for a sample that is not a vector of at least 2n numbers, and for a
/// context that is not [m].
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, eq. 9.
public struct MisfitGradient: Bijection {
  private let matrix: Tensor

  /// Makes the layer for measurements by a matrix [m, n].
  ///
  /// - Precondition: `matrix` has two axes.
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
      guard let data else { fatalError("the boundary lets no call without a context pass") }
      let gradient = matmul(matmul(estimate, a, transposeB: true) - data, a)
      let step = gradient * exp(params["logScale"]) + params["bias"]
      let memory = x.sliced(axis: 1, n..<2 * n) + sign * step
      let rest = 2 * n < width ? [x.sliced(axis: 1, 2 * n..<width)] : []
      return concatenate([estimate, memory] + rest, axis: 1)
    }
    return site.volumePreserving("MisfitGradient", params) {
      moved($0, $1, $2, 1)
    } inverse: {
      moved($0, $1, $2, -1)
    }
  }
}
