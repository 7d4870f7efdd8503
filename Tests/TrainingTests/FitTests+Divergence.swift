import Distributions
import Randomness
import Tensors
import Testing
import Training

/// What is not finite is named, with parameters that are.
extension FitTests {
  private func divergence(_ run: () throws -> Fitted) throws -> (step: Int, what: String, lastGood: Params) {
    let error = #expect(throws: FlowError.self) { try run() }
    guard case .diverged("fit", let step, let what, let lastGood)? = error else {
      throw FlowError.verification(who: "test", message: "\(String(describing: error)) is no divergence")
    }
    #expect(error?.description.hasPrefix("fit: \(what) is not finite at step \(step);") == true)
    #expect(lastGood.leaves.allSatisfy { $0.isFinite })
    return (step, what, lastGood)
  }

  @Test(arguments: [1e30, 1e38, 1e300])
  func anAbsurdLearningRateIsNamed(_ rate: Double) throws {
    for optimizer in [SGD(learningRate: .constant(rate)), Adam(learningRate: .constant(rate))]
      as [any Optimizer]
    {
      let data = gaussianData(200)
      let error = try divergence {
        try fit(smallFlow, to: data, key: Key(3), batchSize: 60, optimizer: optimizer, progress: .silent)
      }
      #expect(error.step >= 1)
      // The last good parameters are those before the leap: they still give a density.
      let (_, logPDF, _) = try smallFlow(Key(8), inputDim: 2)
      #expect(try logPDF(error.lastGood, data).isFinite)
    }
  }

  @Test func aLossThatBecomesNaNIsNamed() throws {
    // log(0.02 − a) ends as soon as a has climbed to 0.02, in steps of 0.005.
    let flow = fragile { a, x in (log(0.0199 - a) + 1_000 * a).broadcast(to: [x.rows]) }
    let error = try divergence {
      try fit(
        flow, to: gaussianData(64), key: Key(3), batchSize: 64, optimizer: Adam(learningRate: 0.005),
        validationFraction: 0, progress: .silent)
    }
    #expect(error.what == "the loss")
    #expect(error.step == 4)
    #expect(abs(try #require(error.lastGood[path: "bijection/a"]?.value).item - 0.015) < 1e-4)
  }

  @Test func aLossThatIsNaNFromTheStart() throws {
    let flow = fragile { a, x in log(a - 1).broadcast(to: [x.rows]) }
    let error = try divergence {
      try fit(flow, to: gaussianData(64), key: Key(3), validationFraction: 0, progress: .silent)
    }
    #expect((error.step, error.what) == (0, "the loss"))
    #expect(error.lastGood[path: "bijection/a"]?.value?.item == 0)
  }

  @Test func aGradientThatIsNotFiniteIsNamed() throws {
    // √ has no finite slope at 0 unless it is taken as 0: a^0.5 by pow has none.
    let flow = fragile { a, x in pow(a, 0.5).broadcast(to: [x.rows]) }
    let error = try divergence {
      try fit(flow, to: gaussianData(64), key: Key(3), validationFraction: 0, progress: .silent)
    }
    #expect((error.step, error.what) == (0, "a gradient"))
  }

  @Test func aValidationLossOfNaNIsNamed() throws {
    // Row values beyond 50 are in the held-out rows only, and give NaN.
    let key = Key(3)
    let held = Set(key.folded(in: 1).permutation(40)[..<10])
    let data = Tensor((0..<40).map { held.contains($0) ? [100, 0] : [0.1 * Double($0), 1] })
    let flow = fragile { a, x in log(50 - x).sumPerRow() + 0 * a }
    let error = try divergence {
      try fit(flow, to: data, key: key, validationFraction: 0.25, progress: .silent)
    }
    #expect(error.what == "the validation loss")
    #expect(error.step == 1)
  }

  /// A held-out row where the model puts nothing yet is no reason to end: the loss is only worse.
  @Test func anInfiniteValidationLossIsOnlyWorse() throws {
    let key = Key(3)
    let held = Set(key.folded(in: 1).permutation(40)[..<10])
    let data = Tensor((0..<40).map { held.contains($0) ? [50, 0] : [0.1 * Double($0), 1] })
    let flow = fragile { a, x in log(50 - x).sumPerRow() + 0 * a }
    let fitted = try fit(
      flow, to: data, key: key, epochs: 10, validationFraction: 0.25, patience: 3, progress: .silent)
    #expect(fitted.history.map(\.validationLoss) == [.infinity, .infinity, .infinity])
    #expect(fitted.history.allSatisfy { !$0.isBest })
    #expect(fitted.ending == .stoppedEarly)
  }

  @Test func theLastStepIsLookedAtToo() throws {
    let error = try divergence {
      try fit(
        smallFlow, to: gaussianData(64), key: Key(3), epochs: 1, batchSize: 64,
        optimizer: SGD(learningRate: 1e300), validationFraction: 0, progress: .silent)
    }
    #expect((error.step, error.what) == (1, "a parameter"))
  }
}
