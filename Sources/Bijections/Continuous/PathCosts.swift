import Tensors

/// Integrals along a flow's paths from data to latents, which objectives can add to a likelihood.
public struct PathCosts: OptionSet, Sendable, Hashable {
  /// One bit per cost.
  public let rawValue: Int
  /// Makes costs from bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The transport cost ½ ∫ ‖v‖² dt. For the optimal map its mean is half the squared 2-Wasserstein distance.
  public static let transport = PathCosts(rawValue: 1)
  /// The violation ∫ |∂Φ/∂t − ½ ‖∇ₓΦ‖²| dt of the Hamilton-Jacobi-Bellman equation by a potential.
  public static let optimality = PathCosts(rawValue: 2)
  /// The squared norm ∫ ‖∂v/∂x‖² dt of the field's Jacobian, or its estimate ∫ ‖(∂v/∂x) ε‖² dt.
  public static let jacobian = PathCosts(rawValue: 4)

  static let all: [PathCosts] = [.transport, .optimality, .jacobian]
  /// The costs in this set, in the order of their columns.
  var inOrder: [PathCosts] { PathCosts.all.filter(contains) }
}

/// A request for integrals along paths.
package struct PathRequest: Sendable {
  /// The wanted costs.
  package var costs: PathCosts = []
  /// The noise ε of an estimated trace, per row of the batch: one tensor [rows, D] for the layer of a number.
  /// Nil: traces are exact.
  package var noise: (@Sendable (_ layer: Int, _ size: Int) -> Tensor)?

  /// A request for costs.
  package init(
    _ costs: PathCosts = [], noise: (@Sendable (_ layer: Int, _ size: Int) -> Tensor)? = nil
  ) {
    (self.costs, self.noise) = (costs, noise)
  }
}

/// The parts of a continuous layer beyond its mapping, for objectives.
package final class ContinuousPart: Sendable {
  /// The results of a mapping along paths: the costs are [rows, number of costs].
  package typealias Results = (outputs: Tensor, logDet: Tensor, costs: Tensor)
  typealias Integrals =
    @Sendable (
      _ params: Params, _ x: Tensor, _ context: Tensor?, _ request: PathRequest, _ layer: Int
    ) throws(FlowError) -> Results

  /// The velocity of the layer's field, with the layer's own parameters.
  package let velocity: Velocity
  /// Whether inputs are data and outputs latents.
  let isForward: Bool
  /// Outputs, log-dets by quadrature and costs. The number of the layer picks its noise.
  let integrals: Integrals

  init(velocity: Velocity, isForward: Bool, integrals: @escaping Integrals) {
    (self.velocity, self.isForward, self.integrals) = (velocity, isForward, integrals)
  }
}

extension Mapping {
  /// Outputs and log-dets of a composite, with the sum of its continuous layers' costs.
  ///
  /// Each continuous layer gets a number, which counts up from that of the first.
  package func pathIntegrals(
    _ params: Params, _ x: Tensor, _ context: Tensor?, _ request: PathRequest, layer: inout Int
  ) throws(FlowError) -> ContinuousPart.Results {
    func inside(_ member: Member, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> ContinuousPart.Results
    {
      try member.mapping.pathIntegrals(member.address(params), x, context, request, layer: &layer)
    }
    let none = Tensor.zeros([x.rows, request.costs.inOrder.count], dtype: x.dtype)
    if let continuous {
      defer { layer += 1 }
      return try continuous.integrals(params, x, context, request, layer)
    }
    switch composition {
    case .chain(let members) where hasContinuousPart:
      var results = (outputs: x, logDet: Tensor.zeros([x.rows], dtype: x.dtype), costs: none)
      for member in members {
        let next = try inside(member, results.outputs, context)
        results = (next.outputs, results.logDet + next.logDet, results.costs + next.costs)
      }
      return results
    case .split(let parts) where hasContinuousPart:
      var (outputs, logDet, costs) = ([Tensor](), Tensor.zeros([x.rows], dtype: x.dtype), none)
      for (member, range, _) in parts {
        let part = try inside(member, x.sliced(axis: -1, range), context)
        outputs.append(part.outputs)
        (logDet, costs) = (logDet + part.logDet, costs + part.costs)
      }
      return (joined(outputs, outputOrder(parts)), logDet, costs)
    case .seeing(let member, let change) where hasContinuousPart:
      return try inside(member, x, change(params, context, x.rows))
    default:
      let (outputs, logDet) = try asMember.perRow(params, x, context)
      return (outputs, logDet, none)
    }
  }

  /// The number of continuous layers inside that path integrals reach: in chains, side by side, or behind a
  /// change of the context.
  private var continuousCount: Int {
    if continuous != nil { return 1 }
    switch composition {
    case .layer: return 0
    case .chain(let members): return members.reduce(0) { $0 + $1.mapping.continuousCount }
    case .split(let parts):
      // The parts of a mixture all read the same numbers, and its log-density is no sum.
      let isMixture = parts.reduce(0) { $0 + $1.inputs.count } != domain.shape[-1]
      return isMixture ? 0 : parts.reduce(0) { $0 + $1.member.mapping.continuousCount }
    case .seeing(let member, _): return member.mapping.continuousCount
    }
  }

  /// Whether path integrals reach a continuous layer inside.
  package var hasContinuousPart: Bool { continuousCount > 0 }

  /// Whether a mixture inside has continuous layers, which path integrals do not reach.
  package var hidesContinuousPart: Bool {
    layers().count { $0.mapping.continuous != nil } > continuousCount
  }

  /// Whether every continuous layer inside has a potential.
  package var hasPotentials: Bool {
    if let continuous { return continuous.velocity.hasPotential }
    return switch composition {
    case .chain(let members): members.allSatisfy { $0.mapping.hasPotentials }
    case .split(let parts): parts.allSatisfy { $0.member.mapping.hasPotentials }
    case .seeing(let member, _): member.mapping.hasPotentials
    default: true
    }
  }
}
