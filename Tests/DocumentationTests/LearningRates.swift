import Flows

/// The code of the article LearningRates, block by block to the letter.
// swift-format-ignore
func learningRates() throws -> (searched: Fitted, last: Fitted, suggestion: Double?) {
  // block 1
  let data = 20 * Key(0).normal([500, 3]) + 50
  let flow = Flow.neuralSpline(layers: 2, hidden: [32, 32])

  let fitted = try fit(
    flow, to: data, key: Key(1), epochs: 5, learningRate: .searched(), averaging: 0.98)
  // end
  // block 2
  let search = try findLearningRate(flow, to: data, key: Key(1))
  try search.picture.write(to: "rates.svg")
  print(search.suggestion ?? .nan)
  // end
  // block 3
  let last = try fit(flow, to: data, key: Key(1), epochs: 5, averaging: nil)
  // end
  return (fitted, last, search.suggestion)
}
