import Networks
import Randomness
import Tensors

/// Dropout: another objective of rows, with hidden units of the networks set to zero at random.
///
/// ```swift
/// let network = ResidualMLP(width: 128, dropout: 0.1)
/// let flow = Flow(Coupling(network, RationalQuadraticSpline()))
/// let fitted = try fit(flow, to: data, by: Dropout(), key: Key(0))
/// ```
///
/// Each row and unit has a mask of its own: 0 with probability p, else 1/(1 − p). p is that of the network,
/// which is made with `dropout:` (`ResidualMLP`, `MADE`). The masks of a step come from its key, so a fit has
/// the same bits again, for any number of cores. Networks without `dropout:` are not changed.
///
/// Densities, draws and held-out losses use all units.
///
/// Masks pass through the parameter tree, as frozen leaves. So the functions of a flow stay pure. The stages
/// of `Stages` share their masks. A layer that gives a network other rows than those of the batch, such as a
/// continuous flow of adaptive steps, must have a network without dropout.
///
/// Srivastava et al. 2014, *Dropout*, JMLR 15, section 4; Durkan et al. 2019, *Neural spline flows*, arXiv
/// 1906.04032, section 5, drop so in flows.
public struct Dropout<Base: RowObjective>: RowObjective {
  private let base: Base

  /// Makes an objective with dropout from one without.
  public init(_ base: Base = MaximumLikelihood()) { self.base = base }

  /// Whether the other objective has a prior.
  public var hasPrior: Bool { base.hasPrior }

  /// The losses with masks that come from the step's key.
  public func losses(_ step: TrainingStep) throws -> RowLosses {
    var inner = step
    inner.key = step.key.folded(in: 0)
    let (losses, masks) = (try base.losses(inner), step.key.folded(in: 1))
    return { params, rows in try losses(dropping(in: params, rows, masks), rows) }
  }

  /// The loss of the other objective, without dropout.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    try base.value(step)
  }
}

/// A tree with masks of some rows of a batch in place of the probabilities.
///
/// Mask i has child i of the key. The masks of a range are those of the whole batch there.
private func dropping(in params: Params, _ rows: Range<Int>, _ key: Key) -> Params {
  var count = 0
  func walk(_ tree: Params, _ label: String) -> Params {
    switch tree {
    case .leaf: return tree
    case .frozen(let leaf):
      guard label == DropoutMask.label, leaf.rank == 1 else { return tree }
      defer { count += 1 }
      let width = leaf.count
      let uniform = key.folded(in: count).uniform(
        [rows.count, width], dtype: leaf.dtype, from: rows.lowerBound * width)
      return .frozen((leaf .<= uniform) / (1 - leaf))
    case .branch(let children):
      return .branch(children.map { .init($0.label, walk($0.tree, $0.label)) })
    }
  }
  return walk(params, "")
}
