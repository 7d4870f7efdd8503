import ExampleSupport
import Flows

/// The course of a training: the best parameters by validation rows, and the seconds until each loss.
///
/// The seconds are those of training alone. Judging is not counted.
struct Course {
  private(set) var params: Params
  private(set) var validationLoss = Double.infinity
  private(set) var seconds = 0.0
  /// The validation losses, each with the seconds and the steps until it was seen.
  private(set) var losses: [(seconds: Double, loss: Double)] = []

  /// Trains a model, and judges it 20 times by the exact likelihood of the validation rows.
  init(_ model: Model, _ data: DataSet, _ key: Key) throws {
    let flow = model.flow(data.training, solver: model.solver)
    let (initial, _, _) = try flow(
      key, inputDim: data.training.shape.sample, initInputs: data.training[0..<min(4_096, data.training.rows)]
    )
    let (_, logPDF, _) = try model.flow(data.training, solver: .steps(16))(
      key, inputDim: data.training.shape.sample)
    params = initial
    let epochs = max(1, model.steps * model.batchSize / data.training.rows)
    let interval = max(1, epochs / 20)
    let clock = ContinuousClock()
    var (start, seconds, best, losses) = (clock.now, 0.0, (initial, Double.infinity), self.losses)
    _ = try fit(
      flow, to: data.training, by: model.objective, start: initial, key: key, epochs: epochs,
      batchSize: model.batchSize,
      optimizer: Chain(
        ClipByGlobalNorm(10), Adam(learningRate: .cosine(model.learningRate, steps: model.steps))),
      validationFraction: 0,
      onEpoch: { state in
        seconds += (clock.now - start) / .seconds(1)
        if (state.latest.index + 1) % interval == 0 {
          let loss = (try? -logPDF(state.params, data.validation).mean().item) ?? .infinity
          losses.append((seconds, loss))
          if loss < best.1 { best = (state.params, loss) }
        }
        start = clock.now
        return .proceed
      })
    (params, validationLoss) = best
    (self.seconds, self.losses) = (seconds, losses)
  }

  /// The seconds of training until the validation loss was at most `loss`; nil for never.
  func seconds(until loss: Double) -> Double? { losses.first { $0.loss <= loss }?.seconds }
}
