import ExampleSupport
import Flows

/// Masses that no emission of the training has, in GeV.
let unseenMasses = [0.2, 0.35, 0.5, 0.7]

/// A flow of a meson's share z given log m², fitted to the emissions of simulated strings.
///
/// Emissions within 5 % of the unseen masses are left out.
func fittedFlow(_ flow: Flow, to histories: Histories, key: Key, steps: Int) throws -> Fitted {
  let kept = histories.context!.doubles.enumerated().filter { _, context in
    unseenMasses.allSatisfy { abs(context - 2 * log(Tensor($0, dtype: .float64)).item) > 0.1 }
  }.map(\.offset)
  let (z, context) = (histories.rows.rows(kept), histories.context!.rows(kept))
  let batch = 1_024
  let epochs = max(1, steps * batch / kept.count)
  return try fit(
    flow, to: z, given: context, key: key, epochs: epochs, batchSize: batch,
    optimizer: Adam(learningRate: .cosine(4e-3, steps: epochs * (kept.count * 9 / 10 / batch + 1))))
}

/// KL(exact ‖ model) at a mass, by the midpoint rule in t with z = σ(t).
func divergence(
  from exact: InitializedDistribution, to model: LogPDF, _ params: Params, mass: Double
) throws -> Double {
  let (count, width) = (4_000, 0.008)
  let t = Tensor(
    (0..<count).map { (Double($0) + 0.5) * width - 16 }, shape: [count, 1], dtype: .float64)
  let z = sigmoid(t)
  let context = Tensor.full([count, 1], 2 * log(Tensor(mass, dtype: .float64)).item, dtype: .float64)
  let own = try exact.logPDF(exact.params, z, given: context)
  let theirs = try model(params, z.cast(to: .float32), given: context.cast(to: .float32)).cast(to: .float64)
  let volume = (logSigmoid(t) + logSigmoid(-t)).reshaped(to: [count])
  let mass = exp(own + volume) * width
  return select(where: mass .> 1e-14, mass * (own - theirs), 0).sum().item
}

/// The multiplicities of histories, and the shares z of their emissions.
struct Observed {
  let multiplicities, shares: Tensor

  init(_ histories: Histories) {
    multiplicities = histories.observables.sliced(axis: 1, 0..<1)
    shares = histories.rows.cast(to: .float64)
  }

  var meanShare: Double { shares.mean().item }
}
