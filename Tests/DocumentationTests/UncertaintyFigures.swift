import Flows
import Foundation
import Testing

/// The table of the article Uncertainty. `FLOWS_FIGURES=1 swift test --filter UncertaintyFigures` prints it.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FLOWS_FIGURES"] != nil))
struct UncertaintyFigures {
  private static let sets = 4
  private let flow = Flow.neuralSpline(layers: 3, hidden: [24])
  private let judges = moons(4_000, Key(1001))
  /// The shares of the true density in the bins of both columns.
  private let truth: Tensor

  init() throws { truth = try Self.bins(moons(200_000, Key(1002))) }

  private static func bins(_ rows: Tensor) throws -> Tensor {
    let edges = [(-1.25, 0.25), (-0.72, 0.139)].map { start, width in
      (0..<15).map { start + width * Double($0) }
    }
    let columns = (0..<2).map { rows.sliced(axis: 1, $0..<$0 + 1) }
    return try concatenate((0..<2).map { try binShares(of: columns[$0], edges: edges[$0]) }, axis: 0)
  }

  @Test func table() throws {
    var (names, figures): ([String], [String: [[Double]]]) = ([], [:])
    for set in 0..<Self.sets {
      let rows = moons(400, Key(1000).folded(in: 7 + set))
      for (name, own) in try measured(rows, Key(50).folded(in: set)) {
        if figures[name] == nil { names.append(name) }
        figures[name, default: []].append(own)
      }
    }
    print("method: loss, within 68 %, within 95 %, deviation, error, seconds")
    for name in names {
      let all = figures[name]!
      let means = all[0].indices.map { k in all.reduce(0) { $0 + $1[k] } / Double(all.count) }
      print("\(name): \(means.map { "\(($0 * 10_000).rounded() / 10_000)" }.joined(separator: ", "))")
    }
  }

  private func measured(_ rows: Tensor, _ key: Key) throws -> [(String, [Double])] {
    var (result, start): ([(String, [Double])], ContinuousClock.Instant) = ([], .now)
    func lap() -> Double {
      defer { start = .now }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    let fits = try fit(flow, to: rows, keys: key.split(5), epochs: 200, progress: .silent)
    let (logPDF, sample, seconds) = (fits[0].logPDF, fits[0].sample, lap())
    func add(_ name: String, _ samples: ParameterSamples, _ seconds: Double) throws {
      let loss = -(try logPDF(samples, judges)).mean().item
      let shares = try samples.evaluate { try Self.bins(sample(Key(3), $0, count: 4_000)) }
      func covered(_ share: Double) -> Double {
        let (lower, upper) = shares.band(share)
        return ((lower .<= truth) * (truth .<= upper)).cast(to: .float64).mean().item
      }
      result.append(
        (
          name,
          [
            loss, covered(0.68), covered(0.95), shares.deviation.mean().item,
            abs(shares.mean - truth).mean().item, seconds,
          ]
        ))
      _ = lap()
    }
    try add("one fit", ParameterSamples([fits[0].params]), seconds / 5)
    try add("ensemble of 5", ParameterSamples(fits), seconds)
    let bayesian = MeanField(flow)
    let variational = try fit(
      bayesian, to: rows, by: .variationalWeights(), key: key.folded(in: 9), epochs: 400,
      validationFraction: 0, progress: .silent)
    let weights = try bayesian.posterior(of: variational.state.params).samples(50, key: Key(4))
    try add("variational weights", weights, lap())
    for prior in [0.03, 0.1] {
      let posterior = try laplacePosterior(
        logPDF, fits[0].params, of: rows, prior: prior, over: ["bijection/*/net/dense_1"])
      try add("Laplace, prior \(prior)", posterior.samples(50, key: Key(5)), lap())
    }
    for rate in [0.001, 0.003] {
      let swag = SWAG(SGD(learningRate: .constant(rate)), every: 7)
      let tail = try fit(
        flow, to: rows, start: fits[0].params, key: key.folded(in: 10), epochs: 40, optimizer: swag,
        validationFraction: 0, progress: .silent)
      try add("SWAG, rate \(rate)", swag.posterior(of: tail).samples(50, key: Key(6)), lap())
    }
    return result
  }
}

/// Two half moons with noise of deviation 0.1.
private func moons(_ count: Int, _ key: Key) -> Tensor {
  let angle = Double.pi * key.folded(in: 0).uniform([count, 1])
  let isLower = key.folded(in: 1).uniform([count, 1]) .> 0.5
  let x = select(where: isLower, 1 - cos(angle), cos(angle))
  let y = select(where: isLower, 0.5 - sin(angle), sin(angle))
  return concatenate([x, y], axis: 1) + 0.1 * key.folded(in: 2).normal([count, 2])
}
