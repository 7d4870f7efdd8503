import Bijections
import Distributions
import Randomness
import Tensors

/// Flow matching: regression of a continuous flow's velocity on straight paths from data to noise, without
/// solving.
///
/// Time runs from data at 0 to noise at 1, against most of the literature. With a row x, noise z and a
/// uniform time t, the path's point is (1 − t) x + (σ + (1 − σ) t) z, its velocity u = (1 − σ) z − x, and the
/// loss of the row ‖v(point, t) − u‖². The loss is no likelihood: its least value is a variance. Densities
/// and draws come from the flow afterwards, with a solver of your choice. σ = 0 gives the rectified flow.
///
/// The flow ends in one `ContinuousFlow`, before a standard normal prior. Layers before it map the data and
/// are not trained. A context belongs to its row of data.
///
/// Errors: `mismatch` for a flow of another form or, in the first step, another prior, and the errors of its
/// layers.
///
/// Lipman et al. 2022, *Flow matching*, arXiv 2210.02747, eqs. 20-23; Liu, Gong & Liu 2022, *Flow straight
/// and fast* (rectified flow), arXiv 2209.03003; Tong et al. 2023, *Improving and generalizing flow-based
/// generative models with minibatch optimal transport*, arXiv 2302.00482.
public struct FlowMatching: RowObjective {
  /// The choice of a noise for each row of a batch.
  public enum Pairing: Sendable {
    /// Noise that is independent of the data.
    case independent
    /// Independent noise, permuted within the batch such that the sum of squared distances is least.
    ///
    /// The assignment is exact and costs O(n³) for n rows. Contexts do not count: with contexts, paths of
    /// different ones are mixed, which biases conditional densities.
    case optimalTransport
    /// The latents of each row under an earlier flow. Together with draws of that flow as data, this is a
    /// reflow: paths become straighter.
    case latents(@Sendable (_ rows: Tensor, _ context: Tensor?) throws -> Tensor)
  }

  private let pairing: Pairing
  private let deviation: Double

  /// Makes the objective.
  ///
  /// - Parameter deviation: the standard deviation σ of a path's end around its row.
  /// - Precondition: `deviation` is in 0..<1.
  public init(_ pairing: Pairing = .independent, deviation: Double = 0) {
    require((0..<1).contains(deviation), "a deviation of paths is in 0..<1, got \(deviation)")
    (self.pairing, self.deviation) = (pairing, deviation)
  }

  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let rows = try step.batch(for: "FlowMatching")
    let (context, mapping, deviation) = (step.context, step.logPDF.mapping, deviation)
    guard mapping.endsInContinuousLayer else {
      throw FlowError.mismatch(
        who: "FlowMatching", what: "a flow", expected: "whose last layer is the only continuous one",
        got: mapping.name)
    }
    let noise = try noise(for: rows, context, step.key)
    let isFirst = step.index == 0
    let times = step.key.folded(in: 1).uniform([rows.rows, 1], in: 0..<1, dtype: rows.dtype)
    return { params, range in
      let (start, own, seen, velocity) = try mapping.continuousPart(params, rows[range], context?[range])
      let (x, t) = (start.reshaped(to: [range.count, start.shape.sample.count]), times[range])
      let z = noise[range].reshaped(to: x.shape)
      if isFirst && range.lowerBound == 0 {
        let density = try mapping.priorLogDensity(
          params.map(\.detached), z[0..<1].reshaped(to: start[0..<1].shape), context?[0..<1])
        try Self.check(density, at: z[0])
      }
      let point = (1 - t) * x + (deviation + (1 - deviation) * t) * z
      let difference = velocity.function(own, point, t, seen) - ((1 - deviation) * z - x)
      return square(difference).sumPerRow()
    }
  }

  /// Throws for a prior whose log-density of one latent is not the standard normal one.
  private static func check(_ density: Tensor?, at z: Tensor) throws(FlowError) {
    let expected = -0.5 * (square(z).sum().item + 1.8378770664093453 * Double(z.count))
    if let density = density?.doubles[0], abs(density - expected) > 1e-3 * max(1, abs(expected)) {
      throw .mismatch(
        who: "FlowMatching", what: "a prior", expected: "that is standard normal", got: "another")
    }
  }

  /// One noise per row, before rows are cut into shards.
  private func noise(for rows: Tensor, _ context: Tensor?, _ key: Key) throws -> Tensor {
    let noise = key.folded(in: 0).normal(rows.shape, dtype: rows.dtype)
    switch pairing {
    case .independent: return noise
    case .optimalTransport: return noise.rows(leastAssignment(of: rows, to: noise))
    case .latents(let latents):
      let latents = try latents(rows, context)
      if latents.shape != rows.shape || latents.dtype != rows.dtype {
        throw FlowError.mismatch(
          who: "FlowMatching", what: "latents", expected: "\(rows.shape) \(rows.dtype)",
          got: "\(latents.shape) \(latents.dtype)")
      }
      return latents
    }
  }
}

/// The partner of each row of a batch, such that the sum of squared distances over pairs is least.
func leastAssignment(of rows: Tensor, to others: Tensor) -> [Int] {
  let count = rows.rows
  let size = rows.shape.sample.count
  let (a, b) = (rows.detached.doubles, others.detached.doubles)
  var costs = [Double](repeating: 0, count: count * count)
  for i in 0..<count {
    for j in 0..<count {
      var sum = 0.0
      for k in 0..<size {
        let difference = a[i * size + k] - b[j * size + k]
        sum += difference * difference
      }
      costs[i * count + j] = sum
    }
  }
  return leastAssignment(costs: costs, count: count)
}
