import Networks
import Randomness
import Tensors
import Training

/// The classifier two-sample test (C2ST): the accuracy with which a network tells two samples apart.
///
/// 0.5 means that it cannot tell them apart, 1 that it always can. The network has two hidden layers of ten
/// times as many units as there are columns. Columns are standardized by the first sample. The accuracy is
/// the mean over folds, each judged by a network that is trained on the other folds. Of the longer sample,
/// as many rows are taken as the shorter one has.
///
/// Lopez-Paz & Oquab 2017, arXiv 1610.06545; with the network and the folds of Lueckmann et al. 2021, arXiv
/// 2101.04653. The networks here are trained for a fixed number of steps.
///
/// - Parameters:
///   - sample: one sample, `[rows, columns]`, that sets the scale.
///   - other: the other sample.
///   - key: the key of the folds and the training.
///   - folds: the number of folds.
///   - steps: the steps of one training, with 256 rows each.
/// - Throws: `mismatch` unless both have rows of as many columns and two rows or more per fold; `notFinite`
///   for NaN or infinity; `CancellationError` if the task is cancelled.
/// - Precondition: two folds or more, and positive steps.
public func classifierAccuracy(
  of sample: Tensor, and other: Tensor, key: Key, folds: Int = 5, steps: Int = 1_000
) throws -> Double {
  require(folds > 1 && steps > 0, "classifierAccuracy: two folds and a step, got \(folds) and \(steps)")
  guard sample.rank == 2, other.rank == 2, sample.shape[1] == other.shape[1],
    min(sample.rows, other.rows) >= 2 * folds
  else {
    throw FlowError.mismatch(
      who: "classifierAccuracy", what: "samples", expected: "[\(2 * folds) rows or more, columns]",
      got: "\(sample.shape) and \(other.shape)")
  }
  for part in [sample, other] where !part.isFinite {
    throw FlowError.notFinite(who: "classifierAccuracy", what: "samples", row: nil)
  }
  let count = min(sample.rows, other.rows)
  let chosen = [sample, other].enumerated().map { i, part in
    part.cast(to: .float64).rows(Array(key.folded(in: i).permutation(part.rows).prefix(count)))
  }
  let mean = chosen[0].mean(axis: 0)
  let deviation = sqrt(square(chosen[0] - mean).mean(axis: 0))
  let scale = select(where: deviation .> 0, deviation, 1)
  let x = ((concatenate(chosen, axis: 0) - mean) / scale).cast(to: .float32)
  let y = Tensor((0..<2 * count).map { $0 < count ? 0 : 1 }, shape: [2 * count, 1])
  let width = 10 * x.shape[1]
  var right = 0
  for fold in 0..<folds {
    // Rows are in random order, so row i of either sample can be in fold i modulo the number of folds.
    let heldOut = (0..<2 * count).filter { $0 % count % folds == fold }
    let training = (0..<2 * count).filter { $0 % count % folds != fold }
    let logits = try trained(
      MLP(hidden: [width, width]), x.rows(training), y.rows(training), steps: steps,
      key: key.folded(in: 2 + fold), loss: labelLoss)
    right += zip(logits(x.rows(heldOut)).doubles, heldOut).count { ($0 > 0) == ($1 >= count) }
  }
  return Double(right) / Double(2 * count)
}

/// The cross-entropy of labels 0 or 1 given the logits of 1.
let labelLoss: @Sendable (_ logits: Tensor, _ y: Tensor) -> Tensor = { logits, y in
  (softplus(logits) - y * logits).sumPerRow()
}
