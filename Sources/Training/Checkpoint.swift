import Tensors

/// A file in which `fit` keeps the state of a run, to go on after an interruption, and how often it is
/// written.
///
/// ```swift
/// let checkpoint = Checkpoint("run.safetensors", every: .minutes(5))
/// let fitted = try fit(flow, to: data, key: Key(0), checkpoint: checkpoint)
/// ```
///
/// The first run writes the file. A later run with the same arguments finds it and goes on, with the same
/// bits as a run without interruption. The file is written every so often, when the task is cancelled, and at
/// the end. Each time it is written whole or not at all, even if the process is killed. To start anew, remove
/// the file.
///
/// The file is a ``SafeTensors`` that stores the whole ``FitState``, a description of the run and a checksum.
/// Its `params` load into the same architecture like those of any file.
///
/// A run refuses a damaged file, and a file whose description differs from its own. The description holds
/// everything that changes the course of a run:
///
/// - the distribution, the dtype, the objective and the optimizer with their settings;
/// - the data, the weights, the initial and the frozen parameters;
/// - the key, the batch size and the held-out share.
///
/// The error names the first difference. More epochs or iterations, another patience and other callbacks are
/// allowed, unless the optimizer's schedule depends on the epochs, as that of the default optimizer does.
///
/// Closures cannot be compared: a `Lambda`, a schedule from a function, an augmentation are the caller's to
/// keep. Targets are compared by their values at a few points. A note of the history that is NaN is not kept.
public struct Checkpoint: Sendable {
  /// The steps or the minutes from one writing of the file to the next.
  public enum Interval: Sendable, Hashable {
    /// Each time so many steps are done.
    case steps(Int)
    /// When so many minutes have gone since the last time.
    case minutes(Double)
  }

  /// The file.
  public let path: String
  /// The interval at which the file is written.
  public let interval: Interval

  /// A checkpoint in a file.
  ///
  /// - Precondition: a positive interval.
  public init(_ path: String, every interval: Interval = .minutes(5)) {
    let isPositive =
      switch interval {
      case .steps(let count): count > 0
      case .minutes(let minutes): minutes > 0
      }
    require(isPositive, "a checkpoint is written every positive interval, got \(interval)")
    (self.path, self.interval) = (path, interval)
  }
  /// A checkpoint beside this one, for another fit of the same call.
  func numbered(_ number: String) -> Checkpoint { Checkpoint("\(path).\(number)", every: interval) }
}
