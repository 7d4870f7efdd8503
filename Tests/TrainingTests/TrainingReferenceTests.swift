import Bijections
import Distributions
import Foundation
import Randomness
import Tensors
import TestSupport
import Testing
import Training

/// What `Tests/Fixtures/make_training.py` wrote.
private struct TrainingFixture: Decodable {
  let initial: [Double]
  let gradients: [[Double]]
  let averages: [Average]
  let multiSteps: [Gathered]
  let plateaus: [Plateau]
  let contrastive: [Contrastive]

  struct Average: Decodable {
    let decay: Double
    let averages: [[Double]]
  }
  struct Gathered: Decodable {
    let every: Int
    let parameters: [[Double]]
  }
  struct Plateau: Decodable {
    let settings: [String: Double]
    let values: [Double]
    let parameters: [[Double]]
  }
  struct Contrastive: Decodable {
    let rows, context: [[Double]]
    let slope, offset, loss: Double
    let scale, priorScale: [Double]
  }

  static let shared: TrainingFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/training.json")
    do { return try JSONDecoder().decode(Self.self, from: Data(contentsOf: file)) } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

private func tree(_ values: [Double]) -> Params { ["w": .leaf(Tensor(values, dtype: .float64))] }

@Suite struct TrainingReferenceTests {
  private let fixture = TrainingFixture.shared

  @Test func averagesAreOptaxs() throws {
    for row in fixture.averages {
      let optimizer = MovingAverage(Adam(learningRate: 0.05), decay: row.decay)
      var params = tree(fixture.initial)
      var state = optimizer.initialize(params)
      #expect(try optimizer.evaluationParams(state, params).isIdentical(to: params))
      for (gradient, expected) in zip(fixture.gradients, row.averages) {
        (params, state) = try optimizer.update(tree(gradient), state, params)
        let average = try optimizer.evaluationParams(state, params)
        #expect(isClose(average["w"], tree(expected)["w"], 1e-12), "decay \(row.decay)")
      }
    }
  }

  @Test func gatheredGradientsAreOptaxs() throws {
    for row in fixture.multiSteps {
      let optimizer = MultiSteps(Adam(learningRate: 0.05), every: row.every)
      var params = tree(fixture.initial)
      var state = optimizer.initialize(params)
      for (gradient, expected) in zip(fixture.gradients, row.parameters) {
        (params, state) = try optimizer.update(tree(gradient), state, params)
        #expect(isClose(params["w"], tree(expected)["w"], 1e-12), "every \(row.every)")
      }
    }
  }

  @Test func plateausAreOptaxs() throws {
    for row in fixture.plateaus {
      func setting(_ name: String) -> Double { row.settings[name]! }
      let optimizer = Chain(
        SGD(learningRate: 0.1),
        ReduceOnPlateau(
          factor: setting("factor"), patience: Int(setting("patience")), relative: setting("rtol"),
          absolute: setting("atol"), cooldown: Int(setting("cooldown")), minimum: setting("min_scale")))
      var params = tree(fixture.initial)
      var state = optimizer.initialize(params)
      for (value, expected) in zip(row.values, row.parameters) {
        state = try optimizer.observing(value, state)  // optax is told the value with the gradient
        (params, state) = try optimizer.update(tree([1, 1, 1, 1]), state, params)
        #expect(isClose(params["w"], tree(expected)["w"], 1e-12), "\(row.settings), \(value)")
      }
      let steps = zip(row.parameters, row.parameters.dropFirst()).map { $0[0] - $1[0] }
      #expect(steps.min()! < 0.6 * steps.max()!, "the scale has fallen")
    }
  }

  @Test func contrastiveLossesAreFlowjaxs() throws {
    for row in fixture.contrastive {
      let (scale, prior) = (Tensor(row.scale, dtype: .float64), Tensor(row.priorScale, dtype: .float64))
      @Sendable func normal(_ x: Tensor, _ mean: Tensor, _ scale: Tensor) -> Tensor {
        (-0.5 * square((x - mean) / scale) - log(scale)).sumPerRow()
      }
      let logPDF = LogPDF(Boundary("q", domain: Domain(2), contextDim: 1, dtype: .float64)) { _, x, context in
        let means = [row.slope * context!, .full([x.rows, 1], row.offset, dtype: .float64)]
        return normal(x, concatenate(means, axis: 1), scale)
      }
      let (x, context) = (Tensor(row.rows, dtype: .float64), Tensor(row.context, dtype: .float64))
      let zero = Tensor.zeros([2], dtype: .float64)
      // As many atoms as there are others, and more: whatever the key.
      for (atoms, key) in [(x.rows - 1, Key(0)), (x.rows - 1, Key(1)), (100, Key(0))] {
        let sample = Sampler(logPDF.boundary) { _, _, count, _ in
          (.zeros([count, 2], dtype: .float64), .zeros([count], dtype: .float64))
        }
        let step = TrainingStep(logPDF: logPDF, sample: sample, rows: x, context: context, key: key)
        let loss = try Contrastive(atoms: atoms) { normal($0, zero, prior) }.value(step)(.empty)
        #expect(abs(loss.item - row.loss) < 1e-12)
      }
    }
  }
}
