import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training

/// Weights, other objectives, averages, gathered gradients, frozen paths, plateaus and the search for a rate.
extension FitTests {
  private func losses(_ fitted: Fitted) -> [Double] { fitted.history.map(\.trainingLoss) }

  // MARK: - Weights

  /// A row of weight 2 is two rows: the loss of a whole batch and its gradient are the same.
  @Test func aWeightIsARepetition() throws {
    let data = gaussianData(5).cast(to: .float64)
    let (params, logPDF, sample) = try smallFlow(Key(1), inputDim: 2, dtype: .float64)
    let weights = Tensor([2, 1, 0, 3, 1], dtype: .float64)
    let repeated = data.rows([0, 0, 1, 3, 3, 3, 4])
    func step(_ rows: Tensor, _ weights: Tensor? = nil) -> TrainingStep {
      TrainingStep(logPDF: logPDF, sample: sample, rows: rows, weights: weights, key: Key(0))
    }
    let weighted = try MaximumLikelihood().valueAndGradient(at: params, step(data, weights / weights.mean()))
    let plain = try MaximumLikelihood().valueAndGradient(at: params, step(repeated))
    #expect(abs(weighted.value.item - plain.value.item) < 1e-12)
    let close = try weighted.gradient.zip(with: plain.gradient) { isClose($0, $1, 1e-12) }
    #expect(close.leaves.allSatisfy { $0 })
  }

  /// Weights p / q turn draws from q into a fit of p.
  @Test func weightsMoveTheFit() throws {
    let x = Key(30).normal([2_000, 1])
    let weights = exp(x).reshaped(to: [2_000])
    let fitted = try fit(
      Flow(ActNorm()), to: x, weights: weights, key: Key(1), epochs: 60, batchSize: 500,
      optimizer: Adam(learningRate: .cosine(0.1, steps: 240)), validationFraction: 0, progress: .silent)
    // N(0, 1) weighted with eˣ is N(1, 1); of these draws the weighted mean is what maximizes the likelihood.
    let mean = (weights * x.reshaped(to: [2_000])).mean().item / weights.mean().item
    #expect(abs(mean - 1) < 0.2)
    let bias = try #require(fitted.params[path: "bijection/bias"]?.value)
    #expect(abs(bias.item - mean) < 0.05)
  }

  @Test func equalWeightsChangeNoBit() throws {
    let data = gaussianData(300)
    func run(_ weights: Tensor?) throws -> Fitted {
      try fit(
        smallFlow, to: data, weights: weights, key: Key(3), epochs: 2, batchSize: 100, progress: .silent)
    }
    let plain = try run(nil)
    for weight in [1.0, 4, 3e38] {
      let weighted = try run(.full([300], weight))
      #expect(weighted.params.isIdentical(to: plain.params) && weighted.history == plain.history)
    }
  }

  @Test func wrongWeights() {
    func message(_ weights: Tensor) -> String? {
      let error = #expect(throws: FlowError.self) {
        try fit(smallFlow, to: gaussianData(20), weights: weights, key: Key(0), epochs: 1, progress: .silent)
      }
      return error?.description
    }
    let expected = "fit: expected weights one real number for each of 20 rows, got "
    #expect(message(.ones([19])) == expected + "[19] float32")
    #expect(message(.ones([20, 1])) == expected + "[20, 1] float32")
    #expect(message(Tensor(ints: Array(0..<20))) == expected + "[20] int32")
    var values = [Double](repeating: 1, count: 20)
    values[7] = -0.5
    #expect(message(Tensor(values)) == "fit weights: expected values not negative, got -0.5 in row 7")
    values[7] = .nan
    #expect(message(Tensor(values)) == "fit: expected finite weights, got NaN or infinity in row 7")
    #expect(message(.zeros([20]))?.hasPrefix("fit: expected weights one above 0") == true)
  }

  // MARK: - Contrastive

  /// Simulations from a proposal: the contrastive loss finds the posterior under the prior, maximum
  /// likelihood that under the proposal.
  @Test func contrastiveLossLearnsThePriorsPosterior() throws {
    // x ~ N(1, ½) is proposed where the prior says N(0, 1); c = x + N(0, ½).
    let x = 1 + 0.5 * Key(40).normal([1_500, 1])
    let context = x + 0.5 * Key(41).normal([1_500, 1])
    func posterior(_ objective: some Objective) throws -> (mean: Double, deviation: Double) {
      let fitted = try fit(
        ConditionalNormal(MLP(hidden: [])), to: x, given: context, by: objective, key: Key(2),
        epochs: 40,
        batchSize: 150, optimizer: Adam(learningRate: .cosine(0.1, steps: 360)), patience: nil,
        progress: .silent)
      let draws = try fitted.sample(Key(3), fitted.params, count: 10_000, given: Tensor([[1.5]]))
      let mean = draws.mean().item
      return (mean, square(draws - mean).mean().item.squareRoot())
    }
    // Precisions 4 + 1 and 4 + 4.
    let byContrast = try posterior(Contrastive(atoms: 30) { (-0.5 * square($0)).sumPerRow() })
    #expect(abs(byContrast.mean - 1.2) < 0.12 && abs(byContrast.deviation - 0.2.squareRoot()) < 0.08)
    let byLikelihood = try posterior(.maximumLikelihood)
    #expect(abs(byLikelihood.mean - 1.25) < 0.06 && abs(byLikelihood.deviation - 0.125.squareRoot()) < 0.04)
    #expect(byContrast.deviation > byLikelihood.deviation + 0.05)
  }

  /// The loss from its formula, in loops; atoms are other rows, each at most once, and shards change nothing.
  @Test func contrastiveLossIsItsFormula() throws {
    let (rows, atoms) = (300, 4)
    let x = Key(42).normal([rows, 2], dtype: .float64)
    let q = ConditionalNormal(MLP(hidden: [3], lastWeight: .glorotUniform))
    let (params, logPDF, sample) = try q(Key(4), inputDim: 2, contextDim: 2, dtype: .float64)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: x, context: 0.5 * x, key: Key(5))
    let objective = Contrastive(atoms: atoms) { -$0.sumPerRow() }
    let loss = try objective.valueAndGradient(at: params, step).value.item

    let order = Key(5).permutation(rows)
    var total = 0.0
    for (place, row) in order.enumerated() {
      let candidates = (0...atoms).map { order[(place + $0) % rows] }
      #expect(Set(candidates).count == atoms + 1 && candidates[0] == row)
      let odds = try candidates.map { other in
        try logPDF(params, x[other..<other + 1], given: 0.5 * x[row..<row + 1]).item + x[other].sum().item
      }
      total += Tensor(odds, dtype: .float64).logSumExp(axis: 0).item - odds[0]
    }
    #expect(abs(loss - total / Double(rows)) < 1e-12)
    #expect(abs(try objective.value(step)(params).item - loss) < 1e-12)
  }

  /// The binary loss from its formula, in loops; each row has one partner, another row.
  @Test func binaryContrastIsItsFormula() throws {
    let rows = 300
    let x = Key(42).normal([rows, 2], dtype: .float64)
    let q = ConditionalNormal(MLP(hidden: [3], lastWeight: .glorotUniform))
    let (params, logPDF, sample) = try q(Key(4), inputDim: 2, contextDim: 2, dtype: .float64)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: x, context: 0.5 * x, key: Key(5))
    let objective = BinaryContrast { -$0.sumPerRow() }
    let loss = try objective.valueAndGradient(at: params, step).value.item

    let order = Key(5).permutation(rows)
    var total = 0.0
    for (place, row) in order.enumerated() {
      let other = order[(place + 1) % rows]
      func ratio(_ number: Int) throws -> Tensor {
        try logPDF(params, x[number..<number + 1], given: 0.5 * x[row..<row + 1]) + x[number].sum()
      }
      total += try (log(1 + exp(-ratio(row))) + log(1 + exp(ratio(other)))).item
    }
    #expect(abs(loss - total / Double(rows)) < 1e-12)
  }

  /// x ~ N(0, 1), c = x + N(0, 1): the binary loss is lowest at f = log p(x, c) / p(x) p(c), with its
  /// constant.
  @Test func binaryContrastIsLowestAtTheRatio() throws {
    let x = Key(43).normal([20_000, 1], dtype: .float64)
    let context = x + Key(44).normal([20_000, 1], dtype: .float64)
    // The ratio is N(x; c / 2, 1 / 2) / N(x; 0, 1).
    let q = ConditionalNormal(MLP(hidden: []))
    let (params, logPDF, sample) = try q(Key(4), inputDim: 1, contextDim: 1, dtype: .float64)
    func loss(shift: Double, scale: Double) throws -> Double {
      let body = LogPDF(logPDF.boundary) { (_, x, context) throws(FlowError) in
        let residual = x - 0.5 * context!
        return (shift - scale * square(residual) - 0.5 * 1.1447298858494002).sumPerRow()  // ½ log π
      }
      let step = TrainingStep(logPDF: body, sample: sample, rows: x, context: context, key: Key(5))
      return try BinaryContrast { (-0.5 * square($0) - 0.9189385332046727).sumPerRow() }.value(step)(params)
        .item
    }
    let best = try loss(shift: 0, scale: 1)
    for (shift, scale) in [(0.3, 1.0), (-0.3, 1), (0, 1.5), (0, 0.6)] {
      #expect(try loss(shift: shift, scale: scale) > best + 0.002)
    }
  }

  // MARK: - Rows held out

  /// Rows that are given as those held out: the drawn ones change nothing, and others are what is judged.
  @Test func chosenRowsAreHeldOut() throws {
    let data = Key(45).normal([60, 2])
    func fitted(_ heldOut: [Int]?) throws -> Fitted {
      try fit(
        Flow(ActNorm()), to: data, key: Key(6), epochs: 3, optimizer: Adam(learningRate: 0.01),
        holdingOut: heldOut, progress: .silent)
    }
    let drawn = try fitted(nil)
    let again = try fitted(try rowsHeldOut(of: data, share: 0.1, key: Key(6)))
    #expect(again.params.isIdentical(to: drawn.params) && again.history == drawn.history)
    let chosen = try fitted([3, 50, 7])
    let own = -(try chosen.logPDF(chosen.params, data.rows([3, 50, 7]))).mean().item
    #expect(abs(chosen.bestRecord.validationLoss! - own) < 1e-5)
  }

  // MARK: - Averages and gathered gradients

  @Test func fitJudgesAndReturnsTheAverage() throws {
    let data = gaussianData(200)
    func run(_ optimizer: any Optimizer, validation: Double) throws -> Fitted {
      try fit(
        smallFlow, to: data, key: Key(3), epochs: 3, batchSize: 60, optimizer: optimizer,
        validationFraction: validation, patience: nil, progress: .silent)
    }
    for validation in [0, 0.2] {
      let plain = try run(Adam(learningRate: 0.01), validation: validation)
      let averaged = try run(MovingAverage(Adam(learningRate: 0.01), decay: 0.9), validation: validation)
      #expect(losses(averaged) == losses(plain), "the steps are the same")
      #expect(!averaged.params.isIdentical(to: plain.params))
      // A decay of 0 keeps the latest parameters: nothing is averaged.
      let latest = try run(MovingAverage(Adam(learningRate: 0.01), decay: 0), validation: validation)
      #expect(latest.params.isIdentical(to: plain.params) && latest.history == plain.history)
    }
    let averaged = try run(MovingAverage(Adam(learningRate: 0.01), decay: 0.9), validation: 0.2)
    let held = data.rows(Array(Key(3).folded(in: 1).permutation(200)[..<40]))
    let loss = -(try averaged.logPDF(averaged.params, held)).mean().item
    #expect(loss == averaged.history.compactMap(\.validationLoss).min())
  }

  /// Batches of 50 in pairs are batches of 100, where rows alone make the loss.
  @Test func gatheredBatchesAreALargeBatch() throws {
    let data = gaussianData(400).cast(to: .float64)
    func run(_ size: Int, _ optimizer: any Optimizer) throws -> Params {
      try fit(
        Flow(Serial(InvertibleLinear(), AffineCoupling(MLP(hidden: [8])))), to: data, key: Key(3), epochs: 3,
        batchSize: size, optimizer: optimizer, validationFraction: 0, progress: .silent
      ).params
    }
    let large = try run(100, Adam(learningRate: 0.01))
    let gathered = try run(50, MultiSteps(Adam(learningRate: 0.01), every: 2))
    let close = try gathered.zip(with: large) { isClose($0, $1, 1e-10) }
    #expect(close.leaves.allSatisfy { $0 })
    #expect(!(try run(50, Adam(learningRate: 0.01))).isIdentical(to: gathered))
  }

  // MARK: - Freezing

  @Test func frozenPathsStay() throws {
    let data = gaussianData(100)
    let (start, _, _) = try smallFlow(Key(9), inputDim: 2)
    let fitted = try fit(
      smallFlow, to: data, start: start, freezing: ["bijection/0", "bijection/*/net/**/bias"], key: Key(3),
      epochs: 2, progress: .silent)
    var moved: Set<String> = []
    try start.forEach { path, before, isFrozen in
      let after = try #require(fitted.params[path: path])
      if !after.value!.isIdentical(to: before) { moved.insert(path) }
      if case .frozen = after { #expect(isFrozen, "\(path) comes back as it was") }
    }
    let free = start.paths.filter {
      !$0.hasPrefix("bijection/0") && !($0.contains("/net/") && $0.hasSuffix("/bias"))
    }
    #expect(!moved.isEmpty && moved.isSubset(of: free), "\(moved)")
    #expect(moved.contains { $0.hasPrefix("bijection/1") } && moved.contains { $0.hasPrefix("bijection/2") })
    // The result is a tree of this distribution: it can be evaluated, loaded, and frozen by hand.
    #expect(try fitted.logPDF(fitted.params, data).isFinite)
    #expect(try fitted.logPDF(fitted.params.freezing("bijection"), data).isFinite)
  }

  @Test func misspeltPathsAndForeignStartsThrow() throws {
    for paths in [["bijection/7"], ["bijection/0", "bias"], ["prior/*"]] {
      let error = #expect(throws: FlowError.self) {
        try fit(
          smallFlow, to: gaussianData(20), freezing: Freezing(paths), key: Key(0), epochs: 1,
          progress: .silent)
      }
      #expect(error?.description.contains("a leaf under \(paths.last!)") == true)
    }
    #expect(throws: FlowError.self) {
      try fit(smallFlow, to: gaussianData(20), start: .empty, key: Key(0), epochs: 1, progress: .silent)
    }
  }

  @Test func everythingFrozenIsFine() throws {
    let (start, _, _) = try smallFlow(Key(9), inputDim: 2)
    let fitted = try fit(
      smallFlow, to: gaussianData(50), start: start, freezing: ["bijection"], key: Key(0), epochs: 2,
      progress: .silent)
    #expect(fitted.params.isIdentical(to: start))
  }

  // MARK: - Rates

  @Test func plateauSeesTheValidationLoss() throws {
    // Nothing improves by more than 10⁹: each epoch after the first is one of a plateau.
    let plateau = ReduceOnPlateau(factor: 0.5, patience: 1, absolute: 1e9)
    let log = Log<Double>()
    _ = try fit(
      smallFlow, to: gaussianData(100), key: Key(3), epochs: 4, batchSize: 100,
      optimizer: Chain(Watched { _ in }, plateau, Noted { log.entries.append($0) }), patience: nil,
      progress: .silent)
    let ratios = zip(log.entries, log.entries.dropFirst()).map { $1 / $0 }
    // The first loss beats infinity, so that the scale falls from the third step on.
    #expect(log.entries.count == 4 && ratios[1] < 0.75 && ratios[2] < 0.75 && ratios[0] > 0.75, "\(ratios)")
  }

  /// Below 0 a share of the best loss counts the same way: −10.5 is better than −10, −9.9995 is not.
  @Test func plateausOfNegativeLosses() throws {
    let plateau = ReduceOnPlateau(factor: 0.5, patience: 2, relative: 1e-3)
    let params: Params = ["w": .leaf(Tensor([1]))]
    func scale(after losses: [Double]) throws -> Double {
      let state = try losses.reduce(plateau.initialize(params)) { try plateau.observing($1, $0) }
      return try plateau.transform(params, state, params).step["w"].item
    }
    #expect(try scale(after: [-10, -10.5, -11, -12]) == 1)
    #expect(try scale(after: [-10, -9.9995, -9.9995]) == 0.5)
    #expect(try scale(after: [-10, -10.001, -10.002]) == 0.5)
    #expect(try scale(after: [.infinity, .infinity]) == 0.5)
    #expect(try scale(after: [.infinity, 1, .nan, -1]) == 1)
  }

  @Test func learningRateSearchFindsTheSlope() throws {
    let data = 3 * gaussianData(500) + 5
    let flow = Flow(Serial(InvertibleLinear(), AffineCoupling(MLP(hidden: [8])), ElementwiseAffine()))
    func search() throws -> LearningRateSearch {
      try findLearningRate(flow, to: data, key: Key(1), from: 1e-5, to: 10, steps: 60, batchSize: 100)
    }
    let result = try search()
    #expect(result == (try search()), "same key, same bits")
    #expect(abs(result.rates[0] - 1e-5) < 1e-12 && result.rates.count == result.losses.count)
    let ratios = zip(result.rates, result.rates.dropFirst()).map { $1 / $0 }
    #expect(ratios.allSatisfy { abs($0 / ratios[0] - 1) < 1e-9 } && ratios[0] > 1)
    let rate = try #require(result.suggestion)
    #expect(rate > 1e-3 && rate < 3, "\(rate)")
    // What is suggested trains, and far faster than a hundredth of it.
    func loss(_ rate: Double) throws -> Double {
      try fit(
        flow, to: data, key: Key(2), epochs: 3, batchSize: 100,
        optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .constant(rate))), progress: .silent
      ).history.last!.trainingLoss
    }
    #expect(try loss(rate) < loss(rate / 100) - 1)
  }

  @Test func learningRateSearchEndsWithTheNumbers() throws {
    let flow = fragile { a, x in (log(0.0199 - a) + 1_000 * a).broadcast(to: [x.rows]) }
    let result = try findLearningRate(
      flow, to: gaussianData(64), key: Key(1), from: 1e-3, to: 1e3, steps: 50,
      optimizer: { Adam(learningRate: $0) })
    #expect(result.losses.count < 50 && result.losses.allSatisfy(\.isFinite))
    #expect(LearningRateSearch(rates: [1, 2], losses: [1, 2]).suggestion == nil)
    #expect(LearningRateSearch(rates: [1, 2, 4, 8], losses: [5, 4, 1, 3]).suggestion == 4)
  }

  /// Notes how long the step is that comes by.
  private struct Noted: Optimizer {
    let note: @Sendable (Double) -> Void
    func initialize(_ params: Params) -> Params { .empty }
    func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
      step: Params, state: Params
    ) {
      note(gradient.norm)
      return (gradient, state)
    }
  }
}
