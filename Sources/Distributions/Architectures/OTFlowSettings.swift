/// The settings of OT-Flow's experiments, as its public code has them.
///
/// The tabular runs also clip every parameter to ±1.5 before each step, and divide the rate by 10 (BSDS300:
/// 3.3) when validation stalls. All use Adam.
///
/// Onken et al. 2021, *OT-Flow*, arXiv 2006.00104.
public struct OTFlowSettings: Sendable, Hashable {
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
  /// The number of training steps.
  public let iterations: Int

  private init(
    _ steps: (Int, Int, Int), batch: Int, width: Int, _ weights: (Double, Double), rate: Double, _ count: Int
  ) {
    (trainingSteps, validationSteps, testSteps) = steps
    (batchSize, self.width, learningRate, iterations) = (batch, width, rate, count)
    (likelihood, optimality) = weights
  }

  /// The settings of a two-dimensional example. Test rows take the steps of validation.
  private init(_ steps: (Int, Int), _ weights: (Double, Double), rate: Double = 0.05) {
    self.init((steps.0, steps.1, steps.1), batch: 5_000, width: 32, weights, rate: rate, 5_000)
  }

  /// POWER, 6 numbers.
  public static let power = Self(
    (10, 22, 24), batch: 10_000, width: 128, (500, 5), rate: 0.03, 36_000)
  /// GAS, 8 numbers.
  public static let gas = Self((10, 28, 30), batch: 2_000, width: 350, (1_200, 40), rate: 0.01, 60_000)
  /// HEPMASS, 21 numbers.
  public static let hepmass = Self((12, 24, 24), batch: 2_000, width: 256, (500, 40), rate: 0.02, 40_000)
  /// MINIBOONE, 43 numbers.
  public static let miniboone = Self((6, 10, 18), batch: 2_000, width: 256, (100, 15), rate: 0.02, 8_000)
  /// BSDS300, 63 numbers.
  public static let bsds300 = Self(
    (14, 30, 40), batch: 300, width: 512, (2_000, 800), rate: 0.001, 120_000)

  /// Eight normal distributions on a circle. The rate is halved every 500 steps.
  public static let eightGaussians = Self((8, 12), (30, 1), rate: 0.1)
  /// The swiss roll. The rate is halved every 1,000 steps, as in the examples below.
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
  public static let checkerboard = Self(
    (12, 16, 16), batch: 10_000, width: 32, (15, 2), rate: 0.05, 20_000)
}
