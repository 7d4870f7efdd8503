import Tensors

/// The settings of a fit, which follow from the number of rows.
///
/// `fit` to data, `select`, `Flow.auto` and `flow fit` share them. They were chosen on the validation rows of
/// the data sets in `Benchmarks/quality`.
///
/// | rows | rows per step | folds of `Flow.auto` |
/// |---|---|---|
/// | below 1,000 | 64 | 5 |
/// | below 20,000 | 256 | 5 |
/// | below 50,000 | 256 | 1 |
/// | from 50,000 on | 512 | 1 |
///
/// Without a context the candidates of `Flow.auto` have a weight decay of 10 below 5,000 rows. It keeps
/// weights below 0.1, which suits them, since their prior has the linear relations between columns.
///
/// All fits take at most 6,000 steps of AdamW, whose rate falls from 0.002 to 0 along a cosine. Weight
/// decay is 0.3 and applies to matrices. The parameters that are judged and returned are running means
/// over some 100 steps. A fit ends after 400 steps without a better validation loss, and after 10 epochs
/// at least.
public struct FitSettings: Sendable, Hashable {
  /// The number of rows.
  public let rows: Int
  /// The largest number of steps of a fit.
  public var steps = 6_000
  /// The rows per step.
  public var batchSize: Int
  /// The number of folds. Each is held out in one of the fits that form a model.
  public var folds: Int
  /// The share of the rows held out.
  public var validationFraction: Double
  /// The learning rate of the first step.
  public var learningRate = 2e-3
  /// The strength of the weight decay.
  public var weightDecay = 0.3
  /// The passes over the data at most, instead of the steps.
  public var epochs: Int?
  /// The epochs without a better validation loss after which a fit ends; nil for 400 steps' worth, and 10 at
  /// least.
  public var patience: Int?

  /// The settings for a number of rows.
  public init(rows: Int) {
    self.rows = rows
    batchSize = rows < 1_000 ? 64 : rows < 50_000 ? 256 : 512
    folds = rows < 20_000 ? min(5, max(rows, 1)) : 1
    validationFraction = rows < 20_000 ? 0.2 : 0.1
  }

  /// The steps of one epoch.
  public var stepsPerEpoch: Int {
    let training = rows - Int((Double(rows) * validationFraction).rounded())
    return max(1, (training + batchSize - 1) / batchSize)
  }
  /// The number of passes over the data.
  package var passes: Int { epochs ?? max(1, steps / stepsPerEpoch) }
  /// The patience in epochs.
  package var epochsOfPatience: Int { patience ?? max(10, 400 / stepsPerEpoch) }

  /// The optimizer.
  public var optimizer: any Optimizer { optimizer(.automatic) }

  /// The optimizer with a mean of the parameters.
  func optimizer(_ averaging: Averaging) -> any Optimizer {
    averaging(steps(by: .cosine(learningRate, steps: passes * stepsPerEpoch)), default: 0.99)
  }

  /// The optimizer's steps for a schedule, without the mean of the parameters.
  func steps(by schedule: Schedule) -> any Optimizer {
    Chain(
      ClipByGlobalNorm(10),
      AdamW(learningRate: schedule, weightDecay: weightDecay, decayed: .matrices))
  }
}

/// The epochs without a better validation loss after which a fit ends: a number, `nil` for no such end, or
/// `.automatic`.
public struct Patience: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
  enum Kind: Sendable, Hashable { case automatic, epochs(Int?) }
  let kind: Kind

  /// The patience of `FitSettings`.
  public static let automatic = Patience(kind: .automatic)
  /// A number of epochs, or nil for no end.
  public static func epochs(_ count: Int?) -> Patience { Patience(kind: .epochs(count)) }

  private init(kind: Kind) { self.kind = kind }
  /// A number of epochs.
  public init(integerLiteral count: Int) { kind = .epochs(count) }
  /// No end.
  public init(nilLiteral: ()) { kind = .epochs(nil) }

  func epochs(_ settings: FitSettings) -> Int? {
    switch kind {
    case .automatic: settings.epochsOfPatience
    case .epochs(let count): count
    }
  }
}
