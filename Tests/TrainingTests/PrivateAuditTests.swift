import Bijections
import Distributions
import Privacy
import Randomness
import Tensors
import Testing
import Training

/// Measures the privacy loss of whole fits by a canary row, far from the others.
@Suite struct PrivateAuditTests {
  private let flow = Flow(ActNorm())
  private let canary = Tensor([[50]], dtype: .float64)

  /// The canary's trace in the result: the way of the parameters along its clipped gradient.
  private func scores(
    _ plan: PrivacyPlan, rows: Int, withCanary: Bool, _ trials: Range<Int>
  ) throws -> [Double] {
    let others = Tensor.zeros([rows - 1, 1], dtype: .float64)
    let data = withCanary ? concatenate(others, canary, axis: 0) : others
    let (start, logPDF, sample) = try flow(Key(0), inputDim: 1, dtype: .float64)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: canary, key: Key(0))
    let direction = try MaximumLikelihood().valueAndGradient(at: start, step).gradient
    return try trials.map { trial in
      let result = try fit(
        flow, to: data, privately: plan, noise: .notPrivate(seed: UInt64(trial)), start: start, key: Key(0),
        optimizer: SGD(learningRate: 0.001), progress: .silent)
      return (start - result.fitted.params).dot(direction).item / direction.norm
    }
  }

  private func measured(_ plan: PrivacyPlan, rows: Int, trials: Int) throws -> Double {
    let audit = try CanaryAudit(delta: plan.delta, confidence: 0.99)
    return try audit.lowerBound(
      present: scores(plan, rows: rows, withCanary: true, 0..<trials),
      absent: scores(plan, rows: rows, withCanary: false, trials..<2 * trials))
  }

  private func plan(_ noise: Double, rows: Int) throws -> PrivacyPlan {
    // One step of all rows, or two of a tenth of many.
    try PrivacyPlan(
      noiseMultiplier: noise, delta: 1e-5, rate: rows > 100 ? 0.1 : 1, batch: 2, steps: rows > 100 ? 2 : 1)
  }

  @Test(arguments: [2, 10, 1000]) func theMeasuredLossIsBelowTheClaim(_ rows: Int) throws {
    let plan = try plan(0.5, rows: rows)
    let claimed = try RDPAccountant().safeEpsilon(of: plan.ledger, delta: plan.delta)
    let measured = try measured(plan, rows: rows, trials: rows > 100 ? 150 : 500)
    #expect(measured <= claimed, "measured \(measured), claimed \(claimed)")
    if rows < 100 { #expect(measured > 1, "the audit sees \(measured) of \(claimed)") }
  }

  /// With a third of the noise the audit finds more than the claim of the whole.
  @Test func tooLittleNoiseIsFound() throws {
    let claim = try plan(3, rows: 10)
    let claimed = try RDPAccountant().safeEpsilon(of: claim.ledger, delta: claim.delta)
    let measured = try measured(plan(0.5, rows: 10), rows: 10, trials: 300)
    #expect(measured > claimed, "measured \(measured), claimed \(claimed)")
  }
}
