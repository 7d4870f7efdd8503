import Bijections
import Distributions
import Randomness
import Tensors
import TestSupport
import Testing

/// Constants at the ends of a dtype: the right number, or an error that names the constant and the dtype.
@Suite struct ConstantsTests {
  /// log p(0) at location 0 and scale 10⁻³⁹, by 30-digit arithmetic.
  static let tiny: [(make: @Sendable (LocationScale) -> any Distribution, expected: Double)] = [
    ({ Normal($0) }, 88.88188009356311), ({ Laplace($0) }, 89.10767144620782),
    ({ Logistic($0) }, 88.41452426564789), ({ Cauchy($0) }, 88.65608874091838),
    ({ StudentT(degreesOfFreedom: 3, $0) }, 88.79992977774427),
  ]

  @Test(arguments: tiny.indices) func tinyScales(_ i: Int) throws {
    let (make, expected) = Self.tiny[i]
    let family = make(LocationScale(location: 0, scale: 1e-39))
    for dtype in [DType.float32, .float64] {
      let (params, logPDF, sample) = try family(Key(0), inputDim: 1, dtype: dtype)
      let x = Tensor([[0], [1]], dtype: dtype)
      let density = try logPDF(params, x).doubles
      #expect(abs(density[0] - expected) < 1e-5)
      #expect(!density[1].isNaN && density[1] < -80)
      let slope = try gradient(at: x.rows([0])) { try logPDF(params, $0).sum() }
      #expect(slope.isFinite)
      let (draws, own) = try sample.withLogPDF(Key(1), params, count: 50)
      #expect(draws.isFinite && own.isFinite)
    }
    // Two steps of the scale have the bits of one where one suffices.
    let (both, one) = (
      make(LocationScale(location: 0, scale: [1e-39, 0.7])), make(LocationScale(location: 0, scale: 0.7))
    )
    let pair = try both(Key(0), inputDim: 2)
    let alone = try one(Key(0), inputDim: 1)
    let a = try gradient(at: Tensor([[0, 1.3]])) { try pair.logPDF(pair.params, $0).sum() }
    let b = try gradient(at: Tensor([[1.3]])) { try alone.logPDF(alone.params, $0).sum() }
    #expect(a.floats[1] == b.floats[0])
  }

  @Test func tinySpreads() throws {
    let normal = MultivariateNormal(mean: [0], covariance: [[1e-78]])
    let (params, density, _) = try normal(Key(0), inputDim: 1)
    #expect(abs(try density(params, Tensor([[0]])).item - 88.88188009356311) < 1e-4)
    let (angles, circular, _) = try VonMises(concentration: 1e-39)(Key(0), inputDim: 1)
    #expect(abs(try circular(angles, Tensor([[2]])).item + 1.8378770664093453) < 1e-6)
  }

  /// Log-densities and derivatives by the logarithms of the parameters, by scipy 1.17.1 (`gamma(a, scale=1 /
  /// b)`, `beta(a, b)`, `dirichlet(a)`, `.logpdf`) and by its digamma function.
  typealias Slope = (path: String, values: [Double])
  static let concentrated: [(distribution: any Distribution, x: [Double], logPDF: Double, slope: Slope?)] = [
    (Gamma(concentration: .learned(from: 1e6)), [1e6], -7.826693896204233, nil),
    (
      Gamma(concentration: .learned(from: 1e6)), [1.002e6], -9.826029224321246,
      ("logConcentration", [1998.5026627580282])
    ),
    (Gamma(concentration: 1e6), [0.9e6], -5368.236991204321, nil),
    (Gamma(concentration: 1e4, rate: 2), [5100], -6.8244995374681725, nil),
    (Beta(.learned(from: 1e6), 1e6), [0.5], 7.02853739, ("logA", [0.2500000633176569])),
    (Beta(1e6, 1e6), [0.5005], 6.02853789, nil), (Beta(1e6, 1e6), [0.4], -40814.9252, nil),
    (Beta(2e5, 3), [0.9998779296875], -6.512171598660601, nil),
    (Dirichlet(concentration: [2e5, 3e5, 5e5]), [0.2, 0.3, 0.5], 13.730911660706624, nil),
    (
      Dirichlet(concentration: .learned(from: Tensor([2e5, 3e5, 5e5], dtype: .float64))),
      [0.201, 0.2995, 0.4995], 10.569597883615643,
      ("logConcentration", [997.90830261, -500.06712996, -500.00016667])
    ),
  ]

  @Test(arguments: concentrated.indices) func concentratedDensities(_ i: Int) throws {
    let test = Self.concentrated[i]
    for (dtype, tolerance) in [(DType.float32, 2e-3), (.float64, 1e-8)] {
      let (params, logPDF, _) = try test.distribution(
        Key(0), inputDim: Shape([test.x.count]), dtype: dtype)
      let x = Tensor([test.x], dtype: dtype)
      let found = try logPDF(params, x).item
      #expect(abs(found - test.logPDF) < tolerance * max(1, 0.1 * abs(test.logPDF)), "\(dtype): \(found)")
      if let (path, values) = test.slope {
        let slope = try gradient(at: params) { try logPDF($0, x).sum() }[path].doubles
        #expect(
          zip(slope, values).allSatisfy { abs($0 - $1) < tolerance * max(1, abs($1)) }, "\(dtype): \(slope)")
      }
    }
  }

  /// Densities at infinity are 0, not NaN.
  @Test func infiniteNumbers() throws {
    for distribution in [
      Gamma(), Gamma(concentration: 3, rate: 2), Normal(), Laplace(), Logistic(), Cauchy(),
      StudentT(degreesOfFreedom: 3), Uniform(), Normal(.learned), Gumbel(), Exponential(), LogNormal(),
    ] as [any Distribution] {
      let (params, logPDF, _) = try distribution(Key(0), inputDim: 2)
      let density = try logPDF(params, Tensor([[0.5, .infinity], [.infinity, .infinity], [0.5, 0.5]])).doubles
      #expect(density[0] == -.infinity && density[1] == -.infinity && density[2].isFinite, "\(distribution)")
    }
  }

  @Test func longIntervals() throws {
    let (params, logPDF, sample) = try Uniform(from: -3e38, to: 3e38)(Key(0), inputDim: 1)
    #expect(abs(try logPDF(params, Tensor([[1e38]])).item + 89.2899930030018) < 1e-4)
    #expect(try logPDF(params, Tensor([[3.1e38]])).item == -.infinity)
    let draws = try sample(Key(1), params, count: 1000)
    #expect(draws.isFinite && abs((1e-38 * draws).mean().item) < 0.3)
    #expect(try logPDF(params, draws).isFinite)
    let wide = Key(2).uniform([1000], in: -3e38..<3e38)
    #expect(wide.isFinite && wide.max(axis: 0).item > 2.9e38 && wide.min(axis: 0).item < -2.9e38)
  }

  @Test func vanishingExponents() throws {
    let x = Tensor([[0.5], [3]])
    for lambda in [1e-50, -1e-50, 1e-30] {
      for (layer, limit) in [
        (BoxCox(lambda: lambda), BoxCox(lambda: 0)), (YeoJohnson(lambda: lambda), YeoJohnson(lambda: 0)),
      ] as [(any Bijection, any Bijection)] {
        let (params, forward, inverse) = try layer(Key(0), inputDim: 1)
        let (y, logDet) = try forward(params, x)
        let (expected, expectedLogDet) = try limit(Key(0), inputDim: 1).forward(params, x)
        #expect(y.isIdentical(to: expected) && logDet.isIdentical(to: expectedLogDet))
        #expect(isClose(try inverse(params, y).outputs, x, 1e-6))
      }
    }
  }

  static let refused: [(name: String, make: @Sendable () -> any Distribution)] = [
    ("scale", { Normal(location: 0, scale: 1e-50) }), ("scale", { Laplace(location: 0, scale: 1e39) }),
    ("location", { Cauchy(location: 1e39, scale: 1) }),
    ("degrees of freedom", { StudentT(degreesOfFreedom: 1e39) }),
    ("concentration", { VonMises(concentration: 1e39) }),
    ("the upper end", { Uniform(from: 0, to: 1e39) }),
    ("mean", { MultivariateNormal(mean: [1e39], covariance: [[1]]) }),
    ("factor", { MultivariateNormal(mean: [0], covariance: [[1e80]]) }),
    ("interval", { Flow(FromInterval(above: 1e39)) }), ("interval", { Flow(FromInterval(below: -1e39)) }),
    ("width", { Flow(FromInterval(-3e38, 3e38)) }), ("interval", { Flow(FromInterval(1, 1 + 1e-9)) }),
    ("width", { Flow(FromInterval(-1e39, 1e39)) }), ("margin", { Flow(PixelLogit(margin: 1e-9)) }),
    ("epsilon", { Flow(BatchNorm(epsilon: 1e-50)) }), ("λ", { Flow(BoxCox(lambda: 1e39)) }),
    ("λ", { Flow(YeoJohnson(lambda: -1e39)) }),
    ("exponent", { Flow(Power(1e-50)) }), ("slope", { Flow(LeakyReLU(slope: 1e-50)) }),
    (
      "deviation",
      { Flow(Standardize(mean: Tensor([0]), deviation: Tensor([1e-50], dtype: .float64))) }
    ),
  ]

  @Test(arguments: refused.indices) func otherConstants(_ i: Int) throws {
    let (name, make) = Self.refused[i]
    let distribution = make()
    do {
      _ = try distribution(Key(0), inputDim: 1)
      Issue.record("\(name) was accepted in float32")
    } catch {
      #expect("\(error)".contains(name) && "\(error)".contains("float32"))
    }
    _ = try distribution(Key(0), inputDim: 1, dtype: .float64)
  }
}
