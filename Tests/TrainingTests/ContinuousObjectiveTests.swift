import Bijections
import Distributions
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

@testable import Training

/// Objectives of continuous flows.
@Suite struct ContinuousObjectiveTests {
  private let data = wave([10, 2], phase: 0.7)
  private let small = MLP(hidden: [4], activation: .tanh, lastWeight: .glorotUniform)

  private func step(
    _ flow: Flow, context: Tensor? = nil, key: Key = Key(4)
  ) throws -> (params: Params, step: TrainingStep) {
    let (params, logPDF, sample) = try flow(
      Key(1), inputDim: 2, contextDim: context?.shape.sample, dtype: .float64)
    return (
      params, TrainingStep(logPDF: logPDF, sample: sample, rows: data, context: context, key: key)
    )
  }

  private func loss(_ objective: some RowObjective, _ flow: Flow) throws -> Double {
    let (params, step) = try step(flow)
    return try objective.valueAndGradient(at: params, step).value.item
  }

  /// The gradient along a random direction against a central difference of the value.
  private func checkGradient(_ objective: some RowObjective, _ flow: Flow) throws {
    let (params, step) = try step(flow)
    var i = 0.0
    let direction = params.learned.map { leaf in
      i += 1
      return wave(leaf.shape, phase: i)
    }
    let gradient = try objective.valueAndGradient(at: params, step).gradient
    func value(_ h: Double) throws -> Double {
      let moved = try params.zipLearned(with: direction) { $0 + h * $1 }
      return try objective.valueAndGradient(at: moved, step).value.item
    }
    let slope = (try value(1e-5) - value(-1e-5)) / 2e-5
    #expect(abs(gradient.dot(direction).item - slope) < 1e-7 * max(1, abs(slope)))
  }

  @Test func gradientsAreThoseOfTheValues() throws {
    try checkGradient(.otFlow(), Flow.otFlow(width: 3, steps: 2))
    let network = Flow(ContinuousFlow(NetworkField(small), solver: .steps(2)))
    try checkGradient(.rnode(), network)
    try checkGradient(.ffjord, network)
    try checkGradient(RegularizedLikelihood(jacobian: 0.5), network)
    try checkGradient(FlowMatching(.optimalTransport, deviation: 0.1), network)
  }

  /// A flow that runs backwards has the costs of its paths, not minus them.
  @Test func costsOfInvertedFlowsArePositive() throws {
    for solver in [Solver.steps(4), .tolerance(relative: 1e-6, absolute: 1e-6)] {
      let forwards = ContinuousFlow(OTFlowPotential(width: 3), solver: solver)
      for (layer, name) in [(forwards as any Bijection, "forwards"), (Inverted(forwards), "backwards")] {
        let cost = try loss(RegularizedLikelihood(transport: 1), Flow(layer))
        let likelihood = try loss(RegularizedLikelihood(), Flow(layer))
        #expect(cost > likelihood, "\(name), \(cost), \(likelihood)")
      }
    }
  }

  /// Without weights and with exact traces the objective is the likelihood by the trace's integral.
  @Test func withoutWeightsItIsTheLikelihood() throws {
    let context = wave([10, 1], phase: 5)
    let flow = Flow(
      Serial(ActNorm(), ContinuousFlow(ConcatSquash(hidden: [4]), solver: .steps(2), logDet: .trace)))
    let (params, step) = try step(flow, context: context)
    let (own, plain) = (
      try RegularizedLikelihood().valueAndGradient(at: params, step),
      try MaximumLikelihood().valueAndGradient(at: params, step)
    )
    #expect(isClose(own.value, plain.value, 1e-14))
    #expect(try own.gradient.zip(with: plain.gradient) { isClose($0, $1, 1e-13) }.leaves.allSatisfy { $0 })
  }

  /// The mean over many keys of the estimated loss is the exact loss, with and without shards.
  @Test func estimatesHaveTheRightMean() throws {
    let flow = Flow(
      Serial((0..<2).map { _ in ContinuousFlow(NetworkField(small), solver: .steps(1), logDet: .trace) }))
    let exact = try {
      let (params, step) = try step(flow)
      return try RegularizedLikelihood(jacobian: 1).valueAndGradient(at: params, step).value.item
    }()
    let losses = try (0..<60).map { i in
      let (params, step) = try step(flow, key: Key(i))
      return try RegularizedLikelihood(jacobian: 1, trace: .estimated)
        .valueAndGradient(at: params, step).value.item
    }
    let mean = losses.reduce(0, +) / 60
    let variance = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 59
    #expect(variance > 1e-8)
    #expect(abs(mean - exact) < 4 * (variance / 60).squareRoot())
  }

  /// A row's noise depends on the key and its place alone, not on the shard.
  @Test func rowsHaveTheirOwnSigns() throws {
    let (params, step) = try step(Flow(ContinuousFlow(ConcatSquash(hidden: [4]), solver: .steps(1))))
    let losses = try RegularizedLikelihood(jacobian: 1, trace: .estimated).losses(step)
    let whole = try losses(params, 0..<10)
    #expect(try losses(params, 3..<8).isIdentical(to: whole[3..<8]))
    var other = step
    other.key = Key(5)
    let others = try RegularizedLikelihood(jacobian: 1, trace: .estimated).losses(other)(params, 0..<10)
    // Of two signs only their product counts.
    #expect(zip(others.doubles, whole.doubles).count { $0 != $1 } >= 2)
  }

  /// Three shards: losses and gradients have the same bits on any number of threads, and with checkpoints.
  @Test func threadsAndCheckpointsKeepBits() throws {
    func flow(_ field: any VelocityField, _ solver: Solver, keeps: Bool) -> Flow {
      Flow(ContinuousFlow(field, solver: solver, keepsActivations: keeps))
    }
    func results(_ threads: Int, keeps: Bool) throws -> [LossAndGradient] {
      func result(_ objective: some RowObjective, _ flow: Flow) throws -> LossAndGradient {
        let (params, logPDF, sample) = try flow(Key(1), inputDim: 2)
        let step = TrainingStep(
          logPDF: logPDF, sample: sample, rows: wave([300, 2], dtype: .float32), key: Key(4))
        return try Parallelism.$threads.withValue(threads) {
          try objective.valueAndGradient(at: params, step)
        }
      }
      let network = flow(
        ConcatSquash(hidden: [3]), .tolerance(relative: 1e-2, absolute: 1e-2), keeps: keeps)
      return [
        try result(.otFlow(), flow(OTFlowPotential(width: 3), .steps(2), keeps: keeps)),
        try result(.rnode(), network), try result(FlowMatching(), network),
      ]
    }
    let one = try results(1, keeps: false)
    for (threads, keeps) in (2...8).map({ ($0, false) }) + [(1, true), (8, true)] {
      for (a, b) in zip(one, try results(threads, keeps: keeps)) {
        #expect(a.value.isIdentical(to: b.value) && a.gradient.isIdentical(to: b.gradient))
      }
    }
  }

  /// Layers side by side: the costs are those of both, and so are the log-dets.
  @Test func layersSideBySide() throws {
    let layer = ContinuousFlow(ConcatSquash(hidden: [3]), solver: .steps(2), logDet: .trace)
    let flow = Flow(Serial(OnChannels(1..<2, layer), layer))
    let (params, step) = try step(flow)
    let (own, plain) = (
      try RegularizedLikelihood().valueAndGradient(at: params, step),
      try MaximumLikelihood().valueAndGradient(at: params, step)
    )
    #expect(isClose(own.value, plain.value, 1e-14))
    func cost(_ params: Params, _ x: Tensor) throws -> (y: Tensor, mean: Double) {
      let forward = try layer(Key(1), inputDim: x.shape.sample, dtype: .float64).forward
      var number = 0
      let results = try forward.pathIntegrals(params, x, nil, PathRequest(.transport), layer: &number)
      return (results.outputs, results.costs.mean().item)
    }
    let bijection = params.child("bijection")
    let first = try cost(bijection.child(0), data.sliced(axis: 1, 1..<2))
    let second = try cost(bijection.child(1), concatenate(data.sliced(axis: 1, 0..<1), first.y, axis: 1))
    let all = try loss(RegularizedLikelihood(transport: 1), flow)
    #expect(abs(all - own.value.item - first.mean - second.mean) < 1e-12 && first.mean > 1e-6)
    #expect(throws: FlowError.self) { try loss(FlowMatching(), flow) }
    // The costs of a mixture's members would be lost.
    let mixture = Mixture([Flow(layer), Flow(layer)])
    let (own2, logPDF, sample) = try mixture(Key(1), inputDim: 2, dtype: .float64)
    let lost = TrainingStep(logPDF: logPDF, sample: sample, rows: data, key: Key(4))
    #expect(throws: FlowError.self) {
      try RegularizedLikelihood(transport: 1).valueAndGradient(at: own2, lost)
    }
  }

  @Test func unsuitableFlowsThrow() throws {
    let coupling = Flow(AffineCoupling(small))
    let network = Flow(ContinuousFlow(NetworkField(small), solver: .steps(1)))
    func attempt(_ objective: some RowObjective, _ flow: Flow) throws {
      let (params, step) = try step(flow)
      _ = try objective.valueAndGradient(at: params, step)
    }
    #expect(throws: FlowError.self) { try attempt(.otFlow(), coupling) }
    #expect(throws: FlowError.self) { try attempt(.otFlow(), network) }
    #expect(throws: FlowError.self) { try attempt(FlowMatching(), coupling) }
    let two = Flow(Serial(ContinuousFlow(NetworkField()), ContinuousFlow(NetworkField())))
    #expect(throws: FlowError.self) { try attempt(FlowMatching(), two) }
    // Densities would be wrong under another prior.
    let others: [any Distribution] = [
      Logistic(), Normal(location: 0.5, scale: 1), Normal(location: 0, scale: 2),
    ]
    for prior in others {
      #expect(throws: FlowError.self) { try attempt(FlowMatching(), Flow(network.bijection, prior: prior)) }
    }
    let learned = Flow(network.bijection, prior: Normal(.learned))
    #expect(throws: Never.self) { try attempt(FlowMatching(), learned) }
    let backwards = Flow(Inverted(ContinuousFlow(NetworkField())))
    #expect(throws: FlowError.self) { try attempt(FlowMatching(), backwards) }
    #expect(throws: FlowError.self) {
      try attempt(FlowMatching(.latents { rows, _ in rows.sliced(axis: 1, 0..<1) }), network)
    }
    #expect(throws: FlowError.self) {
      try attempt(FlowMatching(.latents { rows, _ in rows.cast(to: .float32) }), network)
    }
  }

  /// x times a polynomial of the time: matching is a linear regression.
  private struct PolynomialField: VelocityField {
    func initialize(
      _ key: Key, at site: Site
    ) throws(FlowError) -> (params: Params, velocity: Velocity) {
      (
        ["coefficients": .leaf(.zeros([6], dtype: site.dtype))],
        Velocity { params, x, time, _ in
          let powers = (0..<6).map { pow(time, Double($0)).reshaped(to: [time.count, 1]) }
          return x * (concatenate(powers, axis: 1) * params["coefficients"]).sum(axis: 1, keepDims: true)
        }
      )
    }
  }

  /// For normal data of deviation s the velocity is x (t − (1 − t) s²) / ((1 − t)² s² + t²).
  @Test func matchingFindsTheVelocityOfNormalData() throws {
    let rows = 1.5 * Key(1).normal([20_000, 1], dtype: .float64)
    let flow = Flow(ContinuousFlow(PolynomialField(), solver: .steps(8)))
    let (start, logPDF, sample) = try flow(Key(1), inputDim: 1, dtype: .float64)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(7))
    func slope(_ coefficients: Tensor) throws -> Tensor {
      let params = start.replacingLearned(with: [coefficients] + start.learnedLeaves.dropFirst())
      return try FlowMatching().valueAndGradient(at: params, step).gradient.learnedLeaves[0]
    }
    // The loss is quadratic: one step of Newton's method finds its minimum.
    let zero = try slope(.zeros([6], dtype: .float64))
    let hessian = stack(
      try (0..<6).map { try slope(Tensor.identity(6, dtype: .float64)[$0]) - zero })
    let (packed, order) = lu(hessian)
    let below = triangularSolve(
      packed, -zero.reshaped(to: [6, 1]).gathered(order, axis: 0), lower: true, unit: true)
    let found = triangularSolve(packed, below, lower: false).reshaped(to: [6])
    for t in [0.1, 0.3, 0.5, 0.8] {
      let powers = pow(Tensor(t, dtype: .float64), Tensor([0, 1, 2, 3, 4, 5], dtype: .float64))
      let variance = (1 - t) * (1 - t) * 2.25 + t * t
      let exact = (t - (1 - t) * 2.25) / variance
      #expect(abs((found * powers).sum().item - exact) < 0.1)
    }
    // The flow is then the density of the data: −log p of N(0, 1.5) has the mean 1.419 + log 1.5.
    let params = start.replacingLearned(with: [found] + start.learnedLeaves.dropFirst())
    let loss = -(try logPDF(params, rows[0..<4_000])).mean().item
    #expect(abs(loss - 1.8244) < 0.03, "\(loss)")
  }

  /// Paths to given latents: the least loss is 0 where they are straight. With x and z = 2 x + 1 the velocity
  /// x + 1 at time 0 is constant along each path.
  @Test func latentsOfAnEarlierFlowArePartners() throws {
    struct Straight: VelocityField {
      func initialize(
        _ key: Key, at site: Site
      ) throws(FlowError) -> (params: Params, velocity: Velocity) {
        (
          ["rate": .leaf(.ones([], dtype: site.dtype))],
          Velocity { params, x, t, _ in
            params["rate"] * ((x - t) / (1 + t) + 1)
          }
        )
      }
    }
    let flow = Flow(Serial(Reverse(), ContinuousFlow(Straight(), solver: .steps(1))))
    // The reversal comes first: the partners are those of the reversed rows.
    #expect(try loss(FlowMatching(.latents { rows, _ in 2 * rows.flipped(axis: 1) + 1 }), flow) < 1e-20)
    #expect(try loss(FlowMatching(.latents { rows, _ in 2 * rows + 1 }), flow) > 0.1)
    #expect(try loss(FlowMatching(.optimalTransport), flow) < loss(FlowMatching(), flow))
  }

  /// Fitting by the objective lowers the exact likelihood that judges it, at a finer step count.
  @Test func fitOfAPotential() throws {
    let rows = concatenate(
      [Key(1).normal([200, 2]) * 0.4 + 1.5, Key(2).normal([200, 2]) * 0.4 - 1.5], axis: 0)
    let fitted = try fit(
      Flow.otFlow(width: 8, steps: 2), to: rows, by: .otFlow(likelihood: 30, optimality: 1),
      evaluation: Flow.otFlow(width: 8, steps: 6), key: Key(3), epochs: 12, batchSize: 100,
      optimizer: Adam(learningRate: 0.05), progress: .silent)
    let losses = fitted.history.compactMap(\.validationLoss)
    #expect(losses.last! < 2.6 && losses.last! < losses[0] - 0.3, "\(losses)")
  }

  /// All permutations of seven rows: none costs less.
  @Test(arguments: 0..<4) func assignmentsAreTheBest(_ seed: Int) {
    let (rows, others) = (Key(seed).normal([7, 2]), Key(seed + 10).normal([7, 2]))
    func cost(_ order: [Int]) -> Double { square(rows - others.rows(order)).sum().item }
    let found = leastAssignment(of: rows, to: others)
    #expect(Set(found) == Set(0..<7))
    var best = Double.infinity
    let table = (0..<7).map { i in (0..<7).map { square(rows[i] - others[$0]).sum().item } }
    func search(_ chosen: [Int], _ sum: Double) {
      if chosen.count == 7 { best = min(best, sum) }
      for j in 0..<7 where !chosen.contains(j) && sum < best {
        search(chosen + [j], sum + table[chosen.count][j])
      }
    }
    search([], 0)
    #expect(abs(cost(found) - best) < 1e-5)
  }
}
