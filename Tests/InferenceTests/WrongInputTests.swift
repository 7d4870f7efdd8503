import Distributions
import Inference
import Randomness
import Tensors
import Testing
import Training

/// Histories and data that cannot be fitted: each error says what to do.
@Suite struct WrongInputTests {
  private static let rows = Tensor([[1], [2], [3], [4]], dtype: .float64)

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  private func histories(
    rows: Tensor = rows, context: Tensor? = nil, segments: [Int] = [0, 0, 1, 1],
    observables: Tensor = Tensor([3, 7]), weights: [Double]? = nil
  ) throws {
    _ = try Histories(
      rows, context: context, segments: segments, observables: observables, weights: weights)
  }

  @Test func countsMayBeWholeNumbers() throws {
    let histories = try Histories(
      WrongInputTests.rows, segments: [0, 0, 1, 1], observables: Tensor(ints: [3, 7]))
    #expect(histories.observables.doubles == [3, 7] && histories.observables.shape == [2, 1])
  }

  @Test func historiesAreChecked() {
    #expect(
      message { try histories(observables: Tensor([3, .nan])) }
        == "Histories: expected finite observables; leave out such a history with its emissions, got NaN or "
        + "infinity in row 1")
    #expect(
      message { try histories(segments: [0, 0, 0, 2], observables: Tensor([1, 2, 3])) }
        == "Histories: expected an emission in every history; leave out a history without one, whose weight "
        + "nothing can change, or add the draws that the simulator vetoed, got none in history 1")
    #expect(
      message { try histories(weights: [0, 0]) }
        == "Histories: expected weights of which none outweighs all others; simulate more histories, or "
        + "simulate them with less unequal weights, got weights that are all 0")
    #expect(
      message {
        try histories(segments: [0, 1, 2, 2], observables: Tensor([1, 2, 3]), weights: [1, 1e300, 1])
      }.hasSuffix("got one with 100 % of the sum"))
    let others = [
      message { try histories(segments: [0, 0, 1]) },
      message { try histories(segments: [0, 0, 1, 2]) },
      message { try histories(segments: [0, 0, 1, -1]) },
      message { try histories(observables: Tensor([3])) },
      message { try histories(observables: Tensor([[Double]](repeating: [], count: 2))) },
      message { try histories(observables: Tensor(3)) },
      message { try histories(context: Tensor([[1], [2]])) },
      message { try histories(context: Tensor(3)) },
      message { try histories(context: Tensor([[1], [2], [.infinity], [3]])) },
      message { try histories(rows: Tensor([1, 2, 3, 4])) },
      message { try histories(rows: Tensor(ints: [1, 2, 3, 4], shape: [4, 1])) },
      message { try histories(context: .zeros([4, 1])) },
      message { try histories(rows: Tensor([[1], [.nan], [3], [4]])) },
      message { try histories(weights: [1]) },
      message { try histories(weights: [1, -1]) },
      message { try histories(weights: [1, .nan]) },
    ]
    for text in others { #expect(text.hasPrefix("Histories: expected "), "\(text)") }
  }

  private func tuning(
    _ data: ObservedData, histories: Histories? = nil, steps: Int = 2, rate: Double? = nil
  ) -> String {
    message {
      let decays = try Decays()
      _ = try fineTune(
        decays.flow, try rate.map(decays.params) ?? decays.params,
        histories: histories ?? decays.simulate(Key(1), decays.params, count: 50), to: [data], steps: steps,
        progress: .silent)
    }
  }

  @Test func dataOutOfReachAreRefused() {
    let far = Tensor([-3, -2, -1, -5], dtype: .float64)
    #expect(
      tuning(.samples(far))
        == "fineTune: expected data of samples that the simulator reaches; check units and columns, or start "
        + "from a model whose histories overlap the data, got 100 % of them where no history lies")
    #expect(
      tuning(.histogram(far, bins: Bins(4, over: -6...(-0.5)), minimumEntries: 1)).hasSuffix(
        "got 100 % of them where no history lies"))
    #expect(
      tuning(.samples(Tensor([1, .nan]))) == "samples: expected finite data, got NaN or infinity in row 1")
    #expect(tuning(.samples(Tensor([1, 2]), observables: [2])).contains("observable 2 of those from 0 to 1"))
    #expect(tuning(.samples(Tensor([1, 2]), observables: [-1])).contains("observable -1"))
    #expect(tuning(.samples(Tensor([[1, 2]]))).contains("data [rows, 1]"))
    #expect(tuning(.samples(.zeros([0]))).contains("a row at least"))
    #expect(
      tuning(.histogram(Tensor([1, 2, 3]), bins: Bins(4, over: 0...8)))
        == "histogram: expected two bins or more of at least 20.0 measured entries; take wider bins or a "
        + "lower minimumEntries, got 0")
    for counts: [Double] in [[1, 2], [1, -1, 3], [0, 0, 0], [1, .nan, 2]] {
      #expect(tuning(.histogram(counts: counts, bins: Bins(3, over: 0...3))).contains("expected counts 3"))
    }
  }

  /// An emission that the parameters exclude was not drawn with them.
  @Test func emissionsOfAnotherModelAreRefused() throws {
    let histories = try Histories(
      Tensor([[1], [2], [-3], [4]], dtype: .float64), segments: [0, 0, 1, 1],
      observables: Tensor([3, 1], dtype: .float64))
    let text = tuning(.samples(Tensor([1, 2])), histories: histories)
    #expect(
      text
        == "Histories: expected values of a finite log-density under the parameters that they were drawn "
        + "with; give the parameters and the contexts of the simulation, got -inf in row 2")
    let single = try Histories(
      Tensor([[1], [2]]), segments: [0, 1], observables: Tensor([3, 1]))
    #expect(
      tuning(.samples(Tensor([1, 2])), histories: single).contains("the parameter tree does not match"))
  }

  /// No point on the way of a step to NaN has weights.
  @Test func parametersThatAreNoNumbersEndTheFit() throws {
    let decays = try Decays()
    let histories = try decays.simulate(Key(1), decays.params, count: 50)
    do {
      _ = try fineTune(
        decays.flow, decays.params, histories: histories, to: [.samples(Tensor([1, 2]))],
        optimizer: SGD(learningRate: .constant(.infinity)), progress: .silent)
      Issue.record("no error")
    } catch FlowError.diverged(_, _, let what, let lastGood) {
      #expect(what == "a parameter")
      #expect(lastGood["logRate"].isIdentical(to: decays.params["logRate"]))
    }
  }

  @Test func aDivergedFitHoldsGoodParameters() throws {
    let decays = try Decays()
    let histories = try decays.simulate(Key(1), decays.params, count: 50)
    let broken = ObservedData("broken") { _ in { shares in log(shares[0..<1].sum() - 1) } }
    do {
      _ = try fineTune(
        decays.flow, decays.params, histories: histories, to: [broken], progress: .silent)
      Issue.record("no error")
    } catch FlowError.diverged(_, _, _, let lastGood) {
      #expect(lastGood["logRate"].isIdentical(to: decays.params["logRate"]))
    }
  }
}
