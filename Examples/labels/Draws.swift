import ExampleSupport
import Flows

/// Compares draws of a network and of a flow, both fitted to pairs, with fresh rows. Draws a picture.
func comparedDraws(of data: DataSet, _ settings: Settings, _ program: Program) throws -> [String: Double] {
  let key = program.key
  let mean = data.training.mean(axis: 0)
  let spread = deviation(data.training)
  let (rows, heldOut) = ((data.training - mean) / spread, (data.validation - mean) / spread)
  let test = (data.test - mean) / spread
  let bandwidth = try settings.bandwidth(rows, heldOut: heldOut)
  let score = TrainingFreeScore(of: rows, bandwidth: bandwidth)
  let clock = ContinuousClock()
  let start = clock.now
  let pairs = try score.pairs(key.folded(in: 1), count: settings.pairs, steps: settings.integration)
  let seconds = (clock.now - start) / .seconds(1)
  remark("\(data.name): \(settings.pairs) pairs took \(decimals(seconds, 2)) s")

  let epochs = settings.epochs(settings.pairs)
  let network = MLP(
    hidden: [settings.width, settings.width, settings.width], activation: .tanh, weight: .glorotUniform,
    lastWeight: .glorotUniform)
  let generator = try fit(
    network, toPairs: pairs, key: key.folded(in: 2), epochs: epochs, batchSize: 256,
    optimizer: settings.optimizer(rate: 5e-3), patience: nil)
  let flow = Flow.neuralSpline(layers: 6, hidden: [64, 64], bins: 12, bound: 4)
  let fitted = try fit(
    flow, toPairs: pairs, likelihood: 1, key: key.folded(in: 3), epochs: max(1, epochs / 2), batchSize: 256,
    patience: nil)
  let density = KernelDensity(of: rows, bandwidth: bandwidth)
  let kernel = try density(Key(0), inputDim: 2)

  // 200,000 draws, in samples of 500 and of 2,000, against as many rows of the true distribution.
  let toy = ToySet(rawValue: data.name)!
  func sample(_ purpose: Int) -> Tensor {
    (toy.draw(key.folded(in: purpose), count: 200_000) - mean) / spread
  }
  let truth = sample(8)
  let distances = [500, 2_000].map { SlicedDistance(to: truth, block: $0) }
  let draws = [
    ("fresh rows", sample(4)), ("pairs", pairs.rows),
    ("network", try generator(key.folded(in: 5), count: 200_000)),
    ("flow", try fitted.sample(key.folded(in: 6), fitted.params, count: 200_000)),
    ("kernel density", try kernel.sample(key.folded(in: 7), kernel.params, count: 200_000)),
  ]
  print("\(data.name): \(rows.rows) rows, kappa \(decimals(score.kappa, 4)), \(settings.pairs) pairs")
  print("sliced W1 of samples of 500 and 2,000, over that of fresh samples, with standard errors")
  printRow("", ["500", "2,000", "memorization", "test nats"])
  var results = ["kappa": score.kappa, "pair_seconds": seconds]
  let own = distances.map { $0(draws[0].1).mean }
  for (name, points) in draws {
    let ratios = zip(distances, own).map { distance, own in
      let (mean, error) = distance(points)
      return (value: mean / own, error: error / own)
    }
    let memorization = try Memorization(
      of: points[0..<2_000], training: rows, fresh: test[0..<2_000]
    ).ratio
    let logPDF = name == "flow" ? (fitted.params, fitted.logPDF) : (kernel.params, kernel.logPDF)
    let nats = ["flow", "kernel density"].contains(name) ? -(try logPDF.1(logPDF.0, test).mean().item) : nil
    printRow(
      name,
      ratios.map { "\(decimals($0.value, 3)) ± \(decimals($0.error, 3))" } + [decimals(memorization, 2)]
        + (nats.map { [decimals($0, 3)] } ?? []))
    let label = name.split(separator: " ").joined(separator: "_")
    results["\(label)_of_fresh_500"] = ratios[0].value
    results["\(label)_of_fresh_2000"] = ratios[1].value
    results["\(label)_memorization"] = memorization
    if let nats { results["\(label)_nats"] = nats }
  }
  let shown = [draws[0], draws[2], draws[3]].map { ScatterPlot.Series($0.0, $0.1[0..<1_500]) }
  program.write(
    ScatterPlot("\(data.name): draws of models fitted to pairs", series: shown),
    to: "\(program.text("output"))-\(data.name).svg")
  return results
}
