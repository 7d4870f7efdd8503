import Randomness
import Tensors

/// Standardizes each channel: in training by the batch's own mean and variance, in evaluation by running ones.
///
/// Map: y = (x − m) / √(v + ε) · exp(logScale) + bias, channel by channel (the last axis). `.training` takes m and v of the
/// batch (the population's variance, over rows and positions), `.evaluation` takes `runningMean` and `runningVariance`.
///
/// log|det J| = positions · Σ (logScale − ½ log(v + ε)), the same for every row; O(D). In training the batch's statistics
/// count as constants in J, as in the paper.
///
/// Inverse, in both modes: x = (y − bias) · exp(−logScale) · √(v + ε) + m with the running statistics; O(D). A batch's own
/// statistics cannot be read from y, whose mean is `bias` whatever x was. So the training forward is undone where the
/// running statistics are the batch's: after `updatingStatistics` with momentum 0, or at the start with `initInputs`.
///
/// Parameters, one tree for both modes: `logScale` and `bias` [channels], 0 at first; frozen: `runningMean` and
/// `runningVariance` [channels], those of `initInputs`, or 0 and 1 without. The forward mapping's `updatingStatistics` in
/// training mode moves them, running ← momentum · running + (1 − momentum) · batch, and nothing else does; `fit` calls it
/// every step. In evaluation mode they stay. Behind `Inverted` they stay too: put the layer where data come in.
///
/// In training mode rows depend on each other, and the forward mapping says so (`.couplesRows`): `fit` does not shard
/// the batch then. With a training loop of your own use `valueAndGradient(at:)`, not the sharded one with `over:`.
///
/// Domain: all reals; one row in training mode gives `bias`. Errors: none of its own.
///
/// Ioffe & Szegedy 2015, arXiv 1502.03167, algorithm 1; as a bijection: Dinh, Sohl-Dickstein & Bengio 2016, *Density
/// estimation using Real NVP*, arXiv 1605.08803, section 3.7.
public struct BatchNorm: Bijection {
  /// Which statistics standardize.
  public enum Mode: Sendable, Hashable {
    /// Those of the batch.
    case training
    /// The running ones of the parameter tree.
    case evaluation
  }

  private let mode: Mode
  private let momentum: Double
  private let epsilon: Double

  /// A batch normalization. The modes are two values over one parameter tree: initialize both, keep one tree.
  ///
  /// - Parameters:
  ///   - mode: which statistics standardize.
  ///   - momentum: the share of the running statistics that one update keeps.
  ///   - epsilon: added to the variance, so that a constant channel stays finite.
  /// - Precondition: 0 ≤ momentum < 1, epsilon > 0.
  public init(mode: Mode = .training, momentum: Double = 0.9, epsilon: Double = 1e-5) {
    require((0..<1).contains(momentum), "a batch normalization's momentum is in 0..<1, got \(momentum)")
    require(epsilon > 0, "a batch normalization's epsilon is positive, got \(epsilon)")
    self.mode = mode
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (positions, momentum, epsilon) = (Double(site.positions), momentum, epsilon)
    let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
    let start = site.initInputs.map { Moments(of: $0) } ?? Moments(mean: zeros, variance: zeros + 1)
    let params: Params = [
      "logScale": .leaf(zeros), "bias": .leaf(zeros), "runningMean": .frozen(start.mean),
      "runningVariance": .frozen(start.variance),
    ]

    @Sendable func standardize(_ params: Params, _ x: Tensor, _ by: Moments) -> (Tensor, Tensor) {
      let (logScale, logDeviation) = (params["logScale"], 0.5 * log(by.variance + epsilon))
      let logDet = (logScale - logDeviation).sum() * positions
      return ((x - by.mean) * exp(logScale - logDeviation) + params["bias"], logDet)
    }
    let evaluation = site.layer("BatchNorm", params) { params, x, _ in
      standardize(params, x, Moments(running: params))
    } inverse: { params, y, _ in
      let (by, logScale) = (Moments(running: params), params["logScale"])
      let logDeviation = 0.5 * log(by.variance + epsilon)
      let logDet = (logDeviation - logScale).sum() * positions
      return ((y - params["bias"]) * exp(logDeviation - logScale) + by.mean, logDet)
    }
    if mode == .evaluation { return evaluation }

    let training = Mapping(
      evaluation.forward.boundary, to: evaluation.forward.codomain, traits: .couplesRows,
      statistics: { (params, x, _) throws(FlowError) in
        let (old, batch) = (Moments(running: params), Moments(of: x))
        func moved(_ old: Tensor, _ new: Tensor) -> Params { .frozen(momentum * old + (1 - momentum) * new) }
        return try params.replacing("runningMean", by: moved(old.mean, batch.mean))
          .replacing("runningVariance", by: moved(old.variance, batch.variance))
      },
      body: { params, x, _ in standardize(params, x, Moments(of: x)) })
    return (params, training, evaluation.inverse)
  }
}

/// Mean and population variance of each channel.
private struct Moments {
  let mean: Tensor
  let variance: Tensor

  init(mean: Tensor, variance: Tensor) { (self.mean, self.variance) = (mean, variance) }
  init(running params: Params) { (mean, variance) = (params["runningMean"], params["runningVariance"]) }
  init(of x: Tensor) {
    let channels = x.reshaped(to: [x.count / x.shape[-1], x.shape[-1]])
    mean = channels.mean(axis: 0)
    variance = square(channels - mean).mean(axis: 0)
  }
}
