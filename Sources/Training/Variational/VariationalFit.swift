import Distributions
import Tensors

/// What a variational `fit` gives back: the parameters, functions that take them, and a way to go on.
public struct VariationalFit: Sendable {
  /// The parameters, the optimizer's state and the number of iterations done: `fit(..., continuing: state)` goes on as if it had
  /// never stopped.
  public let state: VariationalState
  /// The log-density.
  public let logPDF: LogPDF
  /// The sampler.
  public let sample: Sampler
  /// What happened in each iteration of this call.
  public let record: [Iteration]
  /// Why training ended.
  public let ending: Ending

  /// The last parameters.
  public var params: Params { state.params }

  /// One step.
  public struct Iteration: Sendable, Hashable {
    /// Counts from 0, across continued calls.
    public let index: Int
    /// The objective in nats before the step.
    public let loss: Double
    /// The norm of its gradient.
    public let gradientNorm: Double
    /// Seconds since this call began: shown and never used.
    public let seconds: Double
    /// What the callback returned.
    public let notes: [String: Double]
  }

  /// Why training ended.
  public enum Ending: Sendable, Hashable {
    /// All iterations are done.
    case completed
    /// `hasConverged` said so.
    case converged
    /// The task was cancelled.
    case cancelled
  }
}

/// Where a variational fit stands.
public struct VariationalState: Sendable {
  /// The flow's parameters.
  public var params: Params
  /// The optimizer's state; nil before its first step.
  public var optimizer: Params?
  /// Iterations done.
  public var iterations: Int

  /// A state: with parameters alone, a start from them.
  public init(params: Params, optimizer: Params? = nil, iterations: Int = 0) {
    self.params = params
    self.optimizer = optimizer
    self.iterations = iterations
  }
}
