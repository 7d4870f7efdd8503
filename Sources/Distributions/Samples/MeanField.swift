import Bijections
import Randomness
import Tensors

/// A distribution whose learned numbers are independent normal variables: a Bayesian flow.
///
/// Every learned number θ of the distribution gets a mean and a standard deviation: θ = mean +
/// exp(logScale) · ε. ``VariationalWeights`` trains both. Log-density and draws are those at the means.
///
/// ```swift
/// let bayesian = MeanField(flow)
/// let fitted = try fit(bayesian, to: data, by: .variationalWeights(), key: Key(0), validationFraction: 0)
/// let samples = try bayesian.posterior(of: fitted.state.params).samples(50, key: Key(1))
/// let (_, logPDF, sample) = try flow(Key(0), inputDim: 2)       // they take a member
/// ```
///
/// Parameters: `mean`, the distribution's tree, and `logScale`, with a leaf for each learned leaf of it.
/// Under one key the means start as the distribution itself does.
///
/// Errors: those of the distribution.
public struct MeanField: Distribution {
  private let base: any Distribution
  private let deviation: Double

  /// Makes the numbers of a distribution random, with an initial standard deviation.
  ///
  /// - Parameter deviation: the deviation of every number at first, by default exp(−4.5).
  /// - Precondition: a positive deviation.
  public init(_ base: any Distribution, deviation: Double = 0.011108996538242306) {
    require(deviation > 0 && deviation.isFinite, "MeanField needs a positive deviation, got \(deviation)")
    (self.base, self.deviation) = (base, deviation)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (params, logPDF, sample) = try base.initialize(key, at: site)
    let density = Mapping.chain("MeanField", [(logPDF.mapping, Address("mean"))], at: site)
    var atMeans = sample.map(density.boundary) { draw in
      { (key, params, count, context) throws(FlowError) in
        try draw(key, params.child("mean"), count, context)
      }
    }
    if let draw = sample.samplesAlone {
      atMeans.samplesAlone = { (key, params, count, context) throws(FlowError) in
        try draw(key, params.child("mean"), count, context)
      }
    }
    let logScale = log(Tensor(deviation, dtype: .float64)).item
    return (
      ["mean": params, "logScale": params.learned.filled(with: logScale)], LogPDF(density), atMeans
    )
  }

  /// The normal posterior in a parameter tree of this distribution, over trees of the base.
  ///
  /// A frozen leaf of the means has no deviation. A fit leaves its own marks of frozen leaves in
  /// `fitted.state.params`, and takes them away in `fitted.params`.
  ///
  /// - Throws: `FlowError.structure` for another tree.
  public func posterior(of params: Params) throws(FlowError) -> NormalPosterior {
    let tree = try MeanFieldTree(params, who: "MeanField")
    return NormalPosterior(
      mean: tree.mean,
      deviations: Dictionary(uniqueKeysWithValues: tree.scales.map { ($0.path, exp($0.logScale)) }))
  }
}

/// The parameter tree of `MeanField`, read.
package struct MeanFieldTree {
  /// The means, the tree of the base.
  package let mean: Params
  /// The scales of the learned means, in their order.
  package let scales: [(path: String, logScale: Tensor, position: Int)]
  private let params: Params

  /// Throws `FlowError.structure` for another tree.
  package init(_ params: Params, who: String) throws(FlowError) {
    func wrong() -> FlowError {
      .structure(who: who, expected: "  mean and logScale, the tree of MeanField", got: params.outline)
    }
    guard case .branch(let children) = params, children.map(\.label) == ["mean", "logScale"] else {
      throw wrong()
    }
    (mean, self.params) = (children[0].tree, params)
    var known: [String: (logScale: Tensor, position: Int)] = [:]
    children[1].tree.forEach { path, leaf, _ in known[path] = (leaf, known.count) }
    var scales: [(path: String, logScale: Tensor, position: Int)] = []
    var isComplete = true
    mean.forEach { path, leaf, isFrozen in
      if isFrozen { return }
      guard let (logScale, position) = known[path], logScale.shape == leaf.shape,
        logScale.dtype == leaf.dtype
      else { return isComplete = false }
      scales.append((path, logScale, position))
    }
    if !isComplete { throw wrong() }
    self.scales = scales
  }

  /// One standard normal draw per learned mean. Those of one leaf do not depend on the other leaves that are
  /// frozen.
  package func noise(_ key: Key) -> [Tensor] {
    scales.map { key.folded(in: $0.position).normal($0.logScale.shape, dtype: $0.logScale.dtype) }
  }

  /// The same tree with drawn weights in the place of the means, and with constant scales.
  package func drawn(_ noise: [Tensor], sign: Double = 1) -> Params {
    let means = mean.learnedLeaves
    let leaves = means.indices.map { means[$0] + sign * exp(scales[$0].logScale) * noise[$0] }
    return ["mean": mean.replacingLearned(with: leaves), "logScale": params.child("logScale").frozen]
  }
}
