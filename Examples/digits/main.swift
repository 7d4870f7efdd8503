// Fits a flow given the label to handwritten digits, evaluates it on held-out ones, checks its
// log-determinants and draws ten of each digit.
//
//     swift run -c release digits [--epochs 150] [--seed 0] [--output digits.svg]
import ExampleSupport
import Flows
import Foundation

let program = Program(
  "digits", "Fits a flow to handwritten digits and draws new ones.", options: [.epochs(150)],
  output: "digits.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

// 360 rows are held out. `fit` splits the others again, to choose the epoch.
let table = try CSV.read(dataFile("digits", in: .module)).values
let parts = DigitImages.split(table, key.folded(in: 0))
let (training, test) = (Digits(parts.training), Digits(parts.test))

// The first spline sees the pixels themselves, in their order. The label is the context of every layer.
let flow = Flow(
  Serial(
    (0..<8).flatMap { _ -> [any Bijection] in
      [Autoregressive(MADE(hidden: [128, 128]), RationalQuadraticSpline(bins: 8, bound: 4)), Shuffle()]
    }))
let batchSize = 216
let steps = epochs * ((training.count * 9 / 10 + batchSize - 1) / batchSize)
let optimizer = Chain(
  ClipByGlobalNorm(10), AdamW(learningRate: .cosine(4e-3, steps: steps), weightDecay: 4, decayed: .matrices))
let fitted = try fit(
  flow, to: training.images, given: training.context, key: key.folded(in: 1), epochs: epochs,
  batchSize: batchSize, optimizer: MovingAverage(optimizer, decay: 0.99), patience: nil,
  augment: Digits.dequantized, onEpoch: printing(every: 25, of: epochs))

// The held-out rows are dequantized five times. p(x) is the sum of p(x | label) over the labels, weighted by
// their frequencies in the training rows.
let keys = (0..<5).map { key.folded(in: 2).folded(in: $0) }
let baseline = try gaussian(fittedTo: Digits.dequantized(key.folded(in: 3), training.images))
let conditional = try Score(on: test, keys: keys) { z in
  try fitted.logPDF(fitted.params, z, given: test.context)
}
let marginal = try Score(on: test, keys: keys) { z in
  let terms = try (0..<10).map { label in
    let context = Digits.context([Int](repeating: label, count: z.rows))
    return try fitted.logPDF(fitted.params, z, given: context) + log(Tensor(training.frequency(of: label)))
  }
  return stack(terms, axis: 1).logSumExp(axis: 1)
}
print("held-out negative log-likelihood, \(test.count) rows, mean over \(keys.count) dequantization keys:")
let gauss = try Score(on: test, keys: keys, baseline)
print("  Gaussian with full covariance: \(gauss)")
print("  flow (\(fitted.params.learnedCount) parameters): \(marginal)")
print("  flow given the label: \(conditional)")

// The trained model's log-determinants are compared with its Jacobian.
let (_, forward, inverse) = try flow.bijection(
  key.folded(in: 4), inputDim: 64, contextDim: 10, dtype: .float64)
let report = try LogDetCheck(
  fitted.params.child("bijection").cast(to: .float64), forward: forward, inverse: inverse,
  inputs: Digits.dequantized(keys[0], test.images[0..<4]).cast(to: .float64),
  given: test.context[0..<4].cast(to: .float64)
).verify()
print("log-det check of the trained flow:\n\(report)")

// A classifier that was trained on the real training rows judges draws of each digit, at temperature 1.
let wanted = (0..<1_000).map { $0 / 100 }
let z = try fitted.sample(
  key.folded(in: 5), fitted.params, count: wanted.count, given: Digits.context(wanted))
let draws = Digits(images: Digits.images(from: z), labels: wanted)
let classifier = try Classifier(fittedTo: training, key.folded(in: 6))
print("a classifier fitted to the training rows, a perceptron with 64 hidden units:")
print("  \(test.count) held-out digits: \(classifier.judgement(of: test))")
print("  \(draws.count) generated digits: \(classifier.judgement(of: draws))")

program.write(
  ImageGrid(
    "Handwritten digits, 8x8: a flow given the label",
    groups: [
      .init("real, held out", test.firstTenOfEach),
      .init("generated, the first ten of each", draws.firstTenOfEach),
    ], columns: 10, range: 0...16))
try program.finish([
  "gaussian_nats": gauss.nats, "flow_nats": marginal.nats, "flow_given_label_nats": conditional.nats,
  "flow_bits_per_dimension": marginal.bitsPerPixel, "parameters": fitted.params.learnedCount,
])
