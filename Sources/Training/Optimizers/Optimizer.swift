import Tensors

/// A rule that turns gradients into steps: a pair of pure functions over parameter trees.
///
/// Trees of gradients, steps and moments have the structure of the parameters' `learned`. The state is a tree
/// too, so it is saved like parameters.
public protocol Optimizer: Sendable {
  /// The state before the first step.
  func initialize(_ params: Params) -> Params

  /// The step to add to the parameters, and the next state.
  ///
  /// Throws `FlowError.structure` when the trees do not match.
  func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep

  /// The parameters after one step, and the next state. Frozen leaves stay. By default the sum of the
  /// parameters and the step of `transform`; another implementation gives the same bits.
  ///
  /// Throws `FlowError.structure` with both trees when they differ in structure, shapes or dtypes.
  func update(_ gradient: Params, _ state: Params, _ params: Params) throws -> (params: Params, state: Params)

  /// The state after an epoch that ended with a loss. By default the same.
  func observing(_ loss: Double, _ state: Params) throws -> Params

  /// The parameters to judge and to keep, with these as the latest. By default these.
  func evaluationParams(_ state: Params, _ params: Params) throws -> Params
}

/// The step that an optimizer adds to the parameters, and its next state.
public typealias OptimizerStep = (step: Params, state: Params)

extension Optimizer {
  /// The same state: the loss makes no difference.
  public func observing(_ loss: Double, _ state: Params) throws -> Params { state }

  /// The latest parameters.
  public func evaluationParams(_ state: Params, _ params: Params) throws -> Params { params }

  /// The sum of the parameters and the step.
  public func update(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    params: Params, state: Params
  ) {
    try addingStep(gradient, state, params)
  }

  /// The sum of the parameters and the step, for optimizers with an `update` of their own.
  func addingStep(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    params: Params, state: Params
  ) {
    let (step, state) = try transform(gradient, state, params)
    let (old, steps) = (params.learnedLeaves, try step.leaves(learnedIn: params, who: "update"))
    return (params.replacingLearned(with: mapLeaves(old) { old[$0] + steps[$0] }), state)
  }
}

/// Optimizers one after the other: each transforms the step of the one before.
public struct Chain: Optimizer {
  private let links: [any Optimizer]

  /// Optimizers in the order in which they see the gradient.
  public init(_ links: any Optimizer...) { self.init(links) }

  /// Optimizers in the order in which they see the gradient.
  public init(_ links: [any Optimizer]) { self.links = links }

  /// The states of the links.
  public func initialize(_ params: Params) -> Params { Params(links.map { $0.initialize(params) }) }

  /// The last link's step and all states.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    var (step, states) = (gradient, [Params]())
    for (link, state) in try linked(state) {
      let next = try link.transform(step, state, params)
      step = next.step
      states.append(next.state)
    }
    return (step, Params(states))
  }

  /// Tells every link.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    Params(try linked(state).map { try $0.observing(loss, $1) })
  }

  /// The parameters that the links choose, one after the other.
  public func evaluationParams(_ state: Params, _ params: Params) throws -> Params {
    try linked(state).reduce(params) { try $1.0.evaluationParams($1.1, $0) }
  }

  private func linked(_ state: Params) throws(FlowError) -> [(any Optimizer, Params)] {
    guard state.children.count == links.count else {
      throw .structure(who: "Chain", expected: "  \(links.count) states", got: state.outline)
    }
    return Array(zip(links, state.children.map(\.tree)))
  }
}

/// Scales the gradient so that its norm over all leaves is at most `maximum`. No state.
public struct ClipByGlobalNorm: Optimizer {
  private let maximum: Double

  /// A bound on the norm.
  public init(_ maximum: Double) { self.maximum = maximum }

  /// No state.
  public func initialize(_ params: Params) -> Params { .empty }

  /// g · maximum / ‖g‖ where ‖g‖ ≥ maximum. A gradient of 0 stays 0.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    if let norm = gradient.tracedNorm {
      let isSmall = (norm .< maximum) + (norm .== 0)
      let divisor = select(where: isSmall, 1, norm)
      return (
        gradient.map { g in
          select(where: isSmall.broadcast(to: g.shape), g, g / divisor.cast(to: g.dtype) * maximum)
        }, state
      )
    }
    let norm = gradient.norm
    return (norm < maximum || norm == 0 ? gradient : gradient.map { $0 / norm * maximum }, state)
  }
}
