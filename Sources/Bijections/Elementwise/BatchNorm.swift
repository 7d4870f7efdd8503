import Randomness
import Tensors

/// A standardization of each channel, by a batch's own statistics in training and by running ones in
/// evaluation.
///
/// Map: y = (x − m) / √(v + ε) · exp(logScale) + bias, for each channel of the last axis. In `.training`
/// mode, m and v are the mean and the population variance of the batch, over rows and positions. In
/// `.evaluation` mode, they are `runningMean` and `runningVariance`.
///
/// log|det J| = positions · Σ (logScale − ½ log(v + ε)), the same for every row; O(D). In training, J holds
/// the batch's statistics constant, as in the paper.
///
/// Inverse: x = (y − bias) · exp(−logScale) · √(v + ε) + m with the running statistics, in both modes; O(D).
/// The outputs do not determine a batch's own statistics, since their mean is always `bias`. The inverse
/// undoes the training mode only where the running statistics equal the batch's. This holds after
/// `updatingStatistics` with momentum 0, or at the start with `initInputs`.
///
/// Parameters, the same in both modes: `logScale` and `bias` [channels], 0 at first; frozen: `runningMean`
/// and `runningVariance` [channels], those of `initInputs`, or else 0 and 1. Only the forward mapping's
/// `updatingStatistics` in training mode changes them:
/// running ← momentum · running + (1 − momentum) · batch. `fit` calls it at every step. They stay constant
/// in evaluation mode and inside `Inverted`, so put the layer where data come in.
///
/// In training mode, rows depend on each other, and the forward mapping has the trait `.couplesRows`. So
/// `fit` does not shard the batch. In your own training loop, use `valueAndGradient(at:)` without `over:`.
///
/// Domain: all reals; a single row in training mode gives `bias`. Errors: `mismatch` for an ε that the dtype
/// cannot hold.
///
/// Ioffe & Szegedy 2015, arXiv 1502.03167, algorithm 1; as a bijection: Dinh, Sohl-Dickstein & Bengio 2016,
/// *Density estimation using Real NVP*, arXiv 1605.08803, section 3.7.
public struct BatchNorm: Bijection {
  /// The statistics that standardize.
  public enum Mode: Sendable, Hashable {
    /// The statistics of the batch.
    case training
    /// The running statistics of the parameter tree.
    case evaluation
  }

  private let mode: Mode
  private let momentum: Double
  private let epsilon: Double

  /// Makes a batch normalization.
  ///
  /// Layers of both modes have the same parameter tree: initialize both and keep one tree.
  ///
  /// - Parameters:
  ///   - mode: The statistics that standardize.
  ///   - momentum: The share of the running statistics that one update keeps.
  ///   - epsilon: The number ε that keeps a constant channel finite.
  /// - Precondition: 0 ≤ momentum < 1, epsilon > 0.
  public init(mode: Mode = .training, momentum: Double = 0.9, epsilon: Double = 1e-5) {
    require((0..<1).contains(momentum), "a batch normalization's momentum is in 0..<1, got \(momentum)")
    require(epsilon > 0, "a batch normalization's epsilon is positive, got \(epsilon)")
    self.mode = mode
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.check("epsilon", epsilon, of: "BatchNorm")
    let positions = Double(site.positions)
    let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
    let start = site.initInputs.map { Moments(of: $0) } ?? Moments(mean: zeros, variance: zeros + 1)
    let params: Params = [
      "logScale": .leaf(zeros), "bias": .leaf(zeros), "runningMean": .frozen(start.mean),
      "runningVariance": .frozen(start.variance),
    ]

    @Sendable func logScale(_ params: Params, _ by: Moments) -> Tensor {
      params["logScale"] - 0.5 * log(by.variance + epsilon)
    }
    @Sendable func standardized(_ params: Params, _ x: Tensor, _ by: Moments) -> Tensor {
      (x - by.mean) * exp(logScale(params, by)) + params["bias"]
    }
    let evaluation = site.layer("BatchNorm", params) { params, x, _ in
      standardized(params, x, Moments(running: params))
    } logDet: { params, _, _ in
      logScale(params, Moments(running: params)).sum() * positions
    } inverse: { params, y, _ in
      let by = Moments(running: params)
      return (y - params["bias"]) * exp(-logScale(params, by)) + by.mean
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
      body: { params, x, _ in
        let batch = Moments(of: x)
        return (standardized(params, x, batch), logScale(params, batch).sum() * positions)
      })
    return (params, training, evaluation.inverse)
  }
}

extension Moments {
  fileprivate init(running params: Params) {
    self.init(mean: params["runningMean"], variance: params["runningVariance"])
  }
}
