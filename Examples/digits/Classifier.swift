import ExampleSupport
import Flows

/// A perceptron that tells digits apart.
struct Classifier {
  private let params: Params
  private let apply: Apply

  /// Fits the perceptron to digits by the cross-entropy, all rows at each of 400 steps.
  init(fittedTo digits: Digits, _ key: Key) throws {
    let (steps, inputs) = (400, digits.images / 16)
    let targets = Tensor.identity(10).rows(digits.labels)
    var (params, apply) = try MLP(hidden: [64])(key, inputDim: [Digits.pixels], outputDim: [10])
    let optimizer = AdamW(learningRate: .cosine(0.01, steps: steps), weightDecay: 0.1)
    var state = optimizer.initialize(params)
    for _ in 0..<steps {
      let gradient = gradient(at: params) {
        -(targets * apply($0, inputs).logSoftmax(axis: 1)).sum() / Double(digits.count)
      }
      (params, state) = try optimizer.update(gradient, state, params)
    }
    (self.params, self.apply) = (params, apply)
  }

  /// The mean of the largest probability, and the share of digits where it is that of the label.
  func judgement(of digits: Digits) -> String {
    let probabilities = apply(params, digits.images / 16).softmax(axis: 1)
    var (confidence, hits) = (0.0, 0)
    for (i, label) in digits.labels.enumerated() {
      let row = probabilities[i].doubles
      let largest = row.max() ?? 0
      confidence += largest
      if row[label] == largest { hits += 1 }
    }
    let percent = 100 / Double(digits.count)
    return "mean top probability \(decimals(percent * confidence, 1)) %, "
      + "right label \(decimals(percent * Double(hits), 1)) %"
  }
}
