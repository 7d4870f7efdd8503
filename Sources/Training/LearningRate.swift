import Tensors

/// The learning rate of the optimizer that a fit takes by default: a number, `.automatic` or `.searched()`.
///
/// ```swift
/// try fit(flow, to: data, key: key, learningRate: 0.005)
/// try fit(flow, to: data, key: key, learningRate: .searched())
/// ```
public struct LearningRate: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  enum Kind: Sendable, Hashable {
    case automatic, value(Double), searched(from: Double, to: Double, steps: Int)
  }
  let kind: Kind

  /// The rate that the fit documents.
  public static let automatic = LearningRate(kind: .automatic)

  /// The rate at which the loss falls fastest in a short run before the fit, as in `findLearningRate`.
  ///
  /// Where the loss falls at no rate by more than its noise, it is the rate of `.automatic`. A line on
  /// standard error says so, unless `progress` is silent. `Fitted.learningRate` and `Fitted.rateSearch` tell
  /// the outcome.
  ///
  /// - Parameters:
  ///   - first: the lowest rate.
  ///   - last: the highest rate.
  ///   - steps: the steps of the short run.
  public static func searched(from first: Double = 1e-6, to last: Double = 1, steps: Int = 100) -> Self {
    LearningRate(kind: .searched(from: first, to: last, steps: steps))
  }

  private init(kind: Kind) { self.kind = kind }
  /// A rate that is computed.
  ///
  /// - Precondition: a positive rate.
  public init(_ rate: Double) {
    require(rate > 0 && rate < .infinity, "a learning rate must be positive, got \(rate)")
    kind = .value(rate)
  }
  /// A number.
  public init(floatLiteral rate: Double) { self.init(rate) }
  /// A whole number.
  public init(integerLiteral rate: Int) { self.init(Double(rate)) }

  /// Ends the program if a rate stands beside an optimizer, which has one of its own.
  func check(beside optimizer: (any Optimizer)?) {
    require(
      optimizer == nil || self == .automatic,
      "fit got a learning rate beside an optimizer, which has one of its own")
  }

  /// The rate, with a default, and a search for the case that it is asked for.
  func callAsFunction(
    default rate: Double, progress: ProgressOutput,
    search: (_ first: Double, _ last: Double, _ steps: Int) throws -> LearningRateSearch
  ) throws -> (rate: Double, search: LearningRateSearch?) {
    switch kind {
    case .automatic: return (rate, nil)
    case .value(let rate): return (rate, nil)
    case .searched(let first, let last, let steps):
      let found = try search(first, last, steps)
      if found.suggestion == nil {
        progress.note(
          "fit: at no learning rate from \(first) to \(last) did the loss fall by more than its noise; "
            + "the default of \(rate) is taken")
      }
      return (found.suggestion ?? rate, found)
    }
  }
}

/// The running mean of the parameters that a fit judges and returns: its decay, `nil` for none, or
/// `.automatic`.
///
/// A decay of 0.99 averages over some 100 steps; see ``MovingAverage``.
public struct Averaging: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByNilLiteral
{
  enum Kind: Sendable, Hashable { case automatic, decay(Double?) }
  private let kind: Kind

  /// The mean that the fit documents; none of an optimizer that is given.
  public static let automatic = Averaging(kind: .automatic)

  private init(kind: Kind) { self.kind = kind }
  /// A decay that is computed, or nil for no mean.
  ///
  /// - Precondition: a decay in 0..<1.
  public init(decay: Double?) {
    require(decay.map { (0..<1).contains($0) } ?? true, "a decay must be in 0..<1, got \(decay ?? .nan)")
    kind = .decay(decay)
  }
  /// A decay.
  public init(floatLiteral decay: Double) { self.init(decay: decay) }
  /// The decay 0: the mean is the last parameters.
  public init(integerLiteral decay: Int) { self.init(decay: Double(decay)) }
  /// No mean.
  public init(nilLiteral: ()) { self.init(decay: nil) }

  /// An optimizer with the mean; `decay` is that of the default.
  func callAsFunction(_ optimizer: any Optimizer, default decay: Double?) -> any Optimizer {
    let chosen =
      switch kind {
      case .automatic: decay
      case .decay(let decay): decay
      }
    return chosen.map { MovingAverage(optimizer, decay: $0) } ?? optimizer
  }
}
