// Fits a RealNVP to real handwritten digits, judges it on held-out ones, checks its log-determinants and draws new digits.
//
//     swift run -c release digits [--epochs 60] [--seed 0] [--output digits.svg]
import Arguments
import ExampleSupport
import Flows

let options = Arguments.orExit(
  "digits", "Fits a RealNVP to handwritten digits and draws new ones.",
  options: [
    .init("epochs", "N", default: "60", "passes over the data"),
    .init("seed", "N", default: "0", "what everything random is drawn from"),
    .init("output", "FILE", default: "digits.svg", "where the picture goes"),
  ])
let (epochs, seed) = Arguments.orExit { () throws(UsageError) in
  (try options.integer("epochs", in: 1...1_000_000), try options.integer("seed", in: Int.min...Int.max))
}
let key = Key(seed)
let start = ContinuousClock.now
print("seed \(seed)")

// 360 rows are held out; fit splits the rest again to know when to stop.
let images = try Digits.load()
let order = key.folded(in: 0).permutation(images.rows)
let (test, training) = (images.rows(Array(order[..<360])), images.rows(Array(order[360...])))

let flow = Flow(
  Serial(
    (0..<8).flatMap { _ -> [any Bijection] in
      [ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: [64]))]
    } + [ActNorm()]))
let steps = epochs * ((training.rows * 9 / 10 + 127) / 128)
let fitted = try fit(
  flow, to: training, key: key.folded(in: 1), epochs: epochs, batchSize: 128,
  optimizer: Chain(ClipByGlobalNorm(50), AdamW(learningRate: .cosine(1e-3, steps: steps), weightDecay: 0.01)),
  patience: 15, augment: Digits.dequantized,
  onEpoch: printing(every: 10, of: epochs))

// Five dequantizations of the same held-out rows.
let keys = (0..<5).map { key.folded(in: 2).folded(in: $0) }
let baseline = GaussianBaseline(fittedTo: Digits.dequantized(key.folded(in: 3), training))
let gaussian = Score(of: baseline.logPDF, on: test, keys: keys)
let score = try Score(of: { try fitted.logPDF(fitted.params, $0) }, on: test, keys: keys)
print("held-out negative log-likelihood, \(test.rows) rows, mean over \(keys.count) dequantization keys:")
print("  Gaussian with full covariance: \(gaussian)")
print("  RealNVP (\(fitted.params.learnedCount) parameters): \(score)")

// The trained model's log-determinants, against Jacobians that no one wrote by hand.
let (_, forward, inverse) = try flow.bijection(key.folded(in: 4), inputDim: 64, dtype: .float64)
let report = try LogDetCheck(
  fitted.params.child("bijection").cast(to: .float64), forward: forward, inverse: inverse,
  inputs: Digits.dequantized(keys[0], test[0..<4]).cast(to: .float64)
).verify()
print("log-det check of the trained flow:\n\(report)")

let draws = try fitted.sample(key.folded(in: 5), fitted.params, count: 100)
let path = options.text("output")
try ImageGrid(
  "Handwritten digits, 8x8",
  groups: [
    .init("real, held out", test[0..<100].reshaped(to: [100, 8, 8])),
    .init("generated", Digits.images(from: draws).reshaped(to: [100, 8, 8])),
  ], range: 0...16
).write(to: path)
print("wrote \(path)")
remarkTime(since: start)
