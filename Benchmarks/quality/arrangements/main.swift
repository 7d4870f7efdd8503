// Compares arrangements of layers and settings of training on validation rows, one change at a time.
//
//     swift run -c release arrangements FOLDER [--sets breast-cancer,wine] [--splits 0,1,2] [--only TEXT]
//
// FOLDER holds the splits that quality.sets writes. Test rows are not read. It prints a line per set and
// arrangement: the mean over the splits of the best validation loss, in nats per row of standardized columns.
import Arguments
import Flows
import Foundation

/// A flow and the settings that train it.
struct Arrangement {
  var name = "splines, shuffles, one normal; weight decay 10, averaged"
  var layers = 3
  var mixing: [any Bijection] = [Shuffle()]
  var isLinearFirst = false
  var conditioner = MADE(hidden: [128, 128])
  var transformer: any Transformer = RationalQuadraticSpline(bins: 8, bound: 4)
  var isCoupling = false
  var prior: any Distribution = GaussianMixture(components: 1, shrinkage: 10)
  var weightDecay = 10.0
  var decayed = DecayedParameters.matrices
  var learningRate = 2e-3
  var averaging = 0.99
  var batchSize: Int?
  var noise = 0.0
  var clipping = 10.0
  var isConstantRate = false
  var steps: Int?
  var hasHeavyTail = false
  var dropout = 0.0

  var flow: Flow {
    let layer: any Bijection =
      isCoupling
      ? Coupling(MLP(hidden: [128, 128]), transformer) : Autoregressive(conditioner, transformer)
    let block = isLinearFirst ? mixing + [layer] : [layer] + mixing
    let tail = StudentT(degreesOfFreedom: 2, .learned)
    let whole: any Distribution =
      hasHeavyTail
      ? Mixture([prior, tail], weights: .learned(from: Tensor([0.999, 0.001], dtype: .float64))) : prior
    return Flow(Serial((0..<layers).flatMap { _ in block }), prior: whole)
  }

  /// The default with one change.
  static func with(_ name: String, _ change: (inout Arrangement) -> Void) -> Arrangement {
    var arrangement = Arrangement()
    arrangement.name = name
    change(&arrangement)
    return arrangement
  }

  static let all: [Arrangement] = [
    Arrangement(),
    .with("linear maps before the splines") { ($0.mixing, $0.isLinearFirst) = ([InvertibleLinear()], true) },
    .with("linear maps after the splines") { $0.mixing = [InvertibleLinear()] },
    .with("reversals instead of shuffles") { $0.mixing = [Reverse()] },
    .with("standard normal prior") { $0.prior = Normal() },
    .with("mixture of 2 normals") { $0.prior = GaussianMixture(components: 2, shrinkage: 10) },
    .with("mixture of 4 normals") { $0.prior = GaussianMixture(components: 4, shrinkage: 10) },
    .with("mixture of 8 normals") { $0.prior = GaussianMixture(components: 8, shrinkage: 10) },
    .with("1 layer") { $0.layers = 1 },
    .with("6 layers") { $0.layers = 6 },
    .with("couplings") { ($0.isCoupling, $0.layers) = (true, 6) },
    .with("affine maps") { $0.transformer = Affine() },
    .with("affine maps, exponential scale") { $0.transformer = Affine(scale: .exponential) },
    .with("affine maps, sigmoid scale") { $0.transformer = Affine(scale: .sigmoid(shift: 2)) },
    .with("4 bins") { $0.transformer = RationalQuadraticSpline(bins: 4, bound: 4) },
    .with("16 bins") { $0.transformer = RationalQuadraticSpline(bins: 16, bound: 4) },
    .with("bound 8") { $0.transformer = RationalQuadraticSpline(bins: 8, bound: 8) },
    .with("hidden 64, 64") { $0.conditioner = MADE(hidden: [64, 64]) },
    .with("hidden 256, 256") { $0.conditioner = MADE(hidden: [256, 256]) },
    .with("a residual block") { $0.conditioner = MADE(width: 128, residualBlocks: 1) },
    .with("no weight decay") { $0.weightDecay = 0 },
    .with("weight decay 1") { $0.weightDecay = 1 },
    .with("weight decay 3, all parameters") { ($0.weightDecay, $0.decayed) = (3, .all) },
    .with("weight decay 30") { $0.weightDecay = 30 },
    .with("rate 0.0005") { $0.learningRate = 5e-4 },
    .with("no averaging") { $0.averaging = 0 },
    .with("32 rows a step") { $0.batchSize = 32 },
    .with("noise 0.05") { $0.noise = 0.05 },
    .with("constant rate") { $0.isConstantRate = true },
    .with("rate 0.005") { $0.learningRate = 5e-3 },
    .with("2,000 steps") { $0.steps = 2_000 },
    .with("clipping at 1") { $0.clipping = 1 },
    .with("no clipping") { $0.clipping = 1e30 },
    .with("random degrees of hidden units") {
      $0.conditioner = MADE(hidden: [128, 128], hiddenDegrees: .random)
    },
    .with("tanh") { $0.conditioner = MADE(hidden: [128, 128], activation: .tanh) },
    .with("small last weights") {
      $0.conditioner = MADE(hidden: [128, 128], lastWeight: .normal(standardDeviation: 0.01))
    },
    .with("bound 2") { $0.transformer = RationalQuadraticSpline(bins: 8, bound: 2) },
    .with("dropout of 0.1") { $0.dropout = 0.1 },
    .with("dropout of 0.3") { $0.dropout = 0.3 },
    .with("a heavy-tailed component") { $0.hasHeavyTail = true },
  ]

  /// The best validation loss.
  func loss(on rows: Tensor, _ key: Key) throws -> Double {
    var settings = FitSettings(rows: rows.rows)
    if let batchSize { settings.batchSize = batchSize }
    settings.steps = self.steps ?? settings.steps
    let steps = settings.steps / settings.stepsPerEpoch * settings.stepsPerEpoch
    let adam = AdamW(
      learningRate: isConstantRate ? .constant(learningRate) : .cosine(learningRate, steps: steps),
      weightDecay: weightDecay, decayed: decayed)
    let chain = Chain(ClipByGlobalNorm(clipping), adam)
    let (noise, averaging) = (noise, averaging)
    let objective: any Objective = dropout > 0 ? Dropout(rate: dropout) : MaximumLikelihood()
    let fitted = try fit(
      flow, to: rows, by: objective, key: key, epochs: steps / settings.stepsPerEpoch,
      batchSize: settings.batchSize,
      optimizer: averaging > 0 ? MovingAverage(chain, decay: averaging) : chain,
      validationFraction: settings.validationFraction,
      patience: .epochs(max(10, 400 / settings.stepsPerEpoch)),
      augment: { noise > 0 ? $1 + noise * $0.normal($1.shape) : $1 }, progress: .silent)
    return fitted.state.best?.loss ?? .infinity
  }
}

let arguments = Arguments.orExit(
  "arrangements", "Compares arrangements of layers on validation rows.",
  options: [
    .init("sets", "A,B", default: "breast-cancer,wine,moons,digits", "the data sets"),
    .init("splits", "N,N", default: "0,1,2", "the splits"),
    .init("only", "TEXT", default: "", "only the changes whose names have this text"),
  ], operands: ["FOLDER"])
let splits = arguments.text("splits").split(separator: ",").compactMap { Int($0) }
let only = arguments.text("only")
for set in arguments.text("sets").split(separator: ",") {
  for arrangement in Arrangement.all
  where only.isEmpty || arrangement.name.contains(only) {
    var losses: [Double] = []
    for split in splits {
      let rows = try NPY.read("\(arguments.operands[0])/\(set)/\(split)/train.npy", dtype: .float32)
      losses.append(try arrangement.loss(on: rows, Key(split)))
    }
    let mean = losses.reduce(0, +) / Double(losses.count)
    print("\(set)\t\(arrangement.name)\t\(String(format: "%.3f", mean))")
    fflush(nil)
  }
}
