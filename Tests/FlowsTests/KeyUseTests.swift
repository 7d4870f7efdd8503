import Flows
import Testing

@testable import Randomness

/// No key is consumed twice: by a flow's initialization, by draws from it, or by a whole fit.
@Suite struct KeyUseTests {
  private let flow = Flow(
    Serial(
      ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: [8, 8], lastWeight: .glorotUniform)),
      Shuffle(),
      Serial(AdditiveCoupling(MLP(hidden: [8])), Inverted(AffineCoupling(MLP(hidden: [4])))), Reverse()),
    prior: Flow(InvertibleLinear(), prior: Normal(.learned)))

  @Test func initialization() throws {
    let recorder = KeyRecorder()
    try KeyRecorder.$current.withValue(recorder) { _ = try flow(Key(0), inputDim: 6) }
    #expect(recorder.reuses == [])
    // Three layers' weights, three networks and a permutation are drawn: the recorder has seen them.
    #expect(recorder.keyCount > 20)
  }

  @Test func dataDependentInitialization() throws {
    let data = Key(9).normal([20, 6])
    #expect(try KeyRecorder.reuses { _ = try flow(Key(0), inputDim: 6, initInputs: data) } == [])
  }

  @Test func sampling() throws {
    let (params, logPDF, sample) = try flow(Key(0), inputDim: 6)
    let reuses = try KeyRecorder.reuses {
      let (draws, _) = try sample.withLogPDF(Key(1), params, count: 30)
      _ = try logPDF(params, draws)
    }
    #expect(reuses == [])
  }

  @Test func samplingTables() throws {
    let lines = (0..<60).map { "\(["a", "b", "c"][$0 * $0 % 3]),\(Double($0 * $0 % 47) / 7),\($0 * $0 % 31)" }
    let table = try TextTable.parse("x,y,z\n" + lines.joined(separator: "\n") + "\n")
    let (schema, _) = try TableSchema.infer(from: table)
    let flow = Flow.orderedSplines(layers: 1, hidden: [4], bins: 3)
    let model = try TableModel(schema, flows: [flow, flow])
    for given in [[:], ["x": "b"], ["y": "1.5", "z": "4"]] {
      let recorder = KeyRecorder()
      let draws = try KeyRecorder.$current.withValue(recorder) {
        try model.sample(Key(3), count: 20, given: given)
      }
      #expect(recorder.reuses == [] && recorder.keyCount > 4, "\(given)")
      #expect(draws.text() == (try model.sample(Key(3), count: 20, given: given).text()))
    }
  }

  /// Initialization and draws from children of one key, as a program with one seed does it.
  @Test func oneSeedForAll() throws {
    let key = Key(0)
    let reuses = try KeyRecorder.reuses {
      let (params, _, sample) = try flow(key.folded(in: 0), inputDim: 6)
      _ = try sample(key.folded(in: 1), params, count: 3)
      _ = try sample(key.folded(in: 2), params, count: 3)
    }
    #expect(reuses == [])
  }

  /// Draws happen in `fit` itself, not in its shards, but those get the recorder too where they run on this
  /// thread.
  @Test(arguments: [0, 0.2]) func fitting(_ validationFraction: Double) throws {
    let recorder = KeyRecorder()
    let data = Key(9).normal([200, 6])
    try Parallelism.$threads.withValue(1) {
      try KeyRecorder.$current.withValue(recorder) {
        _ = try fit(
          flow, to: data, key: Key(3), epochs: 3, batchSize: 64, validationFraction: validationFraction,
          augment: { key, rows in rows + 0.01 * key.uniform(rows.shape) }, progress: .silent)
      }
    }
    #expect(recorder.reuses == [])
    #expect(recorder.keyCount > 40)
  }

  /// The recorder would have noticed: a key used for a model and for its draws.
  @Test func misuseIsNoticed() throws {
    let reuses = try KeyRecorder.reuses {
      let (params, _, sample) = try flow(Key(0), inputDim: 6)
      _ = try sample(Key(0), params, count: 3)
    }
    #expect(!reuses.isEmpty)
  }

  @Test func aCheckAndTheLawsTooDiscipline() throws {
    let reuses = try KeyRecorder.reuses {
      try LogDetCheck(of: flow.bijection, inputDim: 6, key: Key(4)).verify()
    }
    #expect(reuses == [])
  }
}
