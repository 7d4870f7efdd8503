import Tensors
import TestSupport
import Testing

@Suite struct TransformationTests {
  @Test func tenThousandOperationsInAChain() {
    let x = Tensor([0.5], dtype: .float64)
    let (value, slope) = valueAndGradient(at: x) { x in
      var y = x
      for _ in 0..<10_000 { y = y + 1e-4 * sin(y) }
      return y.sum()
    }
    let step = 1e-6
    func plain(_ start: Double) -> Double {
      var y = Tensor([start], dtype: .float64)
      for _ in 0..<10_000 { y = y + 1e-4 * sin(y) }
      return y.item
    }
    #expect(value.item == plain(0.5))
    #expect(abs(slope.item - (plain(0.5 + step) - plain(0.5 - step)) / (2 * step)) < 1e-7)
  }

  /// The inner derivative must not be confused with the outer one: d/dx (x · d/dy (x + y)) = 1, not 2.
  @Test func perturbationsAreNotConfused() {
    let one = Tensor(1, dtype: .float64)
    let forward = jvp(at: one, along: one) { x in x * jvp(at: one, along: one) { y in x + y }.tangent }
      .tangent
    let reverse = gradient(at: one) { x in x * gradient(at: one) { y in x + y } }
    let mixed = gradient(at: one) { x in x * jvp(at: one, along: one) { y in x * y }.tangent }
    #expect(forward.item == 1)
    #expect(reverse.item == 1)
    #expect(mixed.item == 2)
  }

  @Test func jvpInsideALoss() {
    let x = wave([3])
    let slope = gradient(at: x) { x in
      square(jvp(at: x, along: Tensor.ones([3], dtype: .float64)) { x in (sin(x) * x).sum() }.tangent)
    }
    // L = (Σ f')², f = x sin x: dL/dxᵢ = 2 (Σ f') f''ᵢ
    let first = (sin(x) + x * cos(x)).sum()
    #expect(isClose(slope, 2 * first * (2 * cos(x) - x * sin(x)), 1e-12))
  }

  @Test func thirdDerivativeInEveryNesting() {
    let x = Tensor(0.7, dtype: .float64)
    let one = Tensor(1, dtype: .float64)
    let forward: (@escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor = { f in
      { jvp(at: $0, along: one, f).tangent }
    }
    let reverse: (@escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor = { f in { gradient(at: $0, f) } }
    let f: (Tensor) -> Tensor = { tanh($0) * $0 }
    // f''' of x tanh x = 3 t'' + x t''' with t' = 1 - t², t'' = -2 t t', t''' = -2 t'² - 2 t t''
    let t = tanh(x).item
    let (t1, t2) = (1 - t * t, -2 * t * (1 - t * t))
    let expected = 3 * t2 + 0.7 * (-2 * t1 * t1 - 2 * t * t2)
    for a in [forward, reverse] {
      for b in [forward, reverse] {
        for c in [forward, reverse] { #expect(abs(a(b(c(f)))(x).item - expected) < 1e-12) }
      }
    }
  }

  @Test func jacobianHasOutputThenInputAxes() {
    let a = wave([3, 2])
    let x = wave([2], phase: 1)
    let j = jacobian(at: x) { x in matmul(a, x.expanded(axis: 1)).reshaped(to: [3]) }
    #expect(j.shape == [3, 2])
    #expect(isClose(j, a, 1e-15))
    let hessian = jacobian(at: x) { gradient(at: $0) { (square($0) * $0).sum() } }
    #expect(isClose(hessian, (6 * x).diagonalMatrix(), 1e-12))
  }

  @Test func pullbackServesManyTimes() {
    let x = wave([3])
    let (_, pullback) = vjp(at: x) { square($0) }
    for _ in 0..<2 { #expect(isClose(pullback(Tensor.ones([3], dtype: .float64)), 2 * x, 1e-15)) }
  }

  @Test func whatDoesNotDependHasZeroGradient() {
    let params: Params = ["used": .leaf(wave([2])), "unused": .leaf(wave([3])), "fixed": .frozen(wave([2]))]
    let gradient = gradient(at: params) { ($0["used"] * $0["fixed"]).sum() }
    #expect(gradient.paths == ["used", "unused"])
    #expect(gradient["unused"].doubles == [0, 0, 0])
    #expect(gradient["used"].isIdentical(to: wave([2])))
  }

  @Test(
    arguments: [
      ("sqrt at 0", 0.0, { @Sendable x in sqrt(x) }), ("log near 0", 1e-300, { x in log(x) }),
      ("softplus at 100", 100, { x in softplus(x) }), ("softplus at -100", -100, { x in softplus(x) }),
      ("sigmoid at 800", 800, { x in sigmoid(x) }), ("tanh at -800", -800, { x in tanh(x) }),
      ("logSigmoid at -800", -800, { x in logSigmoid(x) }),
      ("safe where", -1, { x in select(where: x .> 0, log(select(where: x .> 0, x, 1)), 0) }),
    ] as [(String, Double, @Sendable (Tensor) -> Tensor)])
  func derivativesAtTheEdgesAreFinite(_ name: String, _ x: Double, _ f: @Sendable (Tensor) -> Tensor) {
    let point = Tensor(x, dtype: .float64)
    #expect(gradient(at: point, f).isFinite, "\(name)")
    #expect(jvp(at: point, along: Tensor(1, dtype: .float64), f).tangent.isFinite, "\(name)")
  }
}

@Suite struct ShardingTests {
  private let params: Params = [
    "w": .leaf(wave([3, 4], dtype: .float32)), "b": .leaf(wave([4], dtype: .float32)),
  ]
  private let batch = wave([300, 3], phase: 0.3, dtype: .float32)
  private let loss: @Sendable (Params, Tensor) -> Tensor = { params, rows in
    square(dense(rows, params["w"], params["b"], .tanh)).sumPerRow()
  }

  /// Vectors have more rows in a shard with many parameters, up to 2²⁰ numbers. Images keep theirs.
  @Test func rowsOfAShard() {
    let cases: [(Shape, Int, Int)] = [
      ([8], 128, 256), ([256], 128, 256), ([257], 64, 256), ([1 << 14], 2, 64), ([8, 8, 1], 32, 32),
      ([32, 32, 3], 8, 8),
    ]
    for (sample, few, many) in cases {
      #expect(Parallelism.shardRows(of: sample, parameters: 1 << 19) == few)
      #expect(Parallelism.shardRows(of: sample, parameters: 1 << 20) == many)
    }
  }

  @Test(arguments: [1, 2, 3, 8]) func bitsDoNotDependOnThreads(_ threads: Int) throws {
    let expected = try Parallelism.$threads.withValue(1) {
      try valueAndGradient(at: params, over: batch, loss)
    }
    let result = try Parallelism.$threads.withValue(threads) {
      try valueAndGradient(at: params, over: batch, loss)
    }
    #expect(result.value.isIdentical(to: expected.value))
    #expect(result.gradient.isIdentical(to: expected.gradient))
  }

  @Test func shardedEqualsWhole() throws {
    let (value, gradient) = try valueAndGradient(at: params, over: batch, loss)
    let whole = valueAndGradient(at: params) { loss($0, batch).mean() }
    #expect(isClose(value, whole.value, 1e-6))
    for (a, b) in zip(gradient.leaves, whole.gradient.leaves) { #expect(isClose(a, b, 1e-5)) }
  }

  @Test func nestsInAnotherGradient() throws {
    let (params, batch) = (params.cast(to: .float64), batch.cast(to: .float64))
    func norm(_ params: Params) throws -> Tensor {
      let gradient = try valueAndGradient(at: params, over: batch, loss).gradient
      return gradient.leaves.map { square($0).sum() }.reduce(Tensor(0, dtype: .float64)) { $0 + $1 }
    }
    let slope = try valueAndGradient(at: params) { try norm($0) }.gradient
    let direction = params.map { wave($0.shape, phase: 4) }
    let claimed = try slope.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    let step = 1e-6
    let up = try norm(params.zipLearned(with: direction) { $0 + step * $1 })
    let down = try norm(params.zipLearned(with: direction) { $0 - step * $1 })
    #expect(abs(claimed - (up - down).item / (2 * step)) < 1e-6 * max(1, abs(claimed)))
  }

  @Test func firstErrorInOrderIsThrown() {
    #expect(throws: FlowError.notFinite(who: "test", what: "row", row: 0)) {
      try valueAndGradient(at: params, over: batch) { _, rows in
        throw FlowError.notFinite(who: "test", what: "row", row: rows.rows == 128 ? 0 : 1)
      }
    }
  }
}
