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
/// Its `params` load into the same architecture like those of any file. A run refuses a file that is damaged,
/// or whose description differs from its own in anything that changes its course: the distribution, the
/// dtype, the objective, the optimizer and their settings, the data, the weights, the key, the batch size,
/// the held-out share, the frozen parameters. The error names the first difference. More epochs or
/// iterations, another patience and other callbacks are allowed.
///
/// Closures cannot be compared: a `Lambda`, a schedule from a function, an augmentation are the caller's to
/// keep.
public struct Checkpoint: Sendable {
  /// How often to write.
  public enum Interval: Sendable, Hashable {
    /// Each time so many steps are done.
    case steps(Int)
    /// When so many minutes have gone since the last time.
    case minutes(Double)
  }

  /// The file.
  public let path: String
  /// How often it is written.
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
}
