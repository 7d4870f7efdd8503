import Bijections
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

private func contraction(_ hidden: [Int], coefficient: Double = 0.9) -> SpectralMLP {
  SpectralMLP(hidden: hidden, coefficient: coefficient, lastWeight: .glorotUniform)
}

/// A residual layer with large weights, whose norms have converged.
private func settled(
  _ network: SpectralMLP, _ size: Int, dtype: DType = .float64
) throws -> (layer: ResidualFlow, params: Params, forward: Mapping, inverse: Mapping) {
  let layer = ResidualFlow(network)
  let (initial, forward, inverse) = try layer(Key(1), inputDim: Shape([size]), dtype: dtype)
  let params = initial.mapLearned { leaf in leaf + 0.7 * wave(leaf.shape, dtype: dtype) }
  let net = network.updatingNorms(params.child("net"), iterations: 300)
  return (layer, ["net": net], forward, inverse)
}

/// The contraction, the inverse and the statistics of residual layers.
@Suite struct ResidualFlowTests {
  /// |g(a) − g(b)| / |a − b| is at most the certified bound, and that is at most the product of coefficients.
  @Test(arguments: [0.3, 0.9, 0.99]) func differencesKeepTheLipschitzBound(_ coefficient: Double) throws {
    let network = contraction([8, 6], coefficient: coefficient)
    let (layer, params, forward, _) = try settled(network, 4)
    let bound = layer.lipschitzBound(params)
    #expect(bound <= network.lipschitz * (1 + 1e-3) && bound > 0.9 * network.lipschitz)
    var largest = 0.0
    for scale in [1e-4, 0.1, 3] {
      let a = 3 * Key(2).normal([200, 4], dtype: .float64)
      let b = a + scale * Key(3).normal([200, 4], dtype: .float64)
      let change = try (forward(params, a).outputs - a) - (forward(params, b).outputs - b)
      let ratio = sqrt(square(change).sumPerRow() / square(a - b).sumPerRow())
      largest = max(largest, ratio.doubles.max()!)
    }
    #expect(largest <= bound && largest > 0.05 * bound, "\(largest) of \(bound)")
  }

  /// Before u and v follow changed weights, the estimate is too small. The certified bound does not trust it.
  @Test func theBoundHoldsBeforeTheVectorsFollow() throws {
    let layer = ResidualFlow(SpectralMLP(hidden: [], coefficient: 0.9, lastWeight: .identity))
    let (params, forward, _) = try layer(Key(1), inputDim: 2, dtype: .float64)
    // The weight's norm is 3 along the second axis, and the vectors look along the first.
    let weight = Tensor([[0.5, 0], [0, 3]], dtype: .float64)
    let along = Tensor([1, 0], dtype: .float64)
    let stale = try params.replacing("net/dense_0/weight", by: .leaf(weight))
      .replacing("net/dense_0/u", by: .frozen(along)).replacing("net/dense_0/v", by: .frozen(along))
    #expect(abs(layer.lipschitzBound(stale) - 3) < 1e-3)
    let near = try stale.replacing("net/dense_0/v", by: .frozen(Tensor([0.8, 0.6], dtype: .float64)))
    var moved = near
    for _ in 0..<5 {
      moved = try forward.updatingStatistics(moved, .zeros([0, 2], dtype: .float64))
    }
    #expect(abs(layer.lipschitzBound(moved) - 0.9) < 1e-3)
  }

  /// The inverse is exact to rounding in both dtypes, with Newton's method and beyond its largest dimension.
  @Test(arguments: [(1, 0.99), (3, 0.9), (3, 0.995), (70, 0.95)], [DType.float32, .float64])
  func theInverseIsExact(_ place: (size: Int, coefficient: Double), _ dtype: DType) throws {
    let network = contraction([16], coefficient: place.coefficient)
    let (_, params, forward, inverse) = try settled(network, place.size, dtype: dtype)
    let x = 4 * wave([20, place.size], dtype: dtype)
    let (y, logDet) = try forward(params, x)
    let (back, inverseLogDet) = try inverse(params, y)
    #expect(isClose(back, x, dtype == .float64 ? 1e-12 : 2e-4))
    #expect(isClose(-inverseLogDet, logDet, dtype == .float64 ? 1e-11 : 1e-3))
  }

  /// Close to 1 the steps are many, and none is left out.
  @Test func theInverseOfAlmostNoContraction() throws {
    let network = contraction([4], coefficient: 0.997)
    let (_, params, forward, inverse) = try settled(network, 66, dtype: .float64)
    let x = 4 * wave([1, 66], dtype: .float64)
    #expect(isClose(try inverse(params, forward(params, x).outputs).outputs, x, 1e-9))
  }

  /// 1000 rows in one call, and some of them alone; a NaN among them.
  @Test func rowsOfTheInverseAreIndependent() throws {
    let (_, params, _, inverse) = try settled(contraction([8]), 3, dtype: .float32)
    let y = 5 * Key(7).normal([1000, 3])
    let whole = try inverse(params, y).outputs
    for i in [0, 17, 500, 999] {
      let alone = try inverse(params, y[i..<i + 1]).outputs
      #expect(alone.isIdentical(to: whole[i..<i + 1]))
    }
    let nan = concatenate([.full([1, 3], .nan), y[1..<1000]], axis: 0)
    let spoiled = try inverse(params, nan).outputs
    #expect(spoiled[1..<1000].isIdentical(to: whole[1..<1000]))
    #expect(spoiled[0].doubles.allSatisfy { $0.isNaN })
    let infinite = concatenate([y[0..<1], .full([1, 3], .infinity), y[2..<4]], axis: 0)
    let others = try inverse(params, infinite).outputs
    #expect(others[2..<4].isIdentical(to: whole[2..<4]) && others[0..<1].isIdentical(to: whole[0..<1]))
    #expect(others[1].doubles.allSatisfy { $0.isNaN })
  }

  /// A density of any dimension is exact: log|det| by pivoted LU factors of dual-number Jacobians.
  @Test func logDetsAreExactInManyDimensions() throws {
    let (_, params, forward, _) = try settled(contraction([20, 20], coefficient: 0.98), 40)
    let x = wave([2, 40])
    let jacobians = rowJacobians(at: x) { x in
      guard let y = try? forward.body(params, x, nil).outputs else { return x }
      return y
    }
    let expected = Tensor((0..<2).map { logAbsDeterminant(jacobians[$0]).item }, dtype: .float64)
    let logDet = try forward(params, x).logDet
    #expect(isClose(logDet, expected, 1e-11))
  }

  /// Where g is no contraction, x + g(x) = y may have no solution. The row is NaN.
  @Test func rowsWithoutAnInverseAreNaN() throws {
    let layer = ResidualFlow(SpectralMLP(hidden: [], lastWeight: .zeros))
    let (params, _, inverse) = try layer(Key(1), inputDim: 1, dtype: .float64)
    // u = 0 hides the norm of the weight −1: x − x = y.
    let broken = try params.replacing("net/dense_0/weight", by: .leaf(Tensor([[-1]], dtype: .float64)))
      .replacing("net/dense_0/u", by: .frozen(.zeros([1], dtype: .float64)))
    let x = try inverse(broken, Tensor([[1], [2]], dtype: .float64)).outputs
    #expect(x.doubles.allSatisfy { $0.isNaN })
  }

  @Test func aCoefficientOfOneIsRefused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SpectralMLP(hidden: [4], coefficient: 1)
    }
    #expect(
      result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }?
        .contains("SpectralMLP: the coefficient is between 0 and 1, got 1.0") == true)
  }

  @Test func zeroIterationsAreRefused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SpectralMLP(hidden: [4]).updatingNorms(.empty, iterations: 0)
    }
    #expect(
      result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }?
        .contains("at least one power iteration, got 0") == true)
  }

  @Test func aLayerWithoutUnitsIsAnError() {
    #expect(
      throws: FlowError.mismatch(who: "SpectralMLP", what: "units", expected: "at least 1", got: "0")
    ) { try ResidualFlow(SpectralMLP(hidden: [0]))(Key(0), inputDim: 2) }
  }
}

extension Initializer {
  /// The identity.
  fileprivate static var identity: Initializer { Initializer { _, shape in .identity(shape[0]) } }
}
