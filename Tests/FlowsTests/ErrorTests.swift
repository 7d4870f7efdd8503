import Flows
import Testing

/// Wrong input gets a clear `FlowError`, and the process lives.
@Suite struct ErrorTests {
  static let network = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
  static let layers = Serial(Shuffle(), InvertibleLinear(), AffineCoupling(network), ActNorm())
  static let flow = Flow(layers)

  /// What a call throws, in words.
  func message(_ call: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> String? {
    #expect(throws: FlowError.self, sourceLocation: location, performing: call)?.description
  }

  // MARK: - Inputs and context

  @Test func wrongWidthAndDType() throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: 3)
    #expect(
      message { _ = try forward(params, .zeros([2, 4])) }
        == "Serial: expected inputs of shape [rows] + [3], got [2, 4]")
    #expect(
      message { _ = try inverse(params, .zeros([3])) }
        == "Serial: expected inputs of shape [rows] + [3], got [3]")
    #expect(
      message { _ = try forward(params, Tensor(1)) }
        == "Serial: expected inputs of shape [rows] + [3], got []")
    #expect(
      message { _ = try forward(params, .zeros([2, 3, 1])) }
        == "Serial: expected inputs of shape [rows] + [3], got [2, 3, 1]")
    #expect(
      message { _ = try inverse(params, .zeros([2, 3], dtype: .float64)) }
        == "Serial: expected inputs of dtype float32, got float64")
    #expect(
      message { _ = try forward(params, Tensor(ints: [1, 2, 3], shape: [1, 3])) }
        == "Serial: expected inputs of dtype float32, got int32")

    let (weights, logPDF, _) = try Self.flow(Key(0), inputDim: [2, 2, 3], dtype: .float64)
    #expect(
      message { _ = try logPDF(weights, .zeros([5, 2, 3, 2], dtype: .float64)) }
        == "Flow: expected inputs of shape [rows] + [2, 2, 3], got [5, 2, 3, 2]")
    #expect(
      message { _ = try logPDF(weights, .zeros([5, 2, 2, 3])) }
        == "Flow: expected inputs of dtype float64, got float32")
  }

  @Test func missingContext() throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: 3, contextDim: 2)
    let (weights, logPDF, sample) = try Self.flow(Key(0), inputDim: 3, contextDim: 2)
    let x = Tensor.zeros([4, 3])
    let text = "Serial: expected context shape [rows] + [2], got none"
    #expect(message { _ = try forward(params, x) } == text)
    #expect(message { _ = try inverse(params, x) } == text)
    let flowText = "Flow: expected context shape [rows] + [2], got none"
    #expect(message { _ = try logPDF(weights, x) } == flowText)
    #expect(message { _ = try sample(Key(0), weights, count: 2) } == flowText)

    #expect(
      message { _ = try forward(params, x, given: .zeros([4, 3])) }
        == "Serial: expected context of shape [rows] + [2], got [4, 3]")
    #expect(
      message { _ = try forward(params, x, given: .zeros([5, 2])) }
        == "Serial: expected context 4 rows, got 5")
    #expect(
      message { _ = try forward(params, x, given: .zeros([4, 2], dtype: .float64)) }
        == "Serial: expected context of dtype float32, got float64")
    #expect(
      message { _ = try sample(Key(0), weights, count: 3, given: .zeros([2, 2])) }
        == "Flow: expected context 3 rows, got 2")
    #expect(
      message { _ = try sample(Key(0), weights, count: 3, given: Tensor(1)) }
        == "Flow: expected context of shape [rows] + [2], got []")
  }

  @Test func unexpectedContext() throws {
    let (params, forward, _) = try Self.layers(Key(0), inputDim: 3)
    let (weights, logPDF, sample) = try Self.flow(Key(0), inputDim: 3)
    let (x, context) = (Tensor.zeros([4, 3]), Tensor.zeros([4, 2]))
    #expect(
      message { _ = try forward(params, x, given: context) }
        == "Serial: expected context none, got shape [4, 2]")
    #expect(
      message { _ = try logPDF(weights, x, given: context) }
        == "Flow: expected context none, got shape [4, 2]")
    #expect(
      message { _ = try sample.withLogPDF(Key(0), weights, count: 4, given: context) }
        == "Flow: expected context none, got shape [4, 2]")
    #expect(
      message { _ = try sample(Key(0), weights, count: 4, given: context[0..<1]) }?
        .hasPrefix("Flow: expected context none, got shape ") == true)
  }

  @Test func contextThatFitsNoImage() {
    #expect(throws: FlowError.self) { try Self.layers(Key(0), inputDim: [4, 4, 3], contextDim: [2, 2, 1]) }
    #expect(throws: FlowError.self) { try Self.layers(Key(0), inputDim: 3, contextDim: [4, 4, 1]) }
  }

  @Test func outsideTheDomain() throws {
    let unit = Lambda { _, site in
      site.layer("logit", from: Domain(site.inputDim, .unitInterval)) { _, x, _ in
        (log(x) - log1p(-x), -(log(x) + log1p(-x)).sumPerRow())
      } inverse: { _, y, _ in
        (sigmoid(y), -(softplus(y) + softplus(-y)).sumPerRow())
      }
    }
    let x = Tensor([[0.5, 0.5], [0.1, 0.9], [0.25, 1.5]])
    let (params, forward, _) = try unit(Key(0), inputDim: 2)
    #expect(
      message { _ = try forward(params, x) } == "logit: expected values between 0 and 1, got 1.5 in row 2")
    // Inside others the member is named.
    let chain = Serial(Reverse(), unit)
    let (weights, mapping, _) = try chain(Key(0), inputDim: 2)
    #expect(
      message { _ = try mapping(weights, x) } == "logit: expected values between 0 and 1, got 1.5 in row 2")
    // A density is 0 there, and the error comes on request.
    let (leaves, logPDF, _) = try Flow(chain)(Key(0), inputDim: 2)
    #expect(try logPDF(leaves, x).doubles.map { $0 == -.infinity } == [false, false, true])
    #expect(
      message { try logPDF.checkSupport(leaves, x) }
        == "logit: expected values between 0 and 1, got 1.5 in row 2")
    try logPDF.checkSupport(leaves, x[0..<2])
    let (bounds, uniform, _) = try Uniform(from: 0, to: 1)(Key(0), inputDim: 2)
    #expect(
      message { try uniform.checkSupport(bounds, x) }
        == "Uniform: expected values of a log-density above -inf, got -inf in row 2")
    // NaN is not outside: it stays in its row.
    #expect(
      try logPDF(leaves, Tensor([[.nan, 0.5], [0.1, 0.9]])).doubles.map { $0.isNaN } == [true, false])
  }

  // MARK: - Rows

  @Test(arguments: [nil, 2] as [Shape?]) func noRowsGiveNoRows(_ contextDim: Shape?) throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: [2, 3], contextDim: contextDim)
    let (weights, logPDF, sample) = try Self.flow(Key(0), inputDim: [2, 3], contextDim: contextDim)
    let (none, context) = (Tensor.zeros([0, 2, 3]), contextDim.map { Tensor.zeros($0.batched(0)) })
    for mapping in [forward, inverse] {
      let (outputs, logDet) = try mapping(params, none, given: context)
      #expect((outputs.shape, logDet.shape) == ([0, 2, 3], [0]))
    }
    #expect(try logPDF(weights, none, given: context).shape == [0])
    let (draws, density) = try sample.withLogPDF(Key(1), weights, count: 0, given: context)
    #expect((draws.shape, density.shape) == ([0, 2, 3], [0]))
  }

  @Test(arguments: [Double.nan, .infinity]) func aBadRowStaysInItsRow(_ value: Double) throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: 5)
    let (weights, logPDF, _) = try Self.flow(Key(0), inputDim: 5)
    let good = Key(3).normal([150, 5])
    for row in [0, 77, 149] {
      var values = good.floats
      values[row * 5 + 1] = Float(value)
      let bad = Tensor(floats: values, shape: [150, 5])
      func others(_ x: Tensor) -> Tensor { concatenate([x[0..<row], x[row + 1..<150]], axis: 0) }
      for mapping in [forward, inverse] {
        let (clean, dirty) = (try mapping(params, good), try mapping(params, bad))
        #expect(others(dirty.outputs).isIdentical(to: others(clean.outputs)))
        #expect(others(dirty.logDet).isIdentical(to: others(clean.logDet)))
        #expect(!dirty.outputs[row].isFinite)
      }
      let (clean, dirty) = (try logPDF(weights, good), try logPDF(weights, bad))
      #expect(others(dirty).isIdentical(to: others(clean)))
      #expect(!dirty[row].isFinite)
    }
  }

  // MARK: - Initialization

  @Test(arguments: [0, [], [3, 0], [0, 3], [1, 1, 1, 1, 1, 1]] as [Shape]) func impossibleShapes(
    _ shape: Shape
  ) {
    #expect(
      message { _ = try Self.layers(Key(0), inputDim: shape) }
        == "Serial: expected inputDim with 1 to 5 axes, none of size 0, got \(shape)")
    #expect(
      message { _ = try Self.flow(Key(0), inputDim: shape) }
        == "Flow: expected inputDim with 1 to 5 axes, none of size 0, got \(shape)")
    #expect(
      message { _ = try Self.layers(Key(0), inputDim: 3, contextDim: shape) }
        == "Serial: expected contextDim with 1 to 5 axes, none of size 0, got \(shape)")
  }

  @Test func indicesAreNoDType() {
    #expect(
      message { _ = try Self.flow(Key(0), inputDim: 3, dtype: .int32) }
        == "Flow: expected dtype float32 or float64, got int32")
  }

  @Test func wrongInitialInputs() {
    func initialize(_ inputs: Tensor, contextDim: Shape? = nil, _ context: Tensor? = nil) -> String? {
      message {
        _ = try Self.layers(
          Key(0), inputDim: 3, contextDim: contextDim, initInputs: inputs, initContext: context)
      }
    }
    #expect(initialize(.zeros([0, 3])) == "Serial: expected initInputs at least one row, got [0, 3]")
    #expect(
      initialize(.zeros([2, 4])) == "Serial initInputs: expected inputs of shape [rows] + [3], got [2, 4]")
    #expect(
      initialize(.zeros([2, 3], dtype: .float64))
        == "Serial initInputs: expected inputs of dtype float32, got float64")
    for value in [Double.nan, .infinity] {
      #expect(
        initialize(Tensor([[1, 2, 3], [4, 5, value]]))
          == "Serial: expected finite initInputs, got NaN or infinity in row 1")
    }
    #expect(
      initialize(.zeros([2, 3]), contextDim: 1)
        == "Serial initInputs: expected context shape [rows] + [1], got none")
    #expect(
      initialize(.zeros([2, 3]), contextDim: 1, .zeros([3, 1]))
        == "Serial initInputs: expected context 2 rows, got 3")
    #expect(throws: Never.self) {
      try Self.layers(
        Key(0), inputDim: 3, contextDim: 1, initInputs: .ones([1, 3]), initContext: .zeros([1, 1]))
    }
  }

  // MARK: - Words

  @Test func whatErrorsSay() {
    #expect(
      FlowError.file(path: "a.csv", row: 3, column: 2, message: "expected a number, got x").description
        == "a.csv, row 3, column 2: expected a number, got x")
    #expect(
      FlowError.file(path: "a.csv", row: nil, column: nil, message: "is empty").description
        == "a.csv: is empty")
    #expect(
      FlowError.notFinite(who: "fit", what: "data", row: nil).description
        == "fit: expected finite data, got NaN or infinity")
    #expect(
      FlowError.diverged(who: "fit", step: 7, what: "the loss", lastGood: .empty).description
        == "fit: the loss is not finite at step 7; the error holds the last good parameters")
    #expect(FlowError.verification(who: "a", message: "b") == FlowError.verification(who: "a", message: "b"))
    #expect(FlowError.verification(who: "a", message: "b") != FlowError.verification(who: "a", message: "c"))
  }

  // MARK: - Misuse that is wrong in the source code

  @Test func fitWithoutEpochs() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try fit(Flow(ActNorm()), to: Tensor.ones([4, 2]), key: Key(0), epochs: 0)
    }
    #expect(text(result).contains("fit needs positive epochs and batchSize, got 0 and 64"))
  }

  @Test func negativeCountOfSamples() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (params, _, sample) = try Flow(ActNorm())(Key(0), inputDim: 2)
      _ = try sample(Key(0), params, count: -1)
    }
    #expect(text(result).contains("a count of samples is not negative, got -1"))
  }

  @Test func aLossThatIsNoLossPerRow() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try valueAndGradient(at: ["a": .leaf(Tensor(1))], over: .ones([4, 2])) { params, rows in
        (params["a"] * rows).sum()
      }
    }
    #expect(text(result).contains("the loss must give one number a row, shape [4], got []"))
  }

  private func text(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }
}
