import ExampleSupport
import Flows

/// Compares held-out densities: a kernel density, a flow fitted to pairs, and the same flow fitted to the
/// rows, from there and from its initial parameters.
func comparedDensities(of data: DataSet, _ settings: Settings, _ program: Program) throws -> [String: Double]
{
  let key = program.key
  let (rows, validation, size) = (data.training, data.validation, data.training.shape[1])
  let bandwidth = try settings.bandwidth(rows, heldOut: validation)
  let kernel = try KernelDensity(of: rows, bandwidth: bandwidth)(Key(0), inputDim: Shape([size]))
  let score = TrainingFreeScore(of: rows, bandwidth: bandwidth)
  let pairs = try score.pairs(key.folded(in: 1), count: settings.pairs, steps: settings.integration)
  let flow = Flow.autoregressiveNeuralSpline(layers: 2, hidden: [settings.width], bins: 6, bound: 5)

  func loss(_ fitted: Fitted, _ rows: Tensor) throws -> Double {
    -(try fitted.logPDF(fitted.params, rows).mean().item)
  }
  // Fits to rows hold out as many rows of both parts, by which they stop. Validation rows choose the rest.
  let joined = concatenate(rows, validation, axis: 0)
  let share = Double(validation.rows) / Double(joined.rows)
  func toRows(_ start: Params?) throws -> Fitted {
    try fit(
      flow, to: joined, start: start, key: key.folded(in: 2),
      epochs: max(1, settings.steps / max(1, rows.rows / 64)), batchSize: 64, validationFraction: share)
  }
  print(
    "\(data.name): \(rows.rows) rows of \(size), kappa \(decimals(score.kappa, 4)), \(settings.pairs) pairs")
  var (best, chosen): ((loss: Double, fitted: Fitted)?, Double) = (nil, 0)
  for likelihood in [0, 0.1, 1] {
    let fitted = try fit(
      flow, toPairs: pairs, likelihood: likelihood, key: key.folded(in: 3),
      epochs: settings.epochs(settings.pairs), batchSize: 256, patience: nil)
    let own = try loss(fitted, validation)
    remark("\(data.name): likelihood \(likelihood): validation \(decimals(own, 3)) nats")
    if own < best?.loss ?? .infinity { (best, chosen) = ((own, fitted), likelihood) }
  }
  guard let best else { return [:] }
  let (warm, cold) = (try toRows(best.fitted.params), try toRows(nil))
  // Test rows are looked at here, once.
  let nats = [
    ("kernel density", -(try kernel.logPDF(kernel.params, data.test).mean().item)),
    ("flow on pairs", try loss(best.fitted, data.test)),
    ("pairs, then rows", try loss(warm, data.test)),
    ("rows alone", try loss(cold, data.test)),
  ]
  let draws = try best.fitted.sample(key.folded(in: 4), best.fitted.params, count: 1_000)
  let memorization = try Memorization(of: draws, training: rows, fresh: data.test).ratio
  printRow("", ["test nats"])
  for (name, loss) in nats { printRow(name, [decimals(loss, 3)]) }
  print("likelihood \(chosen) on pairs; memorization of their flow \(decimals(memorization, 2))")
  let labels = ["kernel_density", "pairs", "pairs_then_rows", "rows"]
  return Dictionary(uniqueKeysWithValues: zip(labels, nats.map(\.1))).merging([
    "kappa": score.kappa, "likelihood": chosen, "memorization": memorization,
  ]) { a, _ in a }
}
