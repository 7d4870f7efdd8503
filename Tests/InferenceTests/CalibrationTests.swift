import Distributions
import Plots
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

@Suite struct CalibrationTests {
  /// Pairs of the conjugate model.
  private func pairs(_ key: Key, _ count: Int) throws -> (truths: Tensor, data: Tensor) {
    let theta = try ConjugateModel.prior().sample(key.folded(in: 0), count: count)
    return (theta, ConjugateModel.simulate(key.folded(in: 1), theta))
  }

  @Test func levelsByHand() {
    let coverage = coverageLevels(
      truths: Tensor([0, -1]), draws: Tensor([[1, -1, -2], [-2, -3, -1]]))
    #expect(coverage.doubles == [1.5 / 4, 0.5 / 4])
    // Distances from the points: the first truth 1 and draws 0, 2; the second truth 3 and draws 1, 2.
    let tarp = tarpLevels(
      truths: Tensor([[1], [3]]), draws: Tensor([0, 2, 1, 2], shape: [2, 2, 1]),
      points: Tensor([[0], [0]]), key: Key(0))
    #expect(tarp.doubles == [1.5 / 3, 2.5 / 3])
  }

  /// Under the true posterior levels are uniform. Draws that are too narrow, too wide or shifted are found by
  /// Kolmogorov's distance; coverage and TARP lie on the known side of the diagonal.
  @Test func theTruePosteriorIsCalibratedAndWrongOnesAreNot() throws {
    let (truths, data) = try pairs(Key(1), 400)
    func levels(scale: Double = 1, shift: Double = 0) -> (coverage: [Double], tarp: [Double]) {
      let draws = ConjugateModel.draws(Key(2), data, count: 60, scale: scale, shift: shift)
      let center = 0.8 * data + ConjugateModel.deviation * shift
      func density(_ theta: Tensor) -> Tensor { square(theta - center.expanded(axis: 1)).sum(axis: 2) * -1 }
      let coverage = coverageLevels(
        truths: density(truths.expanded(axis: 1)).reshaped(to: [400]), draws: density(draws))
      return (coverage.doubles, tarpLevels(truths: truths, draws: draws, key: Key(3)).doubles)
    }
    let exact = levels()
    #expect(PosteriorCalibration.distance(exact.coverage) < 1.63)
    #expect(PosteriorCalibration.distance(exact.tarp) < 1.63)
    let (narrow, wide, shifted) = (levels(scale: 0.5), levels(scale: 2), levels(shift: 1.5))
    for wrong in [narrow, wide, shifted] { #expect(PosteriorCalibration.distance(wrong.coverage) > 3) }
    for wrong in [narrow, wide] { #expect(PosteriorCalibration.distance(wrong.tarp) > 1.63) }
    func share(_ levels: [Double], upTo level: Double) -> Double {
      Double(levels.count { $0 <= level }) / Double(levels.count)
    }
    // A region of level 90 % with half the deviation holds 1 − 0.1^(1/4) = 44 % of the truths in the plane.
    #expect(abs(share(narrow.coverage, upTo: 0.9) - 0.438) < 0.08)
    #expect(abs(share(exact.coverage, upTo: 0.9) - 0.9) < 0.05)
    #expect(share(wide.coverage, upTo: 0.5) > 0.8)
  }

  @Test func distancesFromUniformLevels() {
    #expect(abs(PosteriorCalibration.distance([0.25, 0.75]) - 0.25 * 2.0.squareRoot()) < 1e-12)
    #expect(abs(PosteriorCalibration.distance([0.9]) - 0.9) < 1e-12)
  }

  /// A fitted posterior of a flow is calibrated; its pictures are drawn.
  @Test func aFittedPosteriorIsCalibrated() throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), observed: Tensor([[1.0, -0.5]]),
      by: .posterior(.maf(layers: 1, hidden: [16])), simulations: 900, key: Key(4), epochs: 20,
      optimizer: MovingAverage(Adam(learningRate: 0.02), decay: 0.95), progress: .silent)
    let calibration = try PosteriorCalibration(
      of: posterior, simulator: ConjugateModel.simulate, pairs: 100, draws: 40, key: Key(5))
    #expect(calibration.ranks.shape == [100, 2] && calibration.tarp.shape == [100])
    let far = calibration.deviations
    #expect(max(far.ranks.max()!, far.coverage, far.tarp) < 1.63)
    for picture in [calibration.ranksPicture, calibration.coveragePicture, calibration.tarpPicture] {
      #expect(picture.svg.hasSuffix("</svg>\n"))
    }
    // The same posterior is wrong for a simulator with a shift.
    let shifted = try PosteriorCalibration(
      of: posterior, simulator: { ConjugateModel.simulate($0, $1) + 0.6 }, pairs: 100, draws: 40, key: Key(5))
    #expect(shifted.deviations.ranks.min()! > 1.63)
  }

  /// Classifiers of N(0, 1) and N(δ, 1) are right with probability Φ(δ / 2) at best.
  @Test(arguments: [(0.0, 0.5), (1.0, 0.6915), (4.0, 0.9772)]) func accuraciesOfClassifiersAreKnown(
    shift: Double, accuracy: Double
  ) throws {
    let (a, b) = (Key(6).normal([600, 1]), Key(7).normal([500, 1]) + shift)
    let found = try classifierAccuracy(of: a, and: b, key: Key(8), folds: 2, steps: 120)
    #expect(abs(found - accuracy) < 0.06)
  }

  @Test func samplesThatCannotBeComparedAreErrors() {
    #expect(throws: FlowError.notFinite(who: "classifierAccuracy", what: "samples", row: nil)) {
      try classifierAccuracy(of: .full([20, 1], .nan), and: .zeros([20, 1]), key: Key(0))
    }
    #expect(
      throws: FlowError.mismatch(
        who: "classifierAccuracy", what: "samples", expected: "[10 rows or more, columns]",
        got: "[20, 1] and [20, 2]")
    ) { try classifierAccuracy(of: .zeros([20, 1]), and: .zeros([20, 2]), key: Key(0)) }
  }

  /// The local test passes the true posterior and refuses one that is wrong near the row of data.
  @Test func theLocalTestTellsRightFromWrong() throws {
    let (truths, data) = try pairs(Key(9), 400)
    func test(shift: Double) throws -> LocalTwoSampleTest {
      let estimated = ConjugateModel.draws(Key(10), data, count: 1, shift: shift).reshaped(to: [400, 2])
      let row = Tensor([[1.0, -0.5]])
      let draws = ConjugateModel.draws(Key(11), row, count: 200, shift: shift).reshaped(to: [200, 2])
      return try LocalTwoSampleTest(
        truths: truths, estimated: estimated, data: data, draws: draws, at: row, trials: 12, steps: 40,
        key: Key(12))
    }
    let (right, wrong) = (try test(shift: 0), try test(shift: 1.5))
    #expect(right.pValue > 0.05 && wrong.pValue == 1.0 / 13)
    #expect(right.null.count == 12 && wrong.statistic > 2 * right.statistic)
    #expect(right.picture.svg.contains("shuffled labels"))
    #expect(throws: FlowError.notFinite(who: "LocalTwoSampleTest", what: "draws", row: nil)) {
      try LocalTwoSampleTest(
        truths: truths, estimated: truths, data: data, draws: .full([3, 2], .nan), at: data[0..<1],
        key: Key(0))
    }
    #expect(throws: FlowError.self) {
      try LocalTwoSampleTest(
        truths: truths, estimated: truths, data: data, draws: .zeros([0, 2]), at: data[0..<1], key: Key(0))
    }
  }
}
