import Tensors

/// Parameter trees of one architecture with weights: draws from a posterior, or an ensemble of fits.
///
/// ```swift
/// let fits = try fit(flow, to: data, keys: Key(0).split(5))
/// let samples = try ParameterSamples(fits)
/// let density = try fits[0].logPDF(samples, rows)               // log Σ w p(x): the predictive density
/// let draws = try fits[0].sample(Key(1), samples, count: 1_000)
/// ```
///
/// The functions of a model take it in place of parameters. ``predictive(_:_:)`` gives functions for
/// everything else that takes parameters, a log-density and a sampler. ``evaluate(_:)`` gives bands of any
/// function of the parameters.
public struct ParameterSamples: Sendable {
  /// The parameter trees.
  public let members: [Params]
  /// The weights of the members, positive, with sum 1.
  public let weights: [Double]

  /// The number of members.
  public var count: Int { members.count }

  /// Parameter trees with weights, which are normalized. Members of weight 0 are left out.
  ///
  /// - Parameter weights: one number per member; nil for equal weights.
  /// - Throws:
  ///   - `FlowError.mismatch` for no members, and for weights that are negative, all 0 or not as many;
  ///   - `.notFinite` for a weight or a parameter that is NaN or infinite;
  ///   - `.structure` for members of different structures.
  public init(_ members: [Params], weights: [Double]? = nil) throws(FlowError) {
    let who = "ParameterSamples"
    guard let first = members.first else {
      throw .mismatch(who: who, what: "members", expected: "at least one", got: "none")
    }
    for other in members.dropFirst() where !other.hasStructure(of: first) {
      throw .structure(who: who, expected: first.outline, got: other.outline)
    }
    let weights = weights ?? members.map { _ in 1 }
    if weights.count != members.count {
      throw .mismatch(
        who: who, what: "weights", expected: "as many as the \(members.count) members",
        got: "\(weights.count)")
    }
    if !weights.allSatisfy(\.isFinite) { throw .notFinite(who: who, what: "weights", row: nil) }
    if weights.contains(where: { $0 < 0 }) || weights.allSatisfy({ $0 == 0 }) {
      throw .mismatch(who: who, what: "weights", expected: "not negative and not all 0", got: "\(weights)")
    }
    let used = members.indices.filter { weights[$0] > 0 }
    for i in used where !members[i].leaves.allSatisfy({ !$0.dtype.isFloatingPoint || $0.isFinite }) {
      throw .notFinite(who: who, what: "parameters of member \(i)", row: nil)
    }
    // Large weights must not overflow in their sum.
    let largest = weights.max()!
    let total = used.reduce(0) { $0 + weights[$1] / largest }
    self.members = used.map { members[$0] }
    self.weights = used.map { weights[$0] / largest / total }
  }

  /// One tree for a file: that of a ``Mixture`` of as many copies of the distribution.
  ///
  /// It has a frozen leaf `logWeights` and a branch `components`.
  public var params: Params {
    params(members[0].leaves.first { $0.dtype.isFloatingPoint }?.dtype ?? .float32)
  }

  /// The tree with weights in a model's dtype.
  func params(_ dtype: DType) -> Params {
    let logWeights = log(Tensor(weights, dtype: .float64)).cast(to: dtype)
    return ["logWeights": .frozen(logWeights), "components": Params(members)]
  }

  /// The members of a tree such as `params`, or of a ``Mixture`` of copies of one distribution.
  ///
  /// - Throws: `FlowError.structure` for another tree; the errors of `init(_:weights:)`.
  public init(params: Params) throws(FlowError) {
    guard case .branch(let children) = params, children.map(\.label) == ["logWeights", "components"],
      let logWeights = children[0].tree.value, logWeights.dtype.isFloatingPoint,
      logWeights.shape == [children[1].tree.children.count]
    else {
      throw .structure(
        who: "ParameterSamples", expected: "  logWeights: [members]\n  components: one tree per member",
        got: params.outline)
    }
    let shares = exp(logWeights.cast(to: .float64) - logWeights.cast(to: .float64).max(axis: 0))
    try self.init(children[1].tree.children.map(\.tree), weights: shares.doubles)
  }
}

extension Params {
  /// Whether another tree has the same labels, shapes, dtypes and frozen leaves.
  fileprivate func hasStructure(of other: Params) -> Bool {
    let same = try? zip(with: other) { $0.shape == $1.shape && $0.dtype == $1.dtype }
    return same?.leaves.allSatisfy { $0 } ?? false
  }
}
