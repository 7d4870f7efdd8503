/// The settings of OT-Flow's experiments, as its public code has them.
///
/// `fit(settings, to: data, key: key)` trains with them. All use Adam. The names are those of the paper's
/// data sets.
///
/// Onken et al. 2021, *OT-Flow*, arXiv 2006.00104.
public struct OTFlowSettings: Sendable, Hashable {
  /// The rule by which Adam's rate falls.
  public enum RateFall: Sendable, Hashable {
    /// The rate is halved after each so many steps.
    case halving(every: Int)
    /// The rate is divided by `divisor` when more than `patience` validations in a row have found no lower
    /// loss. They are `interval` steps apart.
    ///
    /// It falls three times at most. Where a fourth fall would follow, the run ends.
    case onPlateau(divisor: Double, patience: Int, interval: Int)
  }

  /// The width of the residual network.
  public let width: Int
  /// The steps of the solver in training, on held-out rows, and on test rows.
  public let trainingSteps, validationSteps, testSteps: Int
  /// The rows of a batch.
  public let batchSize: Int
  /// The weights α₂ of the likelihood and α₃ of the optimality, beside a transport weight of 1.
  public let likelihood, optimality: Double
  /// The initial rate of Adam.
  public let learningRate: Double
  /// The rule by which the rate falls.
  public let rateFall: RateFall
  /// The bound of every parameter's size, which the tabular runs keep by clipping; nil for none.
  public let parameterBound: Double?
  /// The number of training steps.
  public let iterations: Int

  init(
    _ steps: (Int, Int, Int), batch: Int, width: Int, _ weights: (Double, Double), rate: Double,
    _ fall: RateFall, bound: Double? = 1.5, _ count: Int
  ) {
    (trainingSteps, validationSteps, testSteps) = steps
    (batchSize, self.width, learningRate, iterations) = (batch, width, rate, count)
    (likelihood, optimality, rateFall, parameterBound) = (weights.0, weights.1, fall, bound)
  }

  /// The settings of a two-dimensional example. Test rows take the steps of validation.
  private init(
    _ steps: (Int, Int), _ weights: (Double, Double), batch: Int = 5_000, rate: Double = 0.05,
    halving: Int = 1_000, _ count: Int = 5_000
  ) {
    self.init(
      (steps.0, steps.1, steps.1), batch: batch, width: 32, weights, rate: rate, .halving(every: halving),
      bound: nil, count)
  }

  /// POWER, 6 numbers.
  public static let power = Self(
    (10, 22, 24), batch: 10_000, width: 128, (500, 5), rate: 0.03,
    .onPlateau(divisor: 10, patience: 20, interval: 30), 36_000)
  /// GAS, 8 numbers.
  public static let gas = Self(
    (10, 28, 30), batch: 2_000, width: 350, (1_200, 40), rate: 0.01,
    .onPlateau(divisor: 10, patience: 20, interval: 50), 60_000)
  /// HEPMASS, 21 numbers.
  public static let hepmass = Self(
    (12, 24, 24), batch: 2_000, width: 256, (500, 40), rate: 0.02,
    .onPlateau(divisor: 10, patience: 15, interval: 50), 40_000)
  /// MINIBOONE, 43 numbers.
  public static let miniboone = Self(
    (6, 10, 18), batch: 2_000, width: 256, (100, 15), rate: 0.02,
    .onPlateau(divisor: 10, patience: 15, interval: 20), 8_000)
  /// BSDS300, 63 numbers.
  public static let bsds300 = Self(
    (14, 30, 40), batch: 300, width: 512, (2_000, 800), rate: 0.001,
    .onPlateau(divisor: 3.3, patience: 15, interval: 100), 120_000)

  /// Eight normal distributions on a circle.
  public static let eightGaussians = Self((8, 12), (30, 1), rate: 0.1, halving: 500)
  /// The swiss roll.
  public static let swissRoll = Self((8, 16), (30, 15))
  /// Two circles.
  public static let circles = Self((8, 12), (5, 1))
  /// Two moons.
  public static let moons = Self((8, 12), (8, 1))
  /// The pinwheel.
  public static let pinwheel = Self((8, 12), (30, 15))
  /// Two spirals.
  public static let twoSpirals = Self((8, 12), (10, 1))
  /// The checkerboard.
  public static let checkerboard = Self((12, 16), (15, 2), batch: 10_000, 20_000)
}
