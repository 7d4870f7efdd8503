import Bijections
import Distributions
import Randomness
import Tensors
import Training

// Trials are rows of data that are independent given the same parameters: their likelihoods multiply, and the
// prior counts once. Draws of a likelihood or a ratio take any number of them.

extension InferredPosterior {
  /// log p(θ | trials) up to a function of the trials, one number per row of parameters.
  ///
  /// log p(θ) + Σ log p(xᵢ | θ) by a learned likelihood or ratio. Cost: rows times trials.
  ///
  /// - Parameters:
  ///   - parameters: `[rows] + parameters`.
  ///   - trials: `[trials] + data`, all seen under the same parameters.
  /// - Throws: `mismatch` for other shapes, and for several trials of a learned posterior, which takes sets
  ///   by an embedding; `notFinite` for NaN or infinity.
  public func logDensity(_ parameters: Tensor, givenTrials trials: Tensor) throws(FlowError) -> Tensor {
    try logDensity(parameters, of: checked(trials))
  }

  /// Draws parameters given all of some trials, `[count] + parameters`.
  ///
  /// ```swift
  /// let posterior = try infer(
  ///   simulator: simulate, prior: prior, observed: trials[0..<1], by: .likelihood(), key: Key(0))
  /// let draws = try posterior.sample(Key(1), count: 1_000, givenTrials: trials)
  /// ```
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - count: the number of draws.
  ///   - trials: `[trials] + data`, all seen under the same parameters.
  ///   - chains: the settings of the chains.
  /// - Throws: `verification` if the chains do not converge; as `logDensity`.
  /// - Precondition: a positive count.
  public func sample(
    _ key: Key, count: Int, givenTrials trials: Tensor, chains: EnsembleSlice = EnsembleSlice()
  ) throws -> Tensor {
    let trials = try checked(trials)
    if isDirect, trials.rows > 1 { throw InferenceMethod.severalTrials(trials.rows) }
    if isDirect { return try sample(key, count: count, given: trials) }
    return try sampleByChains(key, count: count, of: trials, chains).parameters
  }

  private var isLikelihood: Bool {
    if case .likelihood = method.kind { return true }
    return false
  }

  /// The log-density given all of some trials that were checked.
  func logDensity(_ parameters: Tensor, of trials: Tensor) throws(FlowError) -> Tensor {
    let theta = parameters.cast(to: .float32)
    if isDirect, trials.rows > 1 { throw InferenceMethod.severalTrials(trials.rows) }
    if !isLikelihood, trials.rows == 1 {
      let contexts = trials.broadcast(to: trials.shape.replacing(0, by: theta.rank > 0 ? theta.rows : 0))
      return try fitted.logPDF(fitted.params, theta, given: contexts)
    }
    let logPrior = try prior.logDensity(theta)
    let isInside = logPrior .> -.infinity
    // The support's middle stands in for parameters outside, which have no image.
    let inside = select(
      where: isInside.reshaped(to: Shape([theta.rows] + [Int](repeating: 1, count: theta.rank - 1))),
      theta, try prior.parameters(of: .zeros(prior.inputDim.batched(1))).parameters)
    let logLikelihood = try sum(over: trials, inside)
    return select(where: isInside, logLikelihood + logPrior, -.infinity)
  }

  /// Σ log p(xᵢ | θ) + c over the trials for each row of parameters in the support.
  ///
  /// A pass takes up to 65,536 pairs of a row and a trial.
  private func sum(over trials: Tensor, _ theta: Tensor) throws(FlowError) -> Tensor {
    let rows = theta.rows
    let seen = isLikelihood ? try prior.reals(of: theta) : theta
    let logPrior = isLikelihood ? nil : try prior.logDensity(theta)
    func values(_ block: Tensor) throws(FlowError) -> Tensor {
      let (x, own) = (block.eachRow(rows), seen.repeated(block.rows))
      if isLikelihood { return try fitted.logPDF(fitted.params, x, given: own) }
      return try fitted.logPDF(fitted.params, own, given: x) - logPrior!.repeated(block.rows)
    }
    if trials.rows == 1 { return try values(trials) }
    let most = max(1, 65_536 / max(rows, 1))
    var total = Tensor.zeros([rows], dtype: .float64)
    for start in stride(from: 0, to: trials.rows, by: most) {
      let block = trials[start..<min(start + most, trials.rows)]
      total =
        total + (try values(block)).cast(to: .float64).reshaped(to: [block.rows, rows]).sum(axis: 0)
    }
    return total.cast(to: .float32)
  }
}

extension Tensor {
  /// All rows in order, `count` times.
  fileprivate func repeated(_ count: Int) -> Tensor {
    let wide = Shape([count] + shape.sizes)
    return expanded(axis: 0).broadcast(to: wide).reshaped(to: shape.replacing(0, by: rows * count))
  }
}
