import Bijections
import Randomness
import Tensors

/// A mixture distribution: each row comes from one of its components, chosen by weight.
///
/// log p(x) = log Σ_k w_k p_k(x), summed in logarithms; −∞ outside every component's support. Cost: that of
/// all components.
///
/// Draws: `key.categorical` over log w_k chooses the component of each row, and each component draws its
/// rows. Draws are differentiable by the components' parameters if the components' own draws are. By the
/// weights they are not: within a derivative by them, as in a fit to a target, draws are an error.
///
/// Parameters: `logWeights` [components], learned or frozen, which are normalized on use, and `components`
/// with one child per component. Weights are equal unless given.
///
/// The components receive the context. Domain: all reals; outside a component's support its density is 0.
/// Errors: those of the components; `mismatch` for weights of a wrong number, negative weights, weights that
/// are all zero, or draws within a derivative by the weights.
public struct Mixture: Distribution {
  private let components: [any Distribution]
  private let weights: Parameter

  /// Makes a mixture of the given distributions. The weights are normalized.
  ///
  /// - Precondition: There is at least one component.
  public init(_ components: [any Distribution], weights: Parameter = .learned) {
    require(!components.isEmpty, "a mixture needs a component")
    self.components = components
    self.weights = weights
  }

  /// Makes a mixture of `count` copies of a learned distribution, each with its own initial parameters.
  ///
  /// Copies with equal initial parameters stay equal, so draw the location at random:
  /// `Normal(location: .learned(drawn: .normal(standardDeviation: 1)), ...)`.
  ///
  /// - Precondition: There is at least one component.
  public init(count: Int, of component: any Distribution, weights: Parameter = .learned) {
    self.init([any Distribution](repeating: component, count: count), weights: weights)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let members = try Members(components, key.folded(in: 1)) { _ in site }
    let logPDF = LogPDF(mixture(of: members.densities, at: site))
    return (
      [
        "logWeights": weights.leaf(try logWeights(key.folded(in: 0)), at: site), "components": members.params,
      ],
      logPDF,
      mixture(of: members.samplers, logPDF)
    )
  }

  private func logWeights(_ key: Key) throws(FlowError) -> Tensor {
    let value = try weights.value(
      "weights", of: "Mixture", key, neutral: .ones([components.count], dtype: .float64))
    let numbers = value.doubles
    // A learned weight of 0 would stay 0.
    if numbers.contains(where: { $0 < 0 || weights.isLearned && $0 == 0 }) || numbers.allSatisfy({ $0 == 0 })
    {
      throw .mismatch(
        who: "Mixture", what: "weights", expected: weights.isLearned ? "positive" : "not negative, not all 0",
        got: "\(numbers)")
    }
    return log(value / value.sum())
  }
}

/// The density of a mixture of densities, whose parameters are those of `Mixture`.
func mixture(of densities: [Mapping], at site: Site) -> Mapping {
  Mapping.alternatives(
    "Mixture", densities.enumerated().map { ($1, Address("components/\($0)", position: 1)) }, at: site
  ) { params, terms in
    logTotal(stack(terms, axis: 1) + params["logWeights"].logSoftmax(axis: 0))
  }
}

/// The sampler of a mixture. It has a temperature if all components have one.
///
/// Draws alone cost one pass of the components that are drawn. Their log-densities cost a pass of all.
func mixture(of samplers: [Sampler], _ logPDF: LogPDF) -> Sampler {
  @Sendable func body(_ components: [Sampler.Body]) -> Sampler.Body {
    { (key, params, count, context) throws(FlowError) in
      let samples = try mixedDraws(of: components, key, params, count, context)
      return (samples, try logPDF.body(params, samples, context))
    }
  }
  let (bodies, tempered) = (samplers.map(\.body), samplers.compactMap(\.tempered))
  var atTemperature: (@Sendable (Double) -> Sampler.Body)?
  if tempered.count == samplers.count {
    atTemperature = { temperature in body(tempered.map { $0(temperature) }) }
  }
  var sampler = Sampler(logPDF.boundary, tempered: atTemperature, body: body(bodies))
  sampler.samplesAlone = { (key, params, count, context) throws(FlowError) in
    try mixedDraws(of: bodies, key, params, count, context)
  }
  return sampler
}

/// Draws from components chosen by weight, with the parameters of `Mixture`.
func mixedDraws(
  of components: [Sampler.Body], _ key: Key, _ params: Params, _ count: Int, _ context: Tensor?
) throws(FlowError) -> Tensor {
  if let trace = DrawTrace.current { return try traced(trace, components, key, params, count, context) }
  if components.count > 1, params["logWeights"].isDifferentiated { throw .undifferentiableChoice("Mixture") }
  let picks = key.folded(in: 0).categorical(logits: params["logWeights"], count: count).ints
  var (draws, order): ([Tensor], [Int]) = ([], [])
  for (i, draw) in components.enumerated() {
    let rows = picks.indices.filter { picks[$0] == i }
    // Without draws the first component gives their shape.
    if rows.isEmpty && (count > 0 || i > 0) { continue }
    let (key, child) = (key.folded(in: 1).folded(in: i), params.child("components").child(i))
    draws.append(try draw(key, child, rows.count, context?.rows(rows)).samples)
    order += rows
  }
  return concatenate(draws, axis: 0).gathered(Tensor(ints: order).inversePermutation, axis: 0)
}

extension FlowError {
  /// The error of a derivative through draws of components whose weights are learned.
  static func undifferentiableChoice(_ who: String) -> FlowError {
    .mismatch(
      who: who, what: "draws within a derivative",
      expected: "frozen weights (the choice of a component has no derivative: freeze them, or fit to data)",
      got: "learned ones")
  }
}

/// Computes log Σ eᵗ per row. If all terms are −∞, the result is −∞ with derivative 0.
func logTotal(_ terms: Tensor) -> Tensor {
  let isEmpty = terms.detached.max(axis: 1) .== -.infinity
  let total = select(where: isEmpty.expanded(axis: 1), 0, terms).logSumExp(axis: 1)
  return select(where: isEmpty, -.infinity, total)
}

/// Draws of all components, of which a mask takes one for each row.
private func traced(
  _ trace: DrawTrace, _ components: [Sampler.Body], _ key: Key, _ params: Params, _ count: Int,
  _ context: Tensor?
) throws(FlowError) -> Tensor {
  let logits = params["logWeights"]
  let picks = trace.draw(key.folded(in: 0), .categorical(logits), [count], logits.dtype)
  var samples: Tensor?
  for (i, draw) in components.enumerated() {
    let (key, child) = (key.folded(in: 1).folded(in: i), params.child("components").child(i))
    let isOwn = picks .== Double(i)
    let own = try trace.within(isOwn) { () throws(FlowError) in try draw(key, child, count, context).samples }
    let mask = isOwn.reshaped(to: Shape([count] + own.shape.sample.sizes.map { _ in 1 }))
    samples = samples.map { select(where: mask, own, $0) } ?? own
  }
  return samples!
}
