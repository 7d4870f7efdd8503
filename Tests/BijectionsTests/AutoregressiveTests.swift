import Bijections
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// MADE's structure, not its values: what may depend on what.
@Suite struct MADETests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let network: MADE
    let numbers: Int
    /// Whether the widths leave every dependence that the order allows.
    var isComplete = true
    var contexts: Int { network.contexts }
    var testDescription: String { name }
  }

  private static func made(
    _ hidden: [Int], order: MADE.Degrees = .ordered, degrees: MADE.Degrees = .ordered
  ) -> MADE {
    MADE(hidden: hidden, activation: .tanh, order: order, hiddenDegrees: degrees, lastWeight: .glorotUniform)
  }

  static let cases = [
    Case(name: "ordered", network: made([8, 6]), numbers: 5),
    Case(name: "ordered, context", network: made([8, 6]).conditioned(on: 2), numbers: 5),
    Case(name: "one hidden layer", network: made([4]), numbers: 5),
    Case(name: "nothing hidden", network: made([]), numbers: 4),
    Case(name: "one number", network: made([3, 3]), numbers: 1),
    Case(name: "one number, context", network: made([3]).conditioned(on: 2), numbers: 1),
    Case(name: "two numbers", network: made([3]), numbers: 2),
    Case(name: "fewer units than numbers", network: made([2, 3]), numbers: 6, isComplete: false),
    Case(name: "random order", network: made([8], order: .random), numbers: 5),
    Case(
      name: "random degrees",
      network: made([9, 9, 9], order: .random, degrees: .random).conditioned(on: 1), numbers: 4,
      isComplete: false),
    Case(
      name: "residual",
      network: MADE(width: 6, residualBlocks: 2, activation: .tanh, lastWeight: .glorotUniform)
        .conditioned(on: 2),
      numbers: 4),
    Case(
      name: "residual, random degrees",
      network: MADE(
        width: 7, residualBlocks: 2, activation: .tanh, hiddenDegrees: .random, lastWeight: .glorotUniform),
      numbers: 4, isComplete: false),
  ]

  /// The place of each number in the order.
  private func places(_ params: Params, _ numbers: Int) -> [Int] {
    guard let order = params[path: "order"]?.value?.ints else { return Array(0..<numbers) }
    return (0..<numbers).map { order.firstIndex(of: $0)! }
  }

  @Test(arguments: cases) func jacobianIsStrictlyTriangular(_ item: Case) throws {
    let (n, count) = (item.numbers, 3)
    let (initial, apply) = try item.network(
      Key(5), inputDim: [n + item.contexts], outputDim: [n * count], dtype: .float64)
    let params = initial.perturbed(Key(6))
    let x = wave([3, n])
    let context = wave([3, item.contexts], phase: 2)
    let place = places(params, n)
    let jacobians = rowJacobians(at: x) { apply(params, concatenate($0, context, axis: 1)) }
    for row in 0..<3 {
      for block in 0..<count {
        for i in 0..<n {
          for j in 0..<n {
            let entry = jacobians[row][i * count + block][j].item
            if place[j] >= place[i] {
              #expect(entry == 0, "output \(block) of number \(i) depends on number \(j)")
            } else if item.isComplete {
              #expect(entry != 0, "output \(block) of number \(i) does not see number \(j)")
            }
          }
        }
      }
    }
  }

  /// The first number's outputs see the context too, which is forgotten easily: no hidden unit of degree 1
  /// feeds them.
  @Test(arguments: cases) func everyOutputSeesTheContext(_ item: Case) throws {
    guard item.contexts > 0, item.isComplete else { return }
    let (initial, apply) = try item.network(
      Key(5), inputDim: [item.numbers + item.contexts], outputDim: [item.numbers * 2], dtype: .float64)
    let params = initial.perturbed(Key(6))
    let x = wave([1, item.numbers])
    let jacobian = rowJacobians(at: wave([1, item.contexts])) {
      apply(params, concatenate(x, $0, axis: 1))
    }
    #expect(jacobian.doubles.allSatisfy { $0 != 0 })
  }

  /// Degrees rise within a layer, so masks are staircases: what can be skipped, and what the first numbers
  /// settle.
  @Test(arguments: cases) func dependenceIsAStaircase(_ item: Case) throws {
    let (params, _) = try item.network(
      Key(5), inputDim: [item.numbers + item.contexts], outputDim: [item.numbers * 2])
    params.forEach { path, leaf, isFrozen in
      if path.hasSuffix("degrees") {
        #expect(isFrozen)
        #expect(leaf.doubles == leaf.doubles.sorted())
        #expect(leaf.doubles.allSatisfy { $0 >= 0 && $0 < Double(max(item.numbers, 1)) })
      }
    }
  }

  /// Whatever a file's degrees hold, no number sees itself or a later one.
  @Test func anyDegreesGiveAnOrder() throws {
    let network = Self.made([6, 6], degrees: .random)
    let (initial, apply) = try network(Key(5), inputDim: 4, outputDim: 4, dtype: .float64)
    let spoiled = try initial.replacing(
      "dense_0/degrees", by: .frozen(Tensor([9, -3, .nan, 0.5, 2, 1], dtype: .float64)))
    let params = spoiled.perturbed(Key(6))
    let jacobian = rowJacobians(at: wave([1, 4])) { apply(params, $0) }[0]
    for i in 0..<4 { for j in i..<4 { #expect(jacobian[i][j].item == 0) } }
  }

  @Test func refusesEmptyLayers() {
    #expect(throws: FlowError.self) { try MADE(hidden: [4, 0])(Key(0), inputDim: 3, outputDim: 3) }
    #expect(throws: FlowError.self) { try MADE(hidden: [4])(Key(0), inputDim: 0, outputDim: 1) }
    #expect(throws: FlowError.self) { try MADE(hidden: [4])(Key(0), inputDim: 3, outputDim: 4) }
    #expect(throws: FlowError.self) { try MADE(hidden: [4])(Key(0), inputDim: 3, outputDim: [3, 1]) }
    #expect(throws: FlowError.self) { try Autoregressive(MADE(hidden: [0]))(Key(0), inputDim: 3) }
  }

  @Test func maskedDenseMasks() throws {
    let mask = Tensor([[1, 0, 1], [0, 1, 1]])
    let (params, apply) = try MaskedDense(mask: mask, bias: .ones)(
      Key(1), inputDim: 2, outputDim: 3, dtype: .float64)
    let x = wave([4, 2])
    let expected = matmul(x, params["weight"] * mask.cast(to: .float64)) + 1
    #expect(isClose(apply(params, x), expected, 1e-14))
    let slope = gradient(at: params) { apply($0, x).sum() }
    #expect(slope["weight"].doubles.map { $0 == 0 } == mask.doubles.map { $0 == 0 })
    #expect(throws: FlowError.self) { try MaskedDense(mask: mask)(Key(1), inputDim: 3, outputDim: 3) }
  }
}

@Suite struct AutoregressiveTests {
  /// An inverse that reports the forward's log-determinant, as jax-flows' MADE does (and what it was ported
  /// from).
  static let wrongSign = Lambda { key, site throws(FlowError) in
    let net = MADE(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
    let (params, forward, inverse) = try Autoregressive(net).initialize(key, at: site)
    return site.layer("wrong sign", params, forward: forward.body) { (params, y, context) throws(FlowError) in
      let (x, logDet) = try inverse.body(params, y, context)
      return (x, -logDet)
    }
  }

  @Test func wrongSignOfTheInverseIsRejected() {
    let laws = Laws(of: Self.wrongSign, inputDim: 4, key: Key(3))
    for law in Laws.Law.allCases {
      if [.logDet, .logDetsCancel].contains(law) {
        #expect(throws: FlowError.self, "law \(law)") { try laws.check(law) }
      } else {
        #expect(throws: Never.self, "law \(law)") { try laws.check(law) }
      }
    }
  }

  /// Each number's image needs the others': not a transformer for an autoregressive map.
  private struct Mixing: Transformer {
    let name = "Mixing"
    let parameterCount = 1
    let isElementwise = false
    func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
      (x, x.sumPerRow())
    }
    func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
      (y, y.sumPerRow())
    }
  }

  @Test func refusesTransformersThatAreNotElementwise() {
    #expect(throws: FlowError.self) { try Autoregressive(MADE(hidden: [4]), Mixing())(Key(0), inputDim: 3) }
    #expect(throws: FlowError.self) {
      try Autoregressive(MADE(hidden: [4]), InverseTransformer(Mixing()))(Key(0), inputDim: 3)
    }
  }

  /// D passes come to one pass: θ does not depend, to the bit, on what stands for the numbers still unknown.
  @Test func inverseUsesTheForwardsParameters() throws {
    let net = MADE(hidden: [16, 16], order: .random, lastWeight: .glorotUniform)
    let (params, forward, inverse) = try Autoregressive(net, Shift())(Key(1), inputDim: 7)
    let y = Key(2).normal([9, 7])
    let x = try inverse(params, y).outputs
    let shift = try net(Key(0), inputDim: 7, outputDim: 7).apply(params.child("net"), x)
    #expect(x.isIdentical(to: y - shift))
    #expect(isClose(try forward(params, x).outputs, y, 1e-6))
  }

  @Test func noKeyIsUsedTwice() throws {
    let net = MADE(
      width: 5, residualBlocks: 1, order: .random, hiddenDegrees: .random, lastWeight: .glorotUniform)
    let plain = MADE(hidden: [5, 5], hiddenDegrees: .random, lastWeight: .glorotUniform)
    let bijection = Serial(Autoregressive(net), Autoregressive(plain), BlockAutoregressive(hidden: [2]))
    #expect(try KeyRecorder.reuses { _ = try bijection(Key(0), inputDim: 4, contextDim: 2) } == [])
  }

  /// From raw zeros, where all polynomials are the same, gradients part them: each has a centre of its own.
  @Test func polynomialsLearnApart() {
    let transformer = SumOfSquares(polynomials: 2, degree: 1)
    let x = wave([6, 1])
    let slope = gradient(at: Tensor.zeros([1, 5], dtype: .float64)) { raw in
      let (y, logDet) = transformer.forward(x, raw.broadcast(to: [6, 5]))
      return (0.5 * square(y)).sum() - logDet.sum()
    }.doubles
    #expect(abs(slope[1] - slope[3]) > 0.1)
  }

  @Test func gradientPassesThroughTheInverse() throws {
    let (params, _, inverse) = try Autoregressive(
      MADE(hidden: [5], activation: .tanh, lastWeight: .glorotUniform))(
        Key(1), inputDim: 3, dtype: .float64)
    let y = wave([2, 3])
    let slope = try gradient(at: params) { try inverse($0, y).outputs.sum() + inverse($0, y).logDet.sum() }
    let direction = params.learned.perturbed(Key(2), by: 1)
    func value(_ step: Double) throws -> Double {
      let (x, logDet) = try inverse(try params.zipLearned(with: direction) { $0 + step * $1 }, y)
      return (x.sum() + logDet.sum()).item
    }
    let expected = (try value(1e-6) - value(-1e-6)) / 2e-6
    let claimed = try slope.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    #expect(abs(claimed - expected) < 1e-6 * max(1, abs(expected)))
  }
}
