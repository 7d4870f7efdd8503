import Distributions
import Tensors

/// The result of `fineTune`: the parameters, the functions that take them, and a report.
public struct FineTuned: Sendable {
  /// The parameters after the last round.
  public let params: Params
  /// The log-density.
  public let logPDF: LogPDF
  /// The sampler.
  public let sample: Sampler
  /// The course of the rounds.
  public let report: Report

  /// The course of a fine-tuning.
  public struct Report: Sendable, Hashable {
    /// The rounds in their order.
    public internal(set) var rounds: [Round] = []
    /// A comparison of the data with a last simulation, which no parameter has seen; empty without a
    /// simulator.
    public internal(set) var fresh: [DataComparison] = []
    /// The reason for which the rounds ended.
    public internal(set) var ending = Ending.roundsUsed
    /// The comparisons before the first step.
    public var before: [DataComparison] { rounds.first?.before ?? [] }
    /// The comparisons at the end: those of the last simulation, or of the weighted histories without one.
    public var after: [DataComparison] { fresh.isEmpty ? rounds.last?.after ?? [] : fresh }
    /// KL(q₀ ‖ q) of whole histories in nats, from the first parameters to the last.
    /// It is the mean of w − 1 − log w.
    public var klFromStart: Double { rounds.last?.klFromStart ?? 0 }
    /// Doubts about the result, each in one sentence that says what to do.
    public internal(set) var warnings: [String] = []
  }

  /// One round: histories of one simulation, and steps on their weights.
  public struct Round: Sendable, Hashable {
    /// The number of the round, from 0.
    public let index: Int
    /// The steps taken.
    public let steps: Int
    /// The number of histories.
    public let histories: Int
    /// (Σ w)² / Σ w² at the round's end: the number of equally weighted histories that are worth as much.
    public let effectiveSampleSize: Double
    /// k̂, the shape of the weights' tail; from 0.5 on, their variance is infinite.
    public let paretoK: Double
    /// Whether the effective sample ended the round.
    public let isLimited: Bool
    /// Whether the loss had settled at the end.
    ///
    /// It had if a quarter of the round's way more lowers it by less than a twentieth of the round's gain. It
    /// also had if χ² of all data is within 3 standard deviations of its floor. A round that the effective
    /// sample ended has not settled.
    public let isSettled: Bool
    /// The comparisons with the simulation, before the round's first step.
    public let before: [DataComparison]
    /// The comparisons with the weighted histories, at the round's end.
    public let after: [DataComparison]
    /// KL(q₀ ‖ q) of whole histories from the first parameters of all, in nats.
    public let klFromStart: Double
  }

  /// The reason for which the rounds ended.
  public enum Ending: Sendable, Hashable {
    /// The loss settled in the last round, which left the weights nearly equal.
    case converged
    /// The loss still fell at the end of the last round. More steps, or a higher learning rate, go on.
    case stepsUsed
    /// The effective sample fell too low, and there was no simulator for another round. The data need
    /// histories that are simulated with the new parameters.
    case needsSimulation
    /// All rounds are used.
    case roundsUsed
    /// The task was cancelled. The parameters are those of the step under way.
    case cancelled
  }
}
