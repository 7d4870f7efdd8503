import Bijections
import Distributions
import Integration
import Randomness
import Tensors
import Testing

@testable import Training

/// `FitSettings`, the folds of `fit`, `select` and `Flow.auto`.
@Suite struct SelectionTests {
  /// Two clusters on a diagonal, correlated.
  private let rows: Tensor = {
    let noise = Key(1).normal([240, 2])
    let side = (Key(2).uniform([240]) .< 0.5).cast(to: .float32).expanded(axis: 1)
    return matmul(noise, Tensor([[0.5, 0.3], [0, 0.2]])) + 6 * side
  }()
  private var quick: FitSettings {
    var settings = FitSettings(rows: 240)
    (settings.steps, settings.folds, settings.validationFraction) = (24, 3, 1.0 / 3)
    return settings
  }
  private let small = Flow.splineMixture(layers: 1, hidden: [8], bins: 4)

  @Test(arguments: [
    (1, 64, 1, 0.2), (999, 64, 5, 0.2), (1_000, 256, 5, 0.2), (20_000, 256, 1, 0.1), (50_000, 512, 1, 0.1),
  ])
  func settingsFollowTheRows(rows: Int, batch: Int, folds: Int, held: Double) {
    let settings = FitSettings(rows: rows)
    #expect(settings.batchSize == batch && settings.folds == folds)
    #expect(settings.validationFraction == held)
  }

  /// The settings that a fit has by itself are those of `FitSettings`.
  @Test func fitTakesTheSettings() throws {
    let short = rows[0..<40]
    var settings = FitSettings(rows: 40)
    settings.validationFraction = 0.1
    settings.epochs = 3
    let own = try fit(small, to: short, key: Key(0), epochs: 3, progress: .silent)
    let stated = try fit(
      small, to: short, key: Key(0), epochs: 3, batchSize: 64, optimizer: settings.optimizer,
      patience: nil, progress: .silent)
    #expect(own.params.isIdentical(to: stated.params) && own.history == stated.history)
    let other = try fit(
      small, to: short, key: Key(0), epochs: 3, batchSize: 16, optimizer: settings.optimizer,
      patience: nil, progress: .silent)
    #expect(!own.params.isIdentical(to: other.params))
  }

  /// The folds of one key hold out every row once: a distribution that starts from its rows shows which.
  @Test func foldsHoldOutEveryRowOnce() throws {
    let numbers = Tensor((0..<12).map(Double.init), shape: [12, 1])
    var sum = 0.0
    for fold in 0..<4 {
      let fitted = try fit(
        Flow(ActNorm()), to: numbers, key: Key(4), epochs: 1, optimizer: SGD(learningRate: 0),
        validationFraction: 0.25, fold: fold, progress: .silent)
      // The bias is the mean of the nine rows to train on.
      sum += 66 - 9 * fitted.params.child("bijection")["bias"].doubles[0]
    }
    #expect(abs(sum - 66) < 1e-3)
  }

  /// A start that training only spoils, up the gradient, is what comes back.
  @Test func initialParametersAreJudged() throws {
    let fitted = try fit(
      small, to: rows, key: Key(0), epochs: 3,
      optimizer: Chain(ClipByGlobalNorm(1), SGD(learningRate: -0.05)), progress: .silent)
    #expect(fitted.state.best?.index == -1)
    let (initial, _, _) = try small(Key(0).folded(in: 0), inputDim: [2])
    #expect(fitted.params.learnedCount == initial.learnedCount)
    #expect(fitted.history.allSatisfy { !$0.isBest })
  }

  /// A candidate trains by its objective and its training flow; its own flow and the likelihood judge it.
  @Test func candidatesAreJudgedByTheExactLikelihood() throws {
    var settings = quick
    (settings.folds, settings.steps) = (1, 12)
    func candidate(_ steps: Int, _ objective: (any Objective)?) -> Candidate {
      let flow = { Flow.cnf(hidden: [8], solver: .steps($0)) }
      return Candidate(
        "\(steps)", flow(4), training: steps == 4 ? nil : flow(steps), objective: objective)
    }
    let objectives: [(any Objective)?] = [nil, FlowMatching(), RegularizedLikelihood(transport: 0.1)]
    for objective in objectives {
      var results: [Params] = []
      for steps in [2, 4] {
        let selection = try select(
          among: [candidate(steps, objective)], fittedTo: rows, settings: settings, key: Key(3),
          progress: .silent)
        let fitted = selection.members[0].fit
        let best = try #require(fitted.bestRecord.validationLoss ?? fitted.state.best?.loss)
        #expect(abs(best - selection.validationLoss) < 1e-4 * abs(best))
        let direct = try selection.logPDF(selection.params, rows)
        let (_, fine, _) = try Flow.cnf(hidden: [8], solver: .steps(4))(Key(0), inputDim: 2)
        #expect(try fine(selection.params, rows).isIdentical(to: direct))
        #expect(try fitted.logPDF(selection.params, rows).isIdentical(to: direct))
        results.append(selection.params)
        let history = fitted.history
        #expect(history.allSatisfy { ($0.validationLoss ?? .nan).isFinite })
        if objective is FlowMatching { #expect(history[0].trainingLoss != history[0].validationLoss) }
      }
      // Matching does not solve, so that steps make no difference.
      #expect(results[0].isIdentical(to: results[1]) == (objective is FlowMatching))
    }
  }

  @Test func theBestCandidateIsTakenAndMixed() throws {
    // A flow without layers stays far from rows around (3, 3).
    let poor = Candidate("nothing", Flow(Serial()))
    let good = Candidate("mixture", Flow.splineMixture(layers: 1, hidden: [8], bins: 4, components: 2))
    let selection = try select(
      among: [poor, good], fittedTo: rows, settings: quick, key: Key(3), progress: .silent)
    #expect(selection.trials.map(\.name) == ["nothing", "mixture"])
    #expect(selection.trials.map(\.weight) == [0, 1])
    #expect(selection.trials.allSatisfy { $0.folds == 3 && $0.steps > 0 })
    #expect(selection.members.map(\.candidate) == [1, 1, 1])
    // The density is the mean of the members' densities, and draws come from all of them.
    let own = try selection.logPDF(selection.params, rows)
    let members = try selection.members.map { try $0.fit.logPDF($0.fit.params, rows) }
    let mean = stack(members, axis: 1).logSumExp(axis: 1) - log(Tensor(3))
    #expect(abs(own - mean).max(axis: 0).item < 1e-4)
    let draws = try selection.sample(Key(5), selection.params, count: 300)
    #expect(draws.shape == [300, 2] && draws.isFinite)
    let again = try select(
      among: [poor, good], fittedTo: rows, settings: quick, key: Key(3), progress: .silent)
    #expect(again.params.isIdentical(to: selection.params) && again.trials == selection.trials)
  }

  /// Stacking mixes candidates, and is no worse than the best of them on the held-out rows.
  @Test func stackedCandidatesAreMixed() throws {
    let near = [0.5, 6.5].map { place in
      Candidate(
        "normal at \(place)",
        Flow(Serial(Standardize(mean: Tensor([place, place]), deviation: Tensor([0.6, 0.6])))))
    }
    let selection = try select(
      among: near, by: .stacked, fittedTo: rows, settings: quick, key: Key(3), progress: .silent)
    #expect(selection.trials.allSatisfy { abs($0.weight - 0.5) < 0.1 }, "\(selection.trials)")
    #expect(selection.members.count == 6 && abs(selection.members.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
    #expect(selection.trials.allSatisfy { selection.validationLoss < $0.validationLoss - 10 })
    let loss = -(try selection.logPDF(selection.params, rows)).mean().item
    #expect(abs(loss - selection.validationLoss) < 1e-3)  // Nothing is learned, so all fits are alike.
  }

  /// The weights climb to the maximum: for two densities it is found by a search on a grid.
  @Test func stackingWeightsMaximizeTheLikelihood() {
    let x = (0..<50).map { Double($0) / 10 - 2 }
    let densities = [x.map { -$0 * $0 }, x.map { -2 * abs($0 - 1) }, x.map { _ in -Double.infinity }]
    let weights = stackingWeights(densities)
    func likelihood(_ w: Double) -> Double {
      x.indices.reduce(0) {
        $0
          + log(
            Tensor(w, dtype: .float64) * exp(Tensor(densities[0][$1], dtype: .float64))
              + (1 - w) * exp(Tensor(densities[1][$1], dtype: .float64))
          ).item
      }
    }
    let best = (1..<1_000).map { Double($0) / 1_000 }.max { likelihood($0) < likelihood($1) }!
    #expect(abs(weights[0] - best) < 2e-3 && abs(weights.reduce(0, +) - 1) < 1e-12 && weights[2] == 0)
    #expect(stackingWeights([[-.infinity], [-.infinity]]) == [0.5, 0.5])
  }

  @Test func oneFoldGivesTheFlowItself() throws {
    var settings = quick
    (settings.folds, settings.validationFraction) = (1, 0.1)
    let selection = try select(
      among: [Candidate("a", small)], fittedTo: rows, settings: settings, key: Key(0), progress: .silent)
    #expect(selection.distribution is Flow && selection.members.count == 1)
    #expect(selection.params.isIdentical(to: selection.members[0].fit.params))
  }

  /// A candidate that diverges is left out; if all diverge, the error comes back.
  @Test func divergedCandidatesAreLeftOut() throws {
    let diverging = Candidate(
      "diverging",
      Flow(
        Lambda { _, site in
          site.layer("Diverging", ["a": .leaf(.ones([1]))]) { params, x, _ in
            (x, (params["a"] * Double.infinity).broadcast(to: [x.rows]))
          } inverse: { params, y, _ in
            (y, (params["a"] * -Double.infinity).broadcast(to: [y.rows]))
          }
        }))
    let selection = try select(
      among: [diverging, Candidate("a", small)], fittedTo: rows, settings: quick, key: Key(0),
      progress: .silent)
    #expect(
      selection.members.allSatisfy { $0.candidate == 1 } && selection.trials[0].validationLoss == .infinity)
    #expect(throws: FlowError.self) {
      try select(among: [diverging], fittedTo: rows, settings: quick, key: Key(0), progress: .silent)
    }
  }

  /// The default is no worse than a normal distribution with full covariance, on rows it has not seen.
  @Test(arguments: [false, true])
  func autoIsNoWorseThanANormal(isNormal: Bool) throws {
    let factor = Tensor([[1, 0.8, 0.1], [0, 0.3, 0.2], [0, 0, 0.05]])
    func draw(_ key: Key, _ count: Int) -> Tensor {
      let x = matmul(key.normal([count, 3]), factor)
      return isNormal ? x : x + 3 * square(x.sliced(axis: 1, 0..<1))
    }
    let (training, test) = (draw(Key(1), 60), draw(Key(2), 2_000))
    var settings = FitSettings(rows: 60)
    settings.steps = 60
    let model = try Flow.auto(fittedTo: training, settings: settings, key: Key(0), progress: .silent)
    let loss = -(try model.logPDF(model.params, test)).mean().item
    let normal = try GaussianMixture(components: 1, shrinkage: 1e-3)(
      Key(0), inputDim: 3, initInputs: training)
    let baseline = -(try normal.logPDF(normal.params, test)).mean().item
    #expect(loss < baseline + (isNormal ? 0.05 : -0.3), "\(loss), normal \(baseline)")
    #expect(model.trials.count >= 3 && abs(model.trials.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
  }

  /// A column that is almost the sum of two others has a normal that no shrinkage may spoil.
  @Test func autoKeepsTheNormalOfNearlyDependentColumns() throws {
    let z = Key(1).normal([200, 2])
    let sum = z.sum(axis: 1).expanded(axis: 1) + 1e-4 * Key(2).normal([200, 1])
    var settings = FitSettings(rows: 200)
    (settings.steps, settings.folds) = (20, 2)
    let x = concatenate(z, sum, axis: 1)
    let model = try Flow.auto(fittedTo: x, settings: settings, key: Key(0), progress: .silent)
    let normal = try #require(try model.gaussianLoss(of: x))
    #expect(model.validationLoss < normal + 0.05, "\(model.validationLoss), normal \(normal)")
  }

  /// Columns that are almost linear in the context start at the regression, and stay as good.
  @Test func autoStartsAtARegressionOnTheContext() throws {
    let context = 5 + 2 * Key(1).normal([300, 2])
    let slopes = Tensor([[1, -2, 0.5], [3, 0.1, 0]])
    let x = matmul(context, slopes) + 1e-2 * Key(2).normal([300, 3])
    var settings = FitSettings(rows: 300)
    (settings.steps, settings.folds) = (30, 2)
    let model = try Flow.auto(
      fittedTo: x, given: context, settings: settings, key: Key(0), progress: .silent)
    let regression = try #require(try model.gaussianLoss(of: x, given: context))
    #expect(model.validationLoss < regression + 0.05, "\(model.validationLoss), regression \(regression)")
    #expect(model.trials[0].name == "splines over a normal around a regression")
    let unrelated = try Flow.autoCandidates(
      for: x, given: Key(3).normal([300, 2]), settings: settings, key: Key(0))
    #expect(unrelated.allSatisfy { !$0.regression })
  }

  @Test(arguments: [2, 3, 5])
  func autoTakesAFewRows(rows count: Int) throws {
    var settings = FitSettings(rows: count)
    settings.steps = 3
    let model = try Flow.auto(fittedTo: rows[0..<count], settings: settings, key: Key(0), progress: .silent)
    #expect(try model.logPDF(model.params, rows).isFinite)
  }

  @Test func autoWithAContextAndOneColumn() throws {
    var settings = FitSettings(rows: 240)
    (settings.steps, settings.folds, settings.validationFraction) = (8, 1, 0.1)
    let (x, context) = (rows.sliced(axis: 1, 0..<1), rows.sliced(axis: 1, 1..<2))
    let model = try Flow.auto(
      fittedTo: x, given: context, settings: settings, key: Key(0), progress: .silent)
    #expect(try model.logPDF(model.params, x, given: context).isFinite)
  }

  /// The normal's loss is the formula's, fold by fold; with a context it is that of a linear regression.
  @Test func gaussianOfTheFolds() throws {
    let selection = try select(
      among: [Candidate("one", small)], fittedTo: rows, settings: quick, key: Key(3), progress: .silent)
    #expect(selection.heldOut.flatMap { $0 }.sorted() == Array(0..<240))
    let x = rows.cast(to: .float64)
    let (a, b) = (x.sliced(axis: 1, 0..<1).doubles, x.sliced(axis: 1, 1..<2).doubles)
    func mean(_ rows: [Int], _ f: (Int) -> Double) -> Double {
      rows.reduce(0) { $0 + f($1) } / Double(rows.count)
    }
    func log(_ number: Double) -> Double { Tensors.log(Tensor(number, dtype: .float64)).item }
    var (joint, conditional) = (0.0, 0.0)
    for fold in selection.heldOut {
      let training = (0..<240).filter { !fold.contains($0) }
      let (ma, mb) = (mean(training) { a[$0] }, mean(training) { b[$0] })
      let (va, vb) = (
        mean(training) { (a[$0] - ma) * (a[$0] - ma) }, mean(training) { (b[$0] - mb) * (b[$0] - mb) }
      )
      let slope = mean(training) { (a[$0] - ma) * (b[$0] - mb) } / va
      let rest = vb - slope * slope * va
      let given = mean(fold) { i in
        let error = b[i] - mb - slope * (a[i] - ma)
        return 0.5 * (log(2 * .pi * rest) + error * error / rest)
      }
      conditional += given / 3
      joint += (given + 0.5 * (log(2 * .pi * va) + mean(fold) { (a[$0] - ma) * (a[$0] - ma) } / va)) / 3
    }
    let found = try #require(try selection.gaussianLoss(of: rows))
    #expect(abs(found - joint) < 1e-10)
    let own = try #require(
      try selection.gaussianLoss(
        of: rows.sliced(axis: 1, 1..<2), given: rows.sliced(axis: 1, 0..<1)))
    #expect(abs(own - conditional) < 1e-10)
    let twice = concatenate(rows, rows, axis: 1)
    #expect(try selection.gaussianLoss(of: twice) == nil)
  }
}
