import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Training
import TestSupport
import Testing

/// Objectives that a user writes need no loop of their own.
@Suite struct OwnObjectiveTests {
  private let data = Key(60).normal([90, 2]) * 0.5 + 1
  private let flow = Flow(Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [6]))))

  private func fitted(_ objective: some Objective, batchSize: Int = 30, weights: Tensor? = nil) throws
    -> Fitted
  {
    try fit(
      flow, to: data, by: objective, weights: weights, key: Key(3), epochs: 10, batchSize: batchSize,
      optimizer: Adam(learningRate: 0.01), progress: .silent)
  }

  /// The mean of the rows' gradients, each scaled down to a norm of at most `maximum`: as private training
  /// needs it.
  private struct ClippedPerRow: Objective {
    let maximum: Double

    func valueAndGradient(
      at params: Params, _ step: TrainingStep
    ) throws -> (value: Tensor, gradient: Params) {
      let rows = try step.batch(for: "ClippedPerRow")
      var total: (value: Tensor, gradient: Params)?
      for row in 0..<rows.rows {
        let (value, gradient) = try Tensors.valueAndGradient(at: params) {
          -(try step.logPDF.body($0, rows[row..<row + 1], step.context?[row..<row + 1])).sum()
        }
        let clipped = min(1, maximum / max(gradient.norm, 1e-30)) * gradient
        total = total.map { ($0.value + value, $0.gradient + clipped) } ?? (value, clipped)
      }
      return (total!.value / Double(rows.rows), total!.gradient / Double(rows.rows))
    }
  }

  @Test func gradientsAreClippedPerRow() throws {
    let (params, logPDF, sample) = try flow(Key(1), inputDim: 2)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: 9 * data, key: Key(0))
    let clipped = try ClippedPerRow(maximum: 0.1).valueAndGradient(at: params, step)
    let plain = try MaximumLikelihood().valueAndGradient(at: params, step)
    #expect(abs(clipped.value.item - plain.value.item) < 1e-4)
    #expect(clipped.gradient.norm <= 0.1 + 1e-6 && plain.gradient.norm > 1)
    let open = try ClippedPerRow(maximum: 1e9).valueAndGradient(at: params, step)
    #expect(try open.gradient.zip(with: plain.gradient) { isClose($0, $1, 1e-3) }.leaves.allSatisfy { $0 })
    let history = try fitted(ClippedPerRow(maximum: 5)).history
    #expect(history.last!.trainingLoss < history[0].trainingLoss)
  }

  /// Each row against its neighbour in the batch: the first of a pair should be the likelier, a margin apart.
  private struct Ranked: RowObjective {
    func losses(_ step: TrainingStep) throws -> RowLosses {
      let rows = try step.batch(for: "Ranked")
      let next = rows.rows((0..<rows.rows).map { ($0 + 1) % rows.rows })
      // The row closer to the origin should be the likelier.
      let sign = select(
        where: square(rows).sumPerRow() .< square(next).sumPerRow(), Tensor.ones([rows.rows]), -1)
      return { params, range in
        let difference =
          try step.logPDF.body(params, rows[range], nil) - step.logPDF.body(params, next[range], nil)
        return softplus(-(sign[range] * difference))
      }
    }
  }

  @Test func pairsOfRowsAreAnObjective() throws {
    let history = try fitted(Ranked()).history
    #expect(history.last!.trainingLoss < history[0].trainingLoss)
    #expect(try #require(history.last?.validationLoss) < log(Tensor(2)).item)
  }

  /// Weights of rows are in every `RowObjective`.
  @Test func weightsReachOwnObjectives() throws {
    let weights = (0..<90).map { $0 < 45 ? 1.0 : 0 }
    let weighted = try fitted(Ranked(), weights: Tensor(weights))
    let half = try fit(
      flow, to: data[0..<45], by: Ranked(), key: Key(3), epochs: 10, batchSize: 30,
      optimizer: Adam(learningRate: 0.01), progress: .silent)
    #expect(weighted.params.isIdentical(to: half.params) && weighted.history == half.history)
  }

  @Test func objectivesOfTheOtherKindAreRefused() throws {
    let error = #expect(throws: FlowError.self) { try fitted(VariationalBound.reverseKL()) }
    #expect(
      error?.description == "VariationalBound: expected a target density to fit to, got a batch of data")
    let target = Target("normal", inputDim: 2) { x in -0.5 * square(x).sumPerRow() }
    let other = #expect(throws: FlowError.self) {
      try fit(flow, to: target, by: .maximumLikelihood, key: Key(0), iterations: 1, progress: .silent)
    }
    #expect(
      other?.description == "MaximumLikelihood: expected a batch of data to fit to, got a target density")
  }
}
