@_exported import Distributions

/// A rule that turns gradients into steps: a pair of pure functions over parameter trees.
///
/// Trees of gradients, steps and moments have the structure of the parameters' `learned`. The state is a tree too, so it is
/// saved like parameters.
public protocol Optimizer: Sendable {
  /// The state before the first step.
  func initialize(_ params: Params) -> Params

  /// The step to add to the parameters, and the next state.
  ///
  /// Throws `FlowError.structure` when the trees do not match.
  func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    step: Params, state: Params
  )
}

extension Optimizer {
  /// The parameters after one step, and the next state. Frozen leaves stay.
  ///
  /// Throws `FlowError.structure` with both trees when they differ in structure, shapes or dtypes.
  public func update(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    params: Params, state: Params
  ) {
    let (step, state) = try transform(gradient, state, params)
    return (try params.combined(with: step, who: "update") { $0 + $1 }, state)
  }
}

/// Optimizers one after the other: each transforms the step of the one before.
public struct Chain: Optimizer {
  private let links: [any Optimizer]

  /// Optimizers in the order in which they see the gradient.
  public init(_ links: any Optimizer...) { self.links = links }

  /// The states of the links.
  public func initialize(_ params: Params) -> Params { Params(links.map { $0.initialize(params) }) }

  /// The last link's step and all states.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    guard state.children.count == links.count else {
      throw FlowError.structure(who: "Chain", expected: "  \(links.count) states", got: state.outline)
    }
    var step = gradient
    var states: [Params] = []
    for (link, child) in zip(links, state.children) {
      let (next, nextState) = try link.transform(step, child.tree, params)
      step = next
      states.append(nextState)
    }
    return (step, Params(states))
  }
}

/// Scales the gradient so that its norm over all leaves is at most `maximum`. No state.
public struct ClipByGlobalNorm: Optimizer {
  private let maximum: Double

  /// A bound on the norm.
  public init(_ maximum: Double) { self.maximum = maximum }

  /// No state.
  public func initialize(_ params: Params) -> Params { .empty }

  /// g · maximum / ‖g‖ where ‖g‖ ≥ maximum.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    let norm = gradient.norm
    return (norm < maximum ? gradient : gradient.map { $0 / norm * maximum }, state)
  }
}
