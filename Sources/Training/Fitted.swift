import Distributions
import Tensors

/// The result of `fit`: parameters, the functions that take them, and the state to go on from.
public struct Fitted: Sendable {
  /// The parameters with the lowest validation loss, or the last ones where nothing was held out or judged.
  public let params: Params
  /// The log-density.
  public let logPDF: LogPDF
  /// The sampler.
  public let sample: Sampler
  /// The reason for which training ended.
  public let ending: Ending
  /// The state after the last step: `fit(..., continuing: state)` goes on as if it had never stopped.
  public let state: FitState
  /// The learning rate of the first step; nil where the fit was given an optimizer.
  public var learningRate: Double?
  /// The search of `learningRate: .searched()`. Its `suggestion` is nil where the default rate was taken.
  public var rateSearch: LearningRateSearch?
  /// The losses so far: one record per epoch of a fit to data, one per iteration of a fit to a target.
  public var history: [Record] { state.history }

  /// The record of the best validation loss, the first for the initial parameters; the last where nothing was
  /// held out.
  ///
  /// - Precondition: there is a record.
  public var bestRecord: Record { history[state.best.map { Swift.max($0.index, 0) } ?? history.count - 1] }

  /// Computes the latents of samples, as the fitted flow's bijection gives them to its prior.
  ///
  /// - Throws: as ``LogPDF/latents(_:_:given:)`` does.
  public func latents(_ inputs: Tensor, given context: Tensor? = nil) throws(FlowError) -> Tensor {
    try logPDF.latents(params, inputs, given: context)
  }

  /// One entry of the history: an epoch of a fit to data, or an iteration of a fit to a target.
  public struct Record: Sendable, Hashable {
    /// The position in the history, from 0.
    public let index: Int
    /// The number of steps since the start.
    public let steps: Int
    /// The mean loss of the record's steps, each before its update, in nats for the library's objectives.
    public let trainingLoss: Double
    /// The loss of held-out rows, or of the validation objective; nil where the record was not judged.
    public var validationLoss: Double?
    /// Whether the validation loss is the lowest so far; true where nothing is held out or judged.
    public var isBest: Bool
    /// The norm of the last step's gradient.
    public let gradientNorm: Double
    /// The numbers that the callback noted.
    public var notes: [String: Double] = [:]
  }

  /// The reason for which training ended.
  public enum Ending: Sendable, Hashable {
    /// All steps are done.
    case completed
    /// The validation loss has not improved for `patience` evaluations.
    case stoppedEarly
    /// The task was cancelled.
    case cancelled
    /// The callback asked for it.
    case stoppedByCallback
  }
}

/// The answer of a callback.
public struct Continuation: Sendable {
  let stops: Bool
  let notes: [String: Double]

  /// Go on.
  public static let proceed = Continuation(stops: false, notes: [:])
  /// End training here.
  public static let stop = Continuation(stops: true, notes: [:])
  /// Go on, and keep some numbers in the history's latest record.
  public static func proceed(noting notes: [String: Double]) -> Continuation {
    Continuation(stops: false, notes: notes)
  }
}

/// The whole state of a training run between two steps. A checkpoint stores it.
public struct FitState: Sendable {
  /// The parameters. Those that the run leaves alone are frozen leaves.
  public internal(set) var params: Params
  /// The optimizer's state.
  public internal(set) var optimizer: Params
  /// The latest parameters at which the loss and its gradient were finite.
  public internal(set) var lastGood: Params
  /// The parameters with the lowest validation loss; nil where nothing was judged.
  public internal(set) var best: Best?
  /// The losses so far.
  public internal(set) var history: [Fitted.Record] = []
  /// The number of steps done.
  public internal(set) var step = 0
  /// The loss of the last step.
  public internal(set) var loss = Double.nan
  /// The sum of the losses since the last record, and the number of rows that it goes over.
  var total = 0.0
  var rows = 0

  /// The best parameters so far.
  public struct Best: Sendable {
    /// The validation loss.
    public let loss: Double
    /// The parameters.
    public let params: Params
    /// The index of the record.
    public let index: Int
  }

  /// The state before the first step.
  init(_ params: Params, optimizer: any Optimizer) {
    (self.params, self.optimizer, lastGood) = (params, optimizer.initialize(params), params)
  }

  /// The latest record.
  ///
  /// - Precondition: there is one, as in every callback.
  public var latest: Fitted.Record { history[history.count - 1] }
}
