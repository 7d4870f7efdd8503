import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training
import Verification

/// Matrix-free Jacobians: adjoints, Taylor remainders, Gauss-Newton and exact curvature, as
/// InvertibleNetworks.jl tests them.
@Suite struct JacobianOperatorTests {
  private let conv = ConvNet(hidden: [3], activation: .tanh, lastWeight: .glorotUniform)
  private var flow: Flow { Flow.glow(levels: 2, steps: 1, scale: .bounded(2), network: conv) }

  private func setting() throws -> (params: Params, forward: Mapping, x: Tensor) {
    let (start, forward, _) = try flow.bijection(Key(0), inputDim: [4, 4, 1], dtype: .float64)
    return (start.perturbed(Key(1)), forward, Key(2).normal([3, 4, 4, 1], dtype: .float64))
  }

  /// By inputs, by parameters, and by both.
  private func operators() throws -> [(name: String, operator: JacobianOperator)] {
    let (params, forward, x) = try setting()
    return [
      ("inputs", JacobianOperator(at: .leaf(x)) { try forward(params, $0.value!).outputs }),
      ("parameters", JacobianOperator(at: params) { try forward($0, x).outputs }),
      (
        "both",
        JacobianOperator(at: ["params": params, "x": .leaf(x)]) {
          try forward($0.child("params"), $0["x"]).outputs
        }
      ),
    ]
  }

  private func direction(_ point: Params, _ key: Key) -> Params {
    point.learned.filled(with: 0).perturbed(key, by: 1)
  }

  /// ⟨J v, u⟩ = ⟨v, Jᵀ u⟩.
  @Test func adjoints() throws {
    for (name, jacobian) in try operators() {
      let v = direction(jacobian.point, Key(3))
      let jv = try jacobian.product(v)
      let u = Key(4).normal(jv.shape, dtype: .float64)
      let (a, b) = ((jv * u).sum().item, try v.dot(jacobian.adjoint(u)).item)
      #expect(abs(a - b) < 1e-10 * max(1, abs(a)), "\(name)")
    }
  }

  /// |f(x + h v) − f(x)| falls like h, |f(x + h v) − f(x) − h J v| like h².
  @Test func taylorRemainders() throws {
    for (name, jacobian) in try operators() {
      let v = direction(jacobian.point, Key(3))
      let (value, jv) = (try jacobian.value(), try jacobian.product(v))
      var (first, second): ([Double], [Double]) = ([], [])
      for h in [2e-3, 1e-3, 5e-4] {
        let moved = try jacobian.point.zipLearned(with: v) { $0 + h * $1 }
        let difference = try jacobian.function(moved) - value
        first.append(Params.leaf(difference).norm)
        second.append(Params.leaf(difference - h * jv).norm)
      }
      for i in 0..<2 {
        #expect(abs(first[i] / first[i + 1] - 2) < 0.1, "\(name)")
        #expect(abs(second[i] / second[i + 1] - 4) < 0.4, "\(name)")
      }
    }
  }

  /// For a linear network Gauss-Newton is the whole Hessian of the squared error.
  @Test func gaussNewtonOfALinearMap() throws {
    let (params, apply) = try Dense()(Key(0), inputDim: 3, outputDim: 2, dtype: .float64)
    let (x, target) = (Key(1).normal([5, 3], dtype: .float64), Key(2).normal([5, 2], dtype: .float64))
    let jacobian = JacobianOperator(at: params) { apply($0, x) }
    let v = direction(params, Key(3))
    let approximate = try jacobian.gaussNewton(v, hessian: meanSquaredErrorHessian)
    let exact = try hessianProduct(at: params, along: v) { meanSquaredError(apply($0, x), target) }
    #expect((approximate - exact).norm < 1e-12 * exact.norm)
  }

  /// The log-determinant's own curvature; for ActNorm's scale s = e^a with log-det n log s it is −n/s², so 0
  /// by a.
  @Test func curvatureOfTheLogDet() throws {
    let (params, forward, x) = try setting()
    let v = direction(params, Key(3))
    func mean(_ params: Params) throws -> Tensor { try forward(params, x).logDet.mean() }
    let curvature = try hessianProduct(at: params, along: v, mean)
    let h = 1e-5
    let (up, down) = (
      try gradient(at: params.zipLearned(with: v) { $0 + h * $1 }, mean),
      try gradient(at: params.zipLearned(with: v) { $0 - h * $1 }, mean)
    )
    #expect((curvature - (up - down) / (2 * h)).norm < 1e-6 * max(1, curvature.norm))
    let (own, actNorm, _) = try ActNorm()(Key(0), inputDim: [2, 2, 3], dtype: .float64)
    let flat = try hessianProduct(at: own, along: direction(own, Key(5))) {
      try actNorm($0, Key(6).normal([2, 2, 2, 3], dtype: .float64)).logDet.sum()
    }
    #expect(flat.norm == 0)
  }

  @Test func objectivesAndTheirHessians() throws {
    let (x, v) = (Key(1).normal([4, 3], dtype: .float64), Key(2).normal([4, 3], dtype: .float64))
    let target = Key(3).normal([4, 3], dtype: .float64)
    let squared = try hessianProduct(at: .leaf(x), along: .leaf(v)) { meanSquaredError($0.value!, target) }
      .value!
    #expect(isClose(squared, meanSquaredErrorHessian(v), 1e-12))
    let normal = try hessianProduct(at: .leaf(x), along: .leaf(v)) {
      normalLogLikelihood($0.value!, mean: 0.3, deviation: 2)
    }.value!
    #expect(isClose(normal, normalLogLikelihoodHessian(v, deviation: 2), 1e-12))
    let (params, logPDF, _) = try Normal(location: 0.3, scale: 2)(Key(0), inputDim: 3, dtype: .float64)
    #expect(isClose(normalLogLikelihood(x, mean: 0.3, deviation: 2), try logPDF(params, x).mean(), 1e-12))
  }

  /// The inverse's Jacobian at y undoes the map's at x, for 1x1 convolutions of three reflections.
  @Test func inverseJacobians() throws {
    let (params, forward, inverse) = try Householder(reflections: 3)(
      Key(0), inputDim: [2, 2, 4], dtype: .float64)
    let x = Key(1).normal([2, 2, 2, 4], dtype: .float64)
    let y = try forward(params, x).outputs
    let there = JacobianOperator(at: x) { try forward(params, $0).outputs }
    let back = JacobianOperator(at: y) { try inverse(params, $0).outputs }
    let v = Key(2).normal(x.shape, dtype: .float64)
    #expect(isClose(try back.product(.leaf(there.product(.leaf(v)))), v, 1e-12))
    #expect(isClose(try there.adjoint(back.adjoint(v).value!).value!, v, 1e-12))
  }

  @Test func treesAreVectors() throws {
    let a: Params = ["w": .leaf(Tensor([[1, 2]])), "p": .frozen(Tensor(ints: [0])), "b": .leaf(Tensor([3]))]
    let (x, y) = (a.learned, 2 * a.learned)
    #expect((x + y - x).flattened().doubles == [2, 4, 6])
    #expect((-x / 2).flattened().doubles == [-0.5, -1, -1.5])
    #expect(x.dot(y).item == 28)
    let moved = a.unflattened(Tensor([7, 8, 9]))
    #expect(moved["w"].doubles == [7, 8] && moved["b"].doubles == [9] && moved["p"].ints == [0])
  }

  @Test func conjugateGradientsSolve() throws {
    let a = Tensor([[4, 1, 0], [1, 3, 1], [0, 1, 2]], dtype: .float64)
    let b: Params = ["x": .leaf(Tensor([1, 2, 3], dtype: .float64))]
    let x = conjugateGradient(
      { v in ["x": .leaf(matmul(v["x"].expanded(axis: 0), a)[0])] }, b, tolerance: 1e-12)
    #expect(isClose(matmul(x["x"].expanded(axis: 0), a)[0], b["x"], 1e-10))
  }
}
