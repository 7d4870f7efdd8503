// Fits a RealNVP to handwritten digits, evaluates it on held-out ones, checks its log-determinants and draws
// digits.
//
//     swift run -c release digits [--epochs 60] [--seed 0] [--output digits.svg]
import ExampleSupport
import Flows
import Foundation

let program = Program(
  "digits", "Fits a RealNVP to handwritten digits and draws new ones.", options: [.epochs(60)],
  output: "digits.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

// 360 rows are held out. `fit` splits the others again for early stopping.
let images = try CSV.read(dataFile("digits", in: .module)).values
let (training, test) = DigitImages.split(images, key.folded(in: 0))

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

// The held-out rows are dequantized five times.
let keys = (0..<5).map { key.folded(in: 2).folded(in: $0) }
let baseline = try gaussian(fittedTo: Digits.dequantized(key.folded(in: 3), training))
let baselineScore = try Score(of: baseline, on: test, keys: keys)
let score = try Score(of: { try fitted.logPDF(fitted.params, $0) }, on: test, keys: keys)
print("held-out negative log-likelihood, \(test.rows) rows, mean over \(keys.count) dequantization keys:")
print("  Gaussian with full covariance: \(baselineScore)")
print("  RealNVP (\(fitted.params.learnedCount) parameters): \(score)")

// The trained model's log-determinants are compared with its Jacobian.
let (_, forward, inverse) = try flow.bijection(key.folded(in: 4), inputDim: 64, dtype: .float64)
let report = try LogDetCheck(
  fitted.params.child("bijection").cast(to: .float64), forward: forward, inverse: inverse,
  inputs: Digits.dequantized(keys[0], test[0..<4]).cast(to: .float64)
).verify()
print("log-det check of the trained flow:\n\(report)")

let draws = try fitted.sample(key.folded(in: 5), fitted.params, count: 100)
try program.write(
  ImageGrid(
    "Handwritten digits, 8x8",
    groups: [
      .init("real, held out", test[0..<100].reshaped(to: [100, 8, 8])),
      .init("generated", Digits.images(from: draws).reshaped(to: [100, 8, 8])),
    ], range: 0...16))
program.remarkTime()
