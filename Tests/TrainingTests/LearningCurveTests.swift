import Bijections
import Distributions
import Plots
import Randomness
import Tensors
import Testing
import Training

@Suite struct LearningCurveTests {
  private let data = Key(0).normal([200, 2]) * 3 + 5
  private let flow = Flow(Serial(ElementwiseAffine()), prior: Normal())

  /// The curves hold the history, but for early losses far above the rest.
  @Test func curvesAreTheHistory() throws {
    let fitted = try fit(
      flow, to: data, key: Key(1), epochs: 60, batchSize: 50, optimizer: Adam(learningRate: 0.1),
      patience: nil, progress: .silent)
    let chart = fitted.learningCurve
    #expect(chart.series.map(\.name) == ["training", "held out"])
    for (series, losses) in zip(
      chart.series, [fitted.history.map(\.trainingLoss), fitted.history.map { $0.validationLoss ?? .nan }])
    {
      #expect(series.x == fitted.history.map { Double($0.steps) })
      let shown = series.y.indices.filter { series.y[$0].isFinite }
      #expect(shown.allSatisfy { series.y[$0] == losses[$0] } && shown.count >= losses.count / 2)
      #expect(!shown.contains(0) && shown.last == losses.count - 1)
    }
    #expect(chart.svg.contains("nats per row"))
  }

  @Test func onlyHeldOutRowsHaveACurve() throws {
    let fitted = try fit(
      flow, to: data, key: Key(1), epochs: 2, validationFraction: 0, progress: .silent)
    #expect(fitted.learningCurve.series.map(\.name) == ["training"])
  }
}
