// Fits a multi-scale Glow to handwritten digits, evaluates it on the held-out rows of the example `digits`,
// and draws digits. With `--flow tarflow` it fits a TarFlow instead: a transformer that sees 16 patches of
// 2 x 2 pixels. It takes eight times as long as Glow, and has fewer bits.
//
//     swift run -c release glow-digits [--flow glow] [--epochs 100] [--seed 0] [--output glow-digits.svg]
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "glow-digits", "Fits a multi-scale Glow, or a TarFlow, to real handwritten digits.",
  options: [
    .init("epochs", "N", default: "automatic", "passes over the data, 100 for glow and 120 for tarflow"),
    .init("flow", "NAME", default: "glow", "glow or tarflow"),
  ], output: "glow-digits.svg")
let isGlow = program.choice("flow", of: ["glow", "tarflow"]) == "glow"
let key = program.key
let epochs =
  program.text("epochs") == "automatic" ? (isGlow ? 100 : 120) : program.integer("epochs")

let (training, test) = try DigitImages.load(key.folded(in: 0))
let glow = Flow.glow(levels: 2, steps: 8, hidden: 64, scale: .bounded(2))
// The settings of both were chosen on the validation rows of `fit`.
let tarFlow = Flow.tarFlow(blocks: 4, layers: 2, width: 64)
let flow = Flow(Serial(PixelLogit(margin: 0.05), (isGlow ? glow : tarFlow).bijection))
let model = Dequantized(flow, levels: DigitImages.levels)

let stepCount = epochs * ((training.rows * 9 / 10 + 127) / 128)
let fitted = try fit(
  flow, to: training, key: key.folded(in: 1), epochs: epochs, batchSize: 128,
  optimizer: Chain(
    ClipByGlobalNorm(isGlow ? 50 : 1),
    AdamW(learningRate: .cosine(2e-3, steps: stepCount), weightDecay: isGlow ? 0.03 : 0.3)),
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
let name = isGlow ? "Glow" : "TarFlow"
print(
  "\(name) (\(fitted.params.learnedCount) parameters): \(decimals(bits, 3)) bits per dimension on "
    + "\(test.rows) held-out rows"
)

func draws(_ temperature: Double) throws -> Tensor {
  let v = try fitted.sample(key.folded(in: 3), fitted.params, count: 64, temperature: temperature)
  return model.images(v).reshaped(to: [64, 8, 8])
}
program.write(
  ImageGrid(
    "Handwritten digits, 8x8: \(isGlow ? "Glow on two scales" : "TarFlow on 16 patches")",
    groups: [
      .init("real, held out", test[0..<64].reshaped(to: [64, 8, 8])), .init("generated", try draws(1)),
      .init("at temperature 0.7", try draws(0.7)),
    ], range: 0...16))
try program.finish(["bits_per_dimension": bits, "parameters": fitted.params.learnedCount])
