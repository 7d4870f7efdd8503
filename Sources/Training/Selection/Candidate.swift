import Distributions

/// A flow that a selection tries.
public struct Candidate: Sendable {
  /// The name in reports.
  public let name: String
  /// The flow.
  public let flow: Flow

  /// The strength of its weight decay; nil for that of the settings.
  public let weightDecay: Double?

  /// A flow under a name.
  public init(_ name: String, _ flow: Flow, weightDecay: Double? = nil) {
    (self.name, self.flow, self.weightDecay) = (name, flow, weightDecay)
  }
}

/// The report of a candidate that a selection tried.
public struct Trial: Sendable, Hashable {
  /// The candidate's name.
  public let name: String
  /// The loss of the held-out rows, each under the fit that did not see it, in nats per row. Infinity for a
  /// fit that diverged, and where nothing was held out.
  public internal(set) var validationLoss: Double
  /// The number of fits.
  public let folds: Int
  /// The steps of all fits.
  public let steps: Int
  /// The weight that the selection gave the candidate: 0 for one that is left out.
  public internal(set) var weight = 0.0
}
