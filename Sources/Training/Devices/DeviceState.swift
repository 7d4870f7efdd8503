import PJRT
import StableHLO
import Tensors

/// The leaves of a fit's state that change from step to step: a list of tensors, and the trees around them.
///
/// They are the learned parameters, the frozen ones that statistics change, and the optimizer's state. The
/// other frozen leaves are constants of a program.
struct DeviceState {
  /// The parameters, of which the changing leaves are placeholders.
  private let params: Params
  private let optimizer: Params
  /// The positions of changing leaves among all leaves of the parameters.
  let changing: [Int]

  init(_ params: Params, _ optimizer: Params, changingFrozen frozen: Set<Int>) {
    (self.params, self.optimizer) = (params, optimizer)
    var (changing, position): ([Int], Int) = ([], 0)
    params.forEach { _, _, isFrozen in
      if !isFrozen || frozen.contains(position) { changing.append(position) }
      position += 1
    }
    self.changing = changing
  }

  /// The changing leaves: those of the parameters, then those of the optimizer's state.
  func leaves(_ params: Params, _ optimizer: Params) -> [Tensor] {
    let all = params.leaves
    return changing.map { all[$0] } + optimizer.leaves
  }

  /// The shapes and dtypes of the changing leaves.
  var kinds: [StableHLOProgram.Kind] { leaves(params, optimizer).map { .init($0.shape, $0.dtype) } }

  /// Trees with the given changing leaves.
  func trees(_ leaves: [Tensor]) -> (params: Params, optimizer: Params) {
    let count = changing.count
    return (own(Array(leaves[..<count])), optimizer.replacingLeaves(Array(leaves[count...])))
  }

  /// Parameters with the given changing leaves.
  func own(_ leaves: [Tensor]) -> Params {
    var all = params.leaves
    for (i, leaf) in zip(changing, leaves) { all[i] = leaf }
    return params.replacingLeaves(all)
  }
}

extension Params {
  /// The tree with its leaves replaced in order, learned and frozen.
  fileprivate func replacingLeaves(_ leaves: [Tensor]) -> Params {
    var position = 0
    return map { _ in
      defer { position += 1 }
      return leaves[position]
    }
  }
}
