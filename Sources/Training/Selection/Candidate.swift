import Distributions

/// A flow that a selection tries.
public struct Candidate: Sendable {
  /// The name in reports.
  public let name: String
  /// The flow.
  public let flow: Flow

  /// A flow under a name.
  public init(_ name: String, _ flow: Flow) { (self.name, self.flow) = (name, flow) }
}

/// The report of a candidate that a selection tried.
public struct Trial: Sendable, Hashable {
  /// The candidate's name.
  public let name: String
  /// The mean of the best validation losses of the compared folds, in nats per row. Infinity for a fit that
  /// diverged, and where nothing was held out.
  public let validationLoss: Double
  /// The number of compared folds.
  public let folds: Int
  /// The steps of their fits.
  public let steps: Int
  /// Whether the selection took the candidate.
  public internal(set) var isChosen = false
}
