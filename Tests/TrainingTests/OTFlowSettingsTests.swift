import Bijections
import Integration
import Randomness
import TestSupport
import Tensors
import Testing

@testable import Distributions
@testable import Training

/// The training of OT-Flow as in the paper's code.
@Suite struct OTFlowSettingsTests {
  /// Each step of the code clips the parameters, and then takes a gradient there and a step of Adam. Our
  /// parameters after a step are those that its next step clips to.
  @Test func parametersAreClippedAsInTheCode() throws {
    func slope(_ p: Tensor) -> Tensor { p - Tensor([3, -0.4, -7], dtype: .float64) }
    let (adam, start) = (Adam(learningRate: 0.2), Tensor([1, -1.4, 0], dtype: .float64))
    let clipped = Chain(adam, ClipParameters(to: -1.5...1.5))
    var (theirs, theirState) = (Params.leaf(start), adam.initialize(.leaf(start)))
    var (ours, ourState) = (Params.leaf(start), clipped.initialize(.leaf(start)))
    for _ in 0..<20 {
      theirs = theirs.map { minimum(maximum($0, -1.5), 1.5) }
      (theirs, theirState) = try adam.update(theirs.map(slope), theirState, theirs)
      (ours, ourState) = try clipped.update(ours.map(slope), ourState, ours)
      #expect(isClose(ours.value!, minimum(maximum(theirs.value!, -1.5), 1.5), 1e-15))
    }
    #expect(ours.value!.doubles[0] == 1.5 && ours.value!.doubles[2] == -1.5)
    #expect(abs(ours.value!.doubles[1]) < 1)
    // Numbers that start outside come in.
    let far = Params.leaf(Tensor([10, -20], dtype: .float64))
    let inside = try clipped.update(far.map { 0 * $0 }, clipped.initialize(far), far).params
    #expect(isClose(inside.value!, Tensor([1.5, -1.5], dtype: .float64), 1e-14))
  }

  /// The rate of MINIBOONE: with 20 batches per epoch, a validation is an epoch. More than 15 without a lower
  /// loss divide the rate by 10, three times; the fourth time ends the run.
  @Test func theRateFallsWhereValidationStalls() throws {
    let (settings, rows) = (OTFlowSettings.miniboone, 39_999)
    let optimizer = settings.optimizer(trainingRows: rows)
    let params = Params.leaf(Tensor([0], dtype: .float64))
    var (state, losses) = (optimizer.initialize(params), [Double]())
    func rate() throws -> Double {
      // The first step of Adam has the length of its rate.
      -(try optimizer.update(.leaf(Tensor([1], dtype: .float64)), state, params).params.value!.item)
    }
    func validate(_ loss: Double, times: Int) throws {
      for _ in 0..<times {
        losses.append(loss)
        state = try optimizer.observing(loss, state)
      }
    }
    func check(_ expected: Double) throws {
      let found = try rate()
      #expect(abs(found / expected - 1) < 1e-6, "\(found) after \(losses.count) validations")
    }
    try validate(5, times: 16)
    try check(0.02)
    try validate(4, times: 1)  // lower: the count starts again
    try validate(4, times: 15)
    try check(0.02)
    try validate(6, times: 1)
    try check(0.002)
    try validate(4, times: 16)
    try check(2e-4)
    try validate(4, times: 16)
    try check(2e-5)
    try validate(4, times: 15)
    #expect(!settings.hasEnded(losses, trainingRows: rows))
    try validate(4, times: 1)
    try check(2e-5)
    #expect(settings.hasEnded(losses, trainingRows: rows))
  }

  @Test func patienceIsThatOfTheSteps() {
    // 16 validations, 20 steps apart, are 21 epochs of 15 batches: MINIBOONE's own rows.
    func stall(_ count: Int, _ settings: OTFlowSettings, _ rows: Int) -> Bool {
      settings.hasEnded([0] + [Double](repeating: 1, count: count), trainingRows: rows)
    }
    #expect(stall(84, .miniboone, 29_556) && !stall(83, .miniboone, 29_556))
    #expect(stall(4, .bsds300, 1_000_000) && !stall(3, .bsds300, 1_000_000))
    #expect(!stall(10_000, .moons, 5_000))
    #expect(OTFlowSettings.miniboone.epochs(trainingRows: 29_556) == 534)
    #expect(OTFlowSettings.checkerboard.epochs(trainingRows: 10_001) == 10_000)
  }

  /// The rate of a two-dimensional example halves after each so many steps, and nothing is clipped.
  @Test func theRateOfToysHalves() throws {
    let optimizer = OTFlowSettings.eightGaussians.optimizer(trainingRows: 5_000)
    var params = Params.leaf(Tensor([0], dtype: .float64))
    var (state, lengths) = (optimizer.initialize(params), [Double]())
    for _ in 0..<1_001 {
      let next = try optimizer.update(.leaf(Tensor([1], dtype: .float64)), state, params)
      lengths.append(params.value!.item - next.params.value!.item)
      (params, state) = next
    }
    for (step, rate) in [(0, 0.1), (499, 0.1), (500, 0.05), (999, 0.05), (1_000, 0.025)] {
      #expect(abs(lengths[step] / rate - 1) < 1e-6, "step \(step)")
    }
    #expect(params.value!.item < -70)
  }

  /// A fit keeps the bounds, counts stalls, and returns functions of the validation's solver.
  @Test func fitsBySettings() throws {
    let settings = OTFlowSettings(
      (2, 3, 4), batch: 20, width: 5, (100, 15), rate: 1,
      .onPlateau(divisor: 10, patience: 0, interval: 1), bound: 1.1, 40)
    let data = 3 * wave([44, 2], dtype: .float32)
    var epochs = 0
    let fitted = try fit(settings, to: data, key: Key(2), progress: .silent) { _ in
      epochs += 1
      return .proceed
    }
    func sizes(_ params: Params) -> [Double] { params.learnedLeaves.flatMap { abs($0).doubles } }
    #expect(sizes(fitted.params).max()! < 1.1 + 1e-6)
    #expect(sizes(fitted.state.params).max()! > 1.1 - 1e-6)
    let (_, logPDF, _) = try Flow.otFlow(settings, steps: 3)(Key(0), inputDim: 2)
    #expect(try fitted.logPDF(fitted.params, data).isIdentical(to: logPDF(fitted.params, data)))
    let losses = fitted.history.map { $0.validationLoss! }
    let stalls = losses.indices.count { i in i > 0 && losses[i] >= losses[..<i].min()! }
    // Two steps per epoch: 20 epochs, or fewer where four of them are no better than an earlier one.
    #expect(stalls == 4 && losses.count < 20 && fitted.ending == .stoppedByCallback, "\(losses)")
    #expect(epochs == losses.count - 1)
  }
}
