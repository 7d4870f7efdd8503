import Plots

extension Fitted {
  /// A chart of the losses by steps: of the training rows, and of the held-out rows where there are any.
  ///
  /// Early losses far above the others would make these a flat line. Losses above the lowest by more than
  /// ten times the median's distance from it are left out.
  public var learningCurve: LineChart { LineChart.learningCurve("Learning curve", history) }
}

extension Selection {
  /// The learning curve of the member with the largest weight.
  public var learningCurve: LineChart {
    let best = members.max { $0.weight < $1.weight }
    let title = best.map { "Learning curve of \(trials[$0.candidate].name)" } ?? "Learning curve"
    return LineChart.learningCurve(title, best?.fit.history ?? [])
  }
}

extension LineChart {
  fileprivate static func learningCurve(_ title: String, _ history: [Fitted.Record]) -> LineChart {
    let steps = history.map { Double($0.steps) }
    let series = [
      Series("training", shown(history.map(\.trainingLoss)), x: steps),
      Series("held out", shown(history.map { $0.validationLoss ?? .nan }), x: steps),
    ]
    return LineChart(
      title, series: series.filter { $0.y.contains(where: \.isFinite) }, xLabel: "step",
      yLabel: "nats per row")
  }

  /// The losses, NaN for those far above the others.
  private static func shown(_ losses: [Double]) -> [Double] {
    let sorted = losses.filter(\.isFinite).sorted()
    guard let lowest = sorted.first else { return losses }
    let most = lowest + 10 * (sorted[sorted.count / 2] - lowest)
    return losses.map { $0 <= most ? $0 : .nan }
  }
}
