// Fills in the missing lower half of handwritten digits. A conditional Glow gives draws from the posterior,
// with their mean and standard deviation.
//
//     swift run -c release inpainting [--epochs 80] [--seed 0] [--output inpainting.svg]
import ExampleSupport
import Flows

let program = Program(
  "inpainting", "Fills in the missing lower half of handwritten digits.", options: [.epochs(80)],
  output: "inpainting.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

/// The upper halves as contexts, with grey levels from 0 to 1, and the lower halves as samples; both [rows,
/// 4, 8, 1].
func halves(_ images: Tensor) -> (seen: Tensor, missing: Tensor) {
  (images.sliced(axis: 1, 0..<4) / 16, images.sliced(axis: 1, 4..<8))
}
let (training, test) = try DigitImages.load(key.folded(in: 0))
let (seen, missing) = halves(training)

let glow = Flow.glow(levels: 2, steps: 4, hidden: 32, scale: .bounded(2))
let flow = Flow(Serial(PixelLogit(margin: 0.05), glow.bijection))
let model = Dequantized(flow, levels: DigitImages.levels)
let stepCount = epochs * ((training.rows * 9 / 10 + 127) / 128)
let fitted = try fit(
  flow, to: missing, given: seen, key: key.folded(in: 1), epochs: epochs, batchSize: 128,
  optimizer: Chain(
    ClipByGlobalNorm(50), AdamW(learningRate: .cosine(2e-3, steps: stepCount), weightDecay: 0.05)),
  patience: 20, augment: model.uniform,
  onEpoch: printing(every: 20, of: epochs))

// The posterior's mean is compared with the mean of the training rows.
let (testSeen, testMissing) = halves(test)
let count = 200
var (means, deviations, first): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
for i in 0..<60 {
  let v = try fitted.sample(
    key.folded(in: 2).folded(in: i), fitted.params, count: count, given: testSeen[i..<i + 1])
  let images = model.images(v)
  means.append(images.mean(axis: 0))
  deviations.append(deviation(images))
  first.append(images[0..<6])
}
let truth = testMissing[0..<60]
let error = sqrt(square(stack(means) - truth).mean()).item
let blind = sqrt(square(missing.mean(axis: 0) - truth).mean()).item
let spread = sqrt(square(stack(deviations)).mean()).item
print(
  "root mean square error of the posterior mean: \(decimals(error, 2)) grey levels of 16; of the "
    + "training mean \(decimals(blind, 2))"
)
print(
  "root mean square posterior deviation: \(decimals(spread, 2)), which a calibrated posterior's error equals")

func whole(_ i: Int, _ lower: Tensor) -> Tensor {
  concatenate([16 * testSeen[i], lower], axis: 0).reshaped(to: [8, 8])
}
let blank = Tensor.zeros([4, 8, 1])
let rows = (0..<10).map { i -> [Tensor] in
  let spread = concatenate([blank, 2 * deviations[i]], axis: 0).reshaped(to: [8, 8])
  return [whole(i, truth[i]), whole(i, blank), whole(i, means[i]), spread]
    + (0..<6).map { whole(i, first[i][$0]) }
}
program.write(
  ImageGrid(
    "The lower half is missing",
    groups: [.init("truth, seen, mean, 2 sd, draws", stack(rows.flatMap { $0 }))], columns: 10,
    range: 0...16))
try program.finish([
  "posterior_mean_error": error, "training_mean_error": blind, "posterior_deviation": spread,
])
