import Bijections
import Distributions
import Privacy
import Randomness
import Tensors

/// Maximum likelihood with clipped gradients and Gaussian noise: the step of a private fit.
///
/// The gradient is (Σ clipped gradients + noise) / batch, over the rows that joined the step. The batch may
/// be empty; the noise is added all the same. The loss is not known: its value is NaN.
///
/// Abadi and others 2016, arXiv 1607.00133, algorithm 1.
public struct PrivateLikelihood: Objective {
  /// The declared numbers.
  public let plan: PrivacyPlan
  private let noise: NoiseSource

  /// The steps of a plan, with noise from a source.
  public init(_ plan: PrivacyPlan, noise: NoiseSource) { (self.plan, self.noise) = (plan, noise) }

  /// NaN, and the noised gradient.
  ///
  /// Throws `FlowError.mismatch` for a distribution whose rows depend on each other.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    try Self.check(step.logPDF)
    let rows = try step.batch(for: "PrivateLikelihood")
    let (clipping, norms) = (plan.clipping, plan.clipping.norms)
    let kept = clipping.share < 1 ? units(of: params, norms, step) : nil
    let isEmpty = rows.rows == 0
    let (sums, common) = try gradients(at: params, step, rows, isEmpty, kept)
    let deviation = clipping.bound * plan.mechanism.noiseMultiplier
    let scale = 1 / (plan.batch * clipping.share)
    let places = norms.places(of: params)
    let noised = noised(sums, deviation: deviation, scale: scale)
    let leaves = noised.indices.map { i -> Tensor in
      var leaf = noised[i]
      if let kept { leaf = leaf * kept[places[i]].reshaped(to: leaf.lastAxis) }
      return plan.addsPublicTerms ? leaf + common[i] : leaf
    }
    return (Tensor(.nan, dtype: step.dtype), params.learned.replacingLearned(with: leaves))
  }

  /// scale · (sum + noise) for each sum, with a stream of its own, piece by piece on all cores.
  private func noised(_ sums: [Tensor], deviation: Double, scale: Double) -> [Tensor] {
    let streams = sums.map { _ in noise.nextStream() }
    let results = sums.map { Storage(shape: $0.shape, dtype: $0.dtype) }
    forPieces(sums.map(\.count), of: 1 << 14) { i, places in
      let (x, y) = (sums[i].storage, results[i])
      let offset = places.lowerBound * x.dtype.byteCount
      noise.addGaussians(
        to: x.address + offset, x.dtype.kernel, count: places.count, deviation: deviation, scale: scale,
        secure: plan.isSecure, stream: streams[i], from: places.lowerBound, into: y.address + offset)
    }
    return results.map { Tensor($0) }
  }

  /// Throws for a distribution whose rows depend on each other, or that keeps statistics of rows.
  static func check(_ logPDF: LogPDF) throws(FlowError) {
    if logPDF.traits.contains(.couplesRows) || logPDF.statistics != nil {
      throw .mismatch(
        who: "a private fit", what: "a distribution",
        expected: "whose rows are independent and that keeps no statistics of them",
        got: logPDF.boundary.name)
    }
  }

  /// The clipped sums, and the part of each gradient that depends on no row.
  private func gradients(
    at params: Params, _ step: TrainingStep, _ rows: Tensor, _ isEmpty: Bool, _ kept: Tensor?
  ) throws -> (sums: [Tensor], common: [Tensor]) {
    let (logPDF, clipping) = (step.logPDF, plan.clipping)
    if isEmpty && !plan.addsPublicTerms {
      let zeros = params.learnedLeaves.map { Tensor.zeros($0.shape, dtype: $0.dtype) }
      return (zeros, zeros)
    }
    // Without rows a point of the domain stands for one: the public part is the same anywhere.
    func point(_ shape: Shape) -> Tensor { .zeros(shape.batched(1), dtype: step.dtype) }
    let batch = isEmpty ? logPDF.boundary.domain.nearest(point(rows.shape.sample)) : rows
    let context = isEmpty ? step.context.map { point($0.shape.sample) } : step.context
    let found = try weightedRowGradients(
      at: params, over: batch, given: context, norms: clipping.norms, separatesCommon: plan.addsPublicTerms,
      factors: { isEmpty ? 0.0 * $0.detached : clipping.factors($0, kept: kept) }
    ) { -(try logPDF.body($0, $1, $2)) }
    return (found.sums, found.common)
  }

  /// 1 for the units that are kept in this step, 0 for the others.
  private func units(of params: Params, _ norms: RowNorms, _ step: TrainingStep) -> Tensor {
    let draws = step.key.folded(in: 1).uniform([norms.count(in: params)], dtype: .float64)
    return (draws .< plan.clipping.share).cast(to: step.dtype)
  }
}

extension Tensor {
  /// The shape of a vector along the last axis of this tensor.
  fileprivate var lastAxis: Shape {
    Shape((0..<rank).map { $0 == rank - 1 ? shape[$0] : 1 })
  }
}
