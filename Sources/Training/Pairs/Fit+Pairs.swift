import Bijections
import Distributions
import Networks
import Randomness
import Tensors

/// Fits an invertible flow to pairs of latents and rows by regression.
///
/// ```swift
/// let pairs = try TrainingFreeScore(of: rows).pairs(Key(0), count: 50_000)
/// let regressed = try fit(Flow.neuralSpline(), toPairs: pairs, key: Key(1))
/// let fitted = try fit(Flow.neuralSpline(), to: rows, start: regressed.params, key: Key(2))
/// ```
///
/// The loss of a pair is ½ ‖f(row) − latent‖² for the flow's map f from data to latents, plus
/// `likelihood` · −log q(row). The result has densities and draws as any flow, and its parameters are a start
/// for `fit` to the data. A regression alone controls the positions of latents, not the slope of f, so its
/// densities are rougher than its draws. A share of likelihood mends that.
///
/// - Parameters:
///   - flow: the flow. Without likelihood its prior has to be standard normal, as the latents are.
///   - pairs: the pairs, for instance of a ``TrainingFreeScore``.
///   - side: the side on which pairs are compared.
///   - likelihood: the weight λ of the likelihood of the pairs' rows.
///   - start: parameters to start from, instead of the initial ones.
///   - key: the key of initial values, split and order.
///   - epochs: passes over the pairs; nil for those of ``FitSettings``.
///   - batchSize: pairs per step; nil for that of ``FitSettings``.
///   - optimizer: the optimizer; nil for that of ``FitSettings`` without weight decay.
///   - validationFraction: the share of pairs held out.
///   - patience: epochs without a better validation loss after which training ends.
///   - checkpoint: the file to go on from, and to keep the run's state in.
///   - progress: the way to report progress on standard error.
///   - onEpoch: called after each epoch; see `fit` to data.
/// - Returns: as `fit` to data, with the density and the sampler of the flow.
/// - Throws: as `fit` to data; `mismatch` for another prior without likelihood.
/// - Precondition: positive epochs and batch size; a fraction in 0..<1; a likelihood that is not negative.
public func fit(
  _ flow: Flow, toPairs pairs: LatentPairs, comparing side: PairSide = .latents, likelihood: Double = 0,
  start: Params? = nil, key: Key, epochs: Int? = nil, batchSize: Int? = nil,
  optimizer: (any Optimizer)? = nil, validationFraction: Double = 0.1, patience: Patience = .automatic,
  checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  require(likelihood >= 0, "the weight of the likelihood is not negative, got \(likelihood)")
  let regression = FlowRegression(flow: flow, side: side, likelihood: likelihood)
  let fitted = try fit(
    regression, to: pairs.rows, given: pairs.latents, start: start, key: key, epochs: epochs,
    batchSize: batchSize, optimizer: optimizer ?? pairs.optimizer(epochs, batchSize, validationFraction),
    validationFraction: validationFraction, patience: patience,
    checkpoint: checkpoint, progress: progress, onEpoch: onEpoch)
  let (params, logPDF, sample) = try flow(
    Key(0), inputDim: pairs.rows.shape.sample, dtype: pairs.rows.dtype)
  try logPDF.boundary.check(params)
  return Fitted(
    params: fitted.params, logPDF: logPDF, sample: sample, ending: fitted.ending, state: fitted.state)
}

/// A network that makes a row of a latent in one call. It has no density.
public struct Generator: Sendable {
  /// The parameters.
  public let params: Params
  /// The losses of the epochs, ½ the squared distance per row.
  public let history: [Fitted.Record]
  private let sample: Sampler

  init(_ fitted: Fitted) {
    (params, history, sample) = (fitted.params, fitted.history, fitted.sample)
  }

  /// Draws rows: standard normal latents through the network.
  ///
  /// - Precondition: `count` is not negative.
  public func callAsFunction(_ key: Key, count: Int) throws(FlowError) -> Tensor {
    let shape = sample.boundary.domain.shape.batched(count)
    return try rows(of: key.normal(shape, dtype: sample.boundary.dtype))
  }

  /// The rows of given latents, `[rows] + sample`.
  public func rows(of latents: Tensor) throws(FlowError) -> Tensor {
    if latents.rank == 0 {
      throw .mismatch(who: "Generator", what: "latents", expected: "rows", got: "\(latents.shape)")
    }
    let pieces = mapRows(latents.rows, of: sample.boundary.domain.shape) { rows in [latents[rows]] }
    return try sample(Key(0), params, count: latents.rows, given: pieces[0])
  }
}

/// Fits a plain network to pairs of latents and rows by least squares: the supervised generator of the paper.
///
/// A draw costs one call of the network, and has no density. Least squares blur jumps: some draws fall
/// between separate clusters, fewer with a wider network and more steps. A flow that is fitted to the same
/// pairs has densities.
///
/// - Parameters:
///   - network: the network, from a latent to a row of the same shape.
///   - pairs: the pairs.
///   - key: the key of initial values, split and order.
///   - epochs: passes over the pairs; nil for those of ``FitSettings``.
///   - batchSize: pairs per step; nil for that of ``FitSettings``.
///   - optimizer: the optimizer; nil for that of ``FitSettings`` without weight decay.
///   - validationFraction: the share of pairs held out.
///   - patience: epochs without a better validation loss after which training ends.
///   - progress: the way to report progress on standard error.
/// - Throws: as `fit` to data, and the errors of the network.
/// - Precondition: positive epochs and batch size; a fraction in 0..<1.
public func fit(
  _ network: some Network, toPairs pairs: LatentPairs, key: Key, epochs: Int? = nil, batchSize: Int? = nil,
  optimizer: (any Optimizer)? = nil, validationFraction: Double = 0.1, patience: Patience = .automatic,
  progress: ProgressOutput = .automatic
) throws -> Generator {
  Generator(
    try fit(
      NetworkRegression(network: network), to: pairs.rows, given: pairs.latents, key: key, epochs: epochs,
      batchSize: batchSize, optimizer: optimizer ?? pairs.optimizer(epochs, batchSize, validationFraction),
      validationFraction: validationFraction, patience: patience, progress: progress))
}

extension LatentPairs {
  /// The optimizer of `FitSettings` without weight decay: more pairs cost less than a bias of the weights.
  fileprivate func optimizer(_ epochs: Int?, _ batchSize: Int?, _ share: Double) -> any Optimizer {
    var settings = FitSettings(rows: rows.rows)
    (settings.weightDecay, settings.validationFraction, settings.epochs) = (0, share, epochs)
    if let batchSize { settings.batchSize = max(batchSize, 1) }
    return settings.optimizer
  }
}
