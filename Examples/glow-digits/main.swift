// Fits a multi-scale Glow to handwritten digits, evaluates it on the held-out rows of the example `digits`,
// and draws digits.
//
//     swift run -c release glow-digits [--epochs 100] [--seed 0] [--output glow-digits.svg]
import ExampleSupport
import Flows

let program = Program(
  "glow-digits", "Fits a multi-scale Glow to real handwritten digits.", options: [.epochs(100)],
  output: "glow-digits.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

let (training, test) = try DigitImages.load(key.folded(in: 0))
let glow = Flow.glow(levels: 2, steps: 8, hidden: 64, scale: .bounded(2))
let flow = Flow(Serial(PixelLogit(margin: 0.05), glow.bijection))
let model = Dequantized(flow, levels: DigitImages.levels)

let stepCount = epochs * ((training.rows * 9 / 10 + 127) / 128)
let fitted = try fit(
  flow, to: training, key: key.folded(in: 1), epochs: epochs, batchSize: 128,
  optimizer: Chain(
    ClipByGlobalNorm(50), AdamW(learningRate: .cosine(2e-3, steps: stepCount), weightDecay: 0.03)),
  patience: 25, augment: model.uniform,
  onEpoch: printing(every: 20, of: epochs))

// The held-out rows are dequantized five times. Adding log2 17 per number gives a bound in bits of the grey
// levels.
let keys = (0..<5).map { key.folded(in: 2).folded(in: $0) }
var bits = 0.0
for key in keys {
  let logPDF = try fitted.logPDF(fitted.params, model.uniform(key, test))
  bits +=
    bitsPerDimension(logPDF, sampleDim: [8, 8, 1]).mean().item / Double(keys.count) + 4.08746284125034
    / Double(keys.count)
}
print(
  "Glow (\(fitted.params.learnedCount) parameters): \(decimals(bits, 3)) bits per dimension on "
    + "\(test.rows) held-out rows"
)

func draws(_ temperature: Double) throws -> Tensor {
  let v = try fitted.sample(key.folded(in: 3), fitted.params, count: 64, temperature: temperature)
  return model.images(v).reshaped(to: [64, 8, 8])
}
try program.write(
  ImageGrid(
    "Handwritten digits, 8x8: Glow on two scales",
    groups: [
      .init("real, held out", test[0..<64].reshaped(to: [64, 8, 8])), .init("generated", draws(1)),
      .init("at temperature 0.7", draws(0.7)),
    ], range: 0...16))
try program.finish(["bits_per_dimension": bits, "parameters": fitted.params.learnedCount])
