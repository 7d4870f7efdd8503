import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

/// Posteriors of parameters against exact ones.
@Suite struct PosteriorTests {
  /// N(μ, 1) for each of some numbers.
  static let location = Normal(location: .learned, scale: 1)

  static func at(_ location: Tensor) -> Params {
    ["location": .leaf(location), "logScale": .frozen(.zeros(location.shape, dtype: location.dtype))]
  }

  /// z = (x − A θ), so that the posterior of θ is normal with the precision n AᵀA + 1 / σ².
  struct Shifted: Bijection {
    let a: Tensor

    func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
      let zeros = Tensor.zeros([a.shape[1]], dtype: site.dtype)
      @Sendable func shift(_ params: Params) -> Tensor {
        matmul(a, params["theta"].expanded(axis: 1)).reshaped(to: [a.shape[0]])
      }
      return site.layer("Shifted", ["theta": .leaf(zeros)]) { params, x, _ in
        x - shift(params)
      } logDet: { _, x, _ in
        .zeros([], dtype: x.dtype)
      } inverse: { params, y, _ in
        y + shift(params)
      }
    }
  }

  /// 64 rows under which θ has unit variances and a correlation of 0.8, with a prior of deviation 10.
  static let correlated: (flow: Flow, data: Tensor) = {
    // The precision less the prior's is 64 AᵀA, with A the transposed Cholesky factor.
    let (diagonal, other) = ((1 / 0.36 - 0.01) / 64, -0.8 / 0.36 / 64)
    let l = diagonal.squareRoot()
    let m = other / l
    let a = Tensor([[l, m], [0, (diagonal - m * m).squareRoot()]], dtype: .float64)
    return (Flow(Shifted(a: a)), Key(90).normal([64, 2], dtype: .float64))
  }()

  // MARK: - Laplace

  @Test(arguments: [LaplaceCovariance.diagonal, .full], [0.1, 3])
  func laplaceIsExactForALocation(covariance: LaplaceCovariance, prior: Double) throws {
    let data = 0.7 + Key(91).normal([37, 2], dtype: .float64)
    let precision = 37 + 1 / (prior * prior)
    let mode = data.sum(axis: 0) / precision
    let (_, logPDF, _) = try Self.location(Key(0), inputDim: 2, dtype: .float64)
    let posterior = try laplacePosterior(
      logPDF, Self.at(mode), of: data, prior: prior, covariance: covariance, curvature: .hessian)
    #expect(isClose(posterior.variance["location"], .full([2], 1 / precision, dtype: .float64), 1e-12))
    let draws = stack(try posterior.samples(4_000, key: Key(3)).members.map { $0["location"] })
    #expect(isClose(draws.mean(axis: 0), mode, 4 / (4_000 * precision).squareRoot()))
    let spread = square(draws - mode).mean(axis: 0)
    #expect(isClose(spread * precision, .ones([2], dtype: .float64), 0.1))
    // Rows of weight 0 do not count; the others count alike.
    let weights = Tensor([Double](repeating: 3, count: 37) + [0, 0])
    let weighted = try laplacePosterior(
      logPDF, Self.at(mode), of: concatenate(data, data[0..<2], axis: 0), weights: weights, prior: prior,
      covariance: covariance, curvature: .hessian)
    #expect(isClose(weighted.variance["location"], posterior.variance["location"], 1e-12))
  }

  @Test func aDiagonalIsTheVarianceGivenTheOthers() throws {
    let (flow, data) = Self.correlated
    let (params, logPDF, _) = try flow(Key(0), inputDim: 2, dtype: .float64)
    func posterior(_ covariance: LaplaceCovariance) throws -> NormalPosterior {
      try laplacePosterior(
        logPDF, params, of: data, prior: 10, covariance: covariance, curvature: .hessian)
    }
    let diagonal = try posterior(.diagonal).variance.child("bijection")["theta"]
    #expect(isClose(diagonal, Tensor([0.36, 0.36], dtype: .float64), 1e-10))
    let full = try posterior(.full)
    let factor = try #require(full.factor)
    let covariance = matmul(factor, factor, transposeB: true)
    #expect(isClose(covariance, Tensor([[1, 0.8], [0.8, 1]], dtype: .float64), 1e-10))
    #expect(full.factorPaths == ["bijection/theta"])
  }

  private let network = Flow(
    Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [4], activation: .tanh)), Reverse()))

  private func perturbed(_ dtype: DType = .float64) throws -> (
    params: Params, logPDF: LogPDF, sample: Sampler
  ) {
    let (params, logPDF, sample) = try network(Key(1), inputDim: 3, dtype: dtype)
    let leaves = params.learnedLeaves.enumerated().map { i, leaf in
      leaf + 0.2 * Key(92).folded(in: i).normal(leaf.shape, dtype: dtype)
    }
    return (params.replacingLearned(with: leaves), logPDF, sample)
  }

  @Test func curvaturesAreThoseOfTheLoss() throws {
    let (params, logPDF, _) = try perturbed()
    let data = Key(93).normal([150, 3], dtype: .float64)
    let loss: @Sendable (Params, Tensor) throws -> Tensor = { -(try logPDF.body($0, $1, nil)) }
    // Fisher: sums of products of gradients that are taken one row at a time.
    let each = stack(
      try (0..<150).map { row in
        try gradient(at: params) { try loss($0, data[row..<row + 1]).sum() }.flattened()
      })
    let fisher = try laplacePosterior(logPDF, params, of: data, prior: 2)
    let expected = 1 / (square(each).sum(axis: 0) + 0.25)
    #expect(isClose(fisher.variance.flattened(), expected, 1e-10))
    let last = ["bijection/1/**"]
    let full = try laplacePosterior(logPDF, params, of: data, prior: 2, over: last, covariance: .full)
    let factor = try #require(full.factor)
    let own = params.learned.paths.indices.filter { params.learned.paths[$0].hasPrefix("bijection/1/") }
    var (starts, total) = ([Int](), 0)
    for leaf in params.learnedLeaves {
      starts.append(total)
      total += leaf.count
    }
    let columns = own.map { each.sliced(axis: 1, starts[$0]..<starts[$0] + params.learnedLeaves[$0].count) }
    let g = concatenate(columns, axis: 1)
    let precision = matmul(g, g, transposeA: true) + 0.25 * Tensor.identity(g.shape[1], dtype: .float64)
    let product = matmul(precision, matmul(factor, factor, transposeB: true))
    #expect(isClose(product, .identity(g.shape[1], dtype: .float64), 1e-8))
    // Leaves that are not chosen keep their values.
    let draw = try full.samples(1, key: Key(0)).members[0]
    #expect(draw[path: "bijection/0"]!.isIdentical(to: params[path: "bijection/0"]!))
    #expect(!draw[path: "bijection/1"]!.isIdentical(to: params[path: "bijection/1"]!))
    // Hessian: differences of the gradient.
    let affine = try laplacePosterior(
      logPDF, params, of: data, prior: 0.1, over: ["bijection/0"], covariance: .full, curvature: .hessian)
    let root = try #require(affine.factor)
    let point = try Freezing { !$0.hasPrefix("bijection/0") }(params)
    let flat = point.flattened()
    let rows = try (0..<flat.count).map { i -> Tensor in
      func slope(_ step: Double) throws -> Tensor {
        let moved = flat + Tensor((0..<flat.count).map { $0 == i ? step : 0 }, dtype: .float64)
        return try gradient(at: point.unflattened(moved)) { try loss($0, data).sum() }.flattened()
      }
      return (try slope(1e-5) - slope(-1e-5)) / 2e-5
    }
    let inverse = matmul(
      stack(rows) + 100 * Tensor.identity(flat.count, dtype: .float64), matmul(root, root, transposeB: true))
    #expect(isClose(inverse, .identity(flat.count, dtype: .float64), 1e-6))
  }

  @Test func laplaceTakesContextsAndHasTheSameBits() throws {
    let flow = Flow(AffineCoupling(MLP(hidden: [5], activation: .tanh)))
    let (params, logPDF, _) = try flow(Key(1), inputDim: 2, contextDim: 1)
    let (data, context) = (Key(94).normal([300, 2]), Key(95).normal([300, 1]))
    for covariance in [LaplaceCovariance.diagonal, .full] {
      let all = try [1, 2, 8].map { threads in
        try Parallelism.$threads.withValue(threads) {
          try laplacePosterior(logPDF, params, of: data, given: context, covariance: covariance)
        }
      }
      let draws = try all.map { try $0.samples(2, key: Key(6)).members[1] }
      #expect(draws[0].isIdentical(to: draws[1]) && draws[0].isIdentical(to: draws[2]))
      #expect(try logPDF(all[0].samples(3, key: Key(6)), data, given: context).isFinite)
    }
  }

  @Test func wrongPosteriorsAreRefused() throws {
    let (params, logPDF, _) = try perturbed()
    let data = Key(93).normal([20, 3], dtype: .float64)
    func text(_ params: Params, _ data: Tensor, _ weights: Tensor? = nil, over paths: [String] = ["**"])
      -> String?
    {
      #expect(throws: FlowError.self) {
        try laplacePosterior(logPDF, params, of: data, weights: weights, over: paths, curvature: .hessian)
      }?.description
    }
    #expect(text(params, data[0..<0])?.contains("at least one row") == true)
    #expect(text(params, data.cast(to: .float32))?.contains("float64") == true)
    #expect(text(params, .nan * data)?.contains("finite data") == true)
    #expect(text(params, data, Tensor([1.0]))?.contains("weights") == true)
    #expect(text(params, data, over: ["bijektion"])?.contains("bijektion") == true)
    #expect(text(params, data, over: [])?.contains("learned leaf under") == true)
    #expect(text(.empty, data)?.contains("does not match") == true)
    // Between two far groups of rows a heavy-tailed density has a minimum.
    let groups = Tensor((0..<20).map { $0 % 2 == 0 ? 5 : -5 }, shape: [20, 1], dtype: .float64)
    let (_, tails, _) = try Cauchy(location: .learned, scale: 1)(Key(0), inputDim: 1, dtype: .float64)
    for covariance in [LaplaceCovariance.diagonal, .full] {
      let error = #expect(throws: FlowError.self) {
        try laplacePosterior(
          tails, Self.at(Tensor([0], dtype: .float64)), of: groups, covariance: covariance,
          curvature: .hessian)
      }
      #expect(error?.description.contains("a precision that is positive: fit longer") == true)
    }
    let coupled = Flow(Serial(BatchNorm(mode: .training), ElementwiseAffine()))
    let (own, density, _) = try coupled(Key(1), inputDim: 3, dtype: .float64)
    let error = #expect(throws: FlowError.self) { try laplacePosterior(density, own, of: data) }
    #expect(error?.description.contains("whose rows are independent") == true)
    let posterior = try laplacePosterior(logPDF, params, of: data)
    #expect(throws: FlowError.self) { try posterior.samples(0, key: Key(0)) }
    #expect(throws: FlowError.self) { try posterior.samples(-3, key: Key(0)) }
  }

  // MARK: - Bands

  /// Bands of the density at a point cover the true one as often as they say, and narrow with the rows.
  @Test func bandsCoverAndNarrow() throws {
    let (_, logPDF, _) = try Self.location(Key(0), inputDim: 1, dtype: .float64)
    let place = Tensor([[1.5]], dtype: .float64)
    let truth = try logPDF(Self.at(Tensor([0.3], dtype: .float64)), place).item
    func values(_ set: Int, _ rows: Int) throws -> MemberValues {
      let data = 0.3 + Key(96).folded(in: set).normal([rows, 1], dtype: .float64)
      let mode = data.sum(axis: 0) / (Double(rows) + 0.01)
      let posterior = try laplacePosterior(
        logPDF, Self.at(mode), of: data, prior: 10, curvature: .hessian)
      return try posterior.samples(60, key: Key(97).folded(in: set)).evaluate { try logPDF($0, place) }
    }
    var (narrow, wide) = (0, 0)
    let sets = 120
    for set in 0..<sets {
      let own = try values(set, 30)
      func covers(_ share: Double) -> Int {
        let (lower, upper) = own.band(share)
        return lower.item <= truth && truth <= upper.item ? 1 : 0
      }
      narrow += covers(0.68)
      wide += covers(0.95)
    }
    // The standard errors are 0.043 and 0.02.
    #expect(abs(Double(narrow) / Double(sets) - 0.68) < 0.1)
    #expect(abs(Double(wide) / Double(sets) - 0.95) < 0.06)
    let widths = try [100, 400, 1_600].map { try values(0, $0).deviation.item }
    #expect(abs(widths[0] / widths[1] - 2) < 0.3 && abs(widths[1] / widths[2] - 2) < 0.3)
  }

  /// Simulation-based calibration: among the draws of its posterior, a true location has a uniform rank.
  @Test func ranksOfTrueParametersAreUniform() throws {
    let (_, logPDF, _) = try Self.location(Key(0), inputDim: 1, dtype: .float64)
    let (pairs, draws) = (140, 20)
    let truths = Key(98).normal([pairs, 1], dtype: .float64)
    let data = truths + Key(99).normal([pairs, 5], dtype: .float64)
    func unevenness(scale: Double) throws -> Double {
      let boundary = Boundary("posterior", domain: Domain(1), contextDim: 5, dtype: .float64)
      let sampler = Sampler(boundary) { (key, _, count, context) throws(FlowError) in
        let rows = context![0].reshaped(to: [5, 1])
        let mode = rows.sum(axis: 0) / 6
        guard
          let posterior = try? laplacePosterior(
            logPDF, Self.at(mode), of: rows, curvature: .hessian)
        else { return (.full([count, 1], .nan, dtype: .float64), .zeros([count], dtype: .float64)) }
        let members = try posterior.samples(count, key: key).members
        let draws = mode + scale * (stack(members.map { $0["location"] }) - mode)
        return (draws, .zeros([count], dtype: .float64))
      }
      let ranks = try calibrationRanks(
        of: sampler, .empty, truths: truths, given: data, key: Key(100), draws: draws)
      var counts = [Double](repeating: 0, count: 7)
      for rank in ranks.ints { counts[rank / 3] += 1 }
      return counts.reduce(0) { $0 + ($1 - 20) * ($1 - 20) / 20 }
    }
    // χ² of 6 degrees of freedom is above 22.5 with probability 0.001.
    #expect(try unevenness(scale: 1) < 22.5)
    #expect(try unevenness(scale: 0.5) > 22.5 && unevenness(scale: 2) > 22.5)
  }
}
