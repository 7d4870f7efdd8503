// Fits a multi-scale Glow to real handwritten digits, judges it on the rows that the `digits` example holds out, and draws.
//
//     swift run -c release glow-digits [--epochs 120] [--seed 0] [--output glow-digits.svg]
import ExampleSupport
import Flows

let options = try Options(
  CommandLine.arguments, known: ["epochs": "120", "seed": "0", "output": "glow-digits.svg"])
let key = Key(try options.integer("seed"))
let epochs = max(1, try options.integer("epochs"))
let (clock, start) = (ContinuousClock(), ContinuousClock().now)
print("seed \(try options.integer("seed"))")

let (training, test) = try DigitImages.load(key.folded(in: 0))
let glow = Flow.glow(levels: 2, steps: 8, hidden: 64, scale: .bounded(2))
let flow = Flow(Serial(PixelLogit(margin: 0.05), glow.bijection))
let model = Dequantized(flow, levels: DigitImages.levels)

let steps = epochs * ((training.rows * 9 / 10 + 127) / 128)
let fitted = try fit(
  flow, to: training, key: key.folded(in: 1), epochs: epochs, batchSize: 128,
  optimizer: Chain(ClipByGlobalNorm(50), AdamW(learningRate: .cosine(2e-3, steps: steps), weightDecay: 0.03)),
  patience: 25, augment: model.uniform,
  onEpoch: { epoch in
    if epoch.index % 20 == 0 || epoch.index == epochs - 1 {
      print(
        "epoch \(epoch.index + 1): training \(decimals(epoch.trainingLoss, 2)) nats, "
          + "validation \(decimals(epoch.validationLoss ?? .nan, 2))")
    }
    return .proceed
  })

// Five dequantizations of the same held-out rows; log 17 a number turns a density into a probability's bound.
let keys = (0..<5).map { key.folded(in: 2).folded(in: $0) }
var bits = 0.0
for key in keys {
  let logPDF = try fitted.logPDF(fitted.params, model.uniform(key, test))
  bits +=
    bitsPerDimension(logPDF, sampleDim: [8, 8, 1]).mean().item / Double(keys.count) + 4.08746284125034
    / Double(keys.count)
}
print(
  "Glow (\(fitted.params.learnedCount) parameters): \(decimals(bits, 3)) bits per dimension on \(test.rows) held-out rows"
)

func draws(_ temperature: Double) throws -> Tensor {
  let v = try fitted.sample(key.folded(in: 3), fitted.params, count: 64, temperature: temperature)
  return model.images(v).reshaped(to: [64, 8, 8])
}
try ImageGrid(
  "Handwritten digits, 8x8: Glow on two scales",
  groups: [
    .init("real, held out", test[0..<64].reshaped(to: [64, 8, 8])), .init("generated", try draws(1)),
    .init("at temperature 0.7", try draws(0.7)),
  ], range: 0...16
).write(to: options.text("output"))
print("wrote \(options.text("output"))")
remark("took \(decimals(Double((clock.now - start).components.seconds), 0)) s")
