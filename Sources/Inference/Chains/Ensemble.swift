import Randomness
import Tensors

/// The positions of many chains in two halves, the even and the odd ones, that move in turn.
struct Ensemble {
  typealias LogDensity = (Tensor) throws -> Tensor
  private var positions: [[Double]]
  private var logDensities: [Double]
  /// The length of the first interval in units of the difference of two chains. An interval of 2 often has
  /// the other of two modes inside.
  private static let width = 2.0
  /// The most steps out of the first interval, on both sides together.
  private static let mostSteps = 20
  /// The most shrinkages. Each takes part of the interval away, so more mean a density with NaN.
  private static let mostTries = 200

  init(_ starts: Tensor, _ logDensity: LogDensity) throws {
    let width = starts.shape[1]
    let values = starts.doubles
    positions = (0..<starts.rows).map { Array(values[$0 * width..<($0 + 1) * width]) }
    let first = try logDensity(starts)
    require(
      first.shape == [starts.rows],
      "EnsembleSlice: a log-density of shape [\(starts.rows)], one number per chain, got \(first.shape)")
    logDensities = first.doubles
    if let row = logDensities.firstIndex(where: { !$0.isFinite }) {
      throw FlowError.notFinite(who: "EnsembleSlice", what: "log-densities of starts", row: row)
    }
  }

  /// Sweeps over all chains, and returns the positions after each sweep.
  mutating func run(_ key: Key, sweeps: Range<Int>, _ logDensity: LogDensity) throws -> [Double] {
    var kept: [Double] = []
    for sweep in sweeps {
      if Task.isCancelled { throw CancellationError() }
      let key = key.folded(in: sweep)
      for half in 0..<2 { try move(half, key.folded(in: half), logDensity) }
      for half in 0..<2 { try jump(half, key.folded(in: 2 + half), logDensity) }
      for position in positions { kept += position }
    }
    return kept
  }

  /// Moves the chains of one half along differences of chains of the other.
  private mutating func move(_ half: Int, _ key: Key, _ logDensity: LogDensity) throws {
    let own = Array(stride(from: half, to: positions.count, by: 2))
    let others = Array(stride(from: 1 - half, to: positions.count, by: 2))
    let uniform = key.folded(in: 0).uniform([own.count, 5], dtype: .float64)
    // u is in [0, 1), so 1 − u has a logarithm.
    let (numbers, logs) = (uniform.doubles, log1p(-uniform).doubles)
    var slices: [Slice] = []
    for (i, chain) in own.enumerated() {
      let u = Array(numbers[5 * i..<5 * i + 5])
      let first = min(Int(u[0] * Double(others.count)), others.count - 1)
      let shift = 1 + min(Int(u[1] * Double(others.count - 1)), others.count - 2)
      let (a, b) = (positions[others[first]], positions[others[(first + shift) % others.count]])
      let steps = Int(u[3] * Double(Self.mostSteps))
      slices.append(
        Slice(
          chain: chain, direction: zip(a, b).map { $0 - $1 }, lower: -Self.width * u[2],
          upper: Self.width * (1 - u[2]),
          stepsDown: steps, stepsUp: Self.mostSteps - 1 - steps,
          level: logDensities[chain] + logs[5 * i + 4]))
    }
    try stepOut(&slices, \.lower, \.stepsDown, by: -Self.width, logDensity)
    try stepOut(&slices, \.upper, \.stepsUp, by: Self.width, logDensity)
    try shrink(slices, key, logDensity)
  }

  /// Proposes a jump for each chain of one half, and accepts it by Metropolis' rule.
  ///
  /// The proposals are draws of a kernel density estimate of the other half. They lead from mode to mode, in
  /// proportion to the chains that are there. Kernels have a common width, drawn anew for each jump.
  private mutating func jump(_ half: Int, _ key: Key, _ logDensity: LogDensity) throws {
    let own = Array(stride(from: half, to: positions.count, by: 2))
    let others = stride(from: 1 - half, to: positions.count, by: 2).map { positions[$0] }
    let dimension = positions[0].count
    let share = key.folded(in: 0).uniform([], in: -3.5 ..< -0.7, dtype: .float64)
    let scale = deviations(of: others).map { $0 * exp(share).item }
    guard scale.allSatisfy({ $0 > 0 && $0.isFinite }) else { return }
    let centers = key.folded(in: 1).integers([own.count], in: 0..<others.count).ints
    let noise = key.folded(in: 2).normal([own.count, dimension], dtype: .float64).doubles
    let proposals = own.indices.map { i in
      (0..<dimension).map { others[centers[i]][$0] + scale[$0] * noise[i * dimension + $0] }
    }
    let flat = Tensor(Array(proposals.joined()), shape: [own.count, dimension], dtype: .float64)
    let found = try logDensity(flat).doubles
    let all = Tensor(
      (proposals + own.map { positions[$0] }).flatMap { x in
        others.map { other in
          (0..<dimension).reduce(0.0) { $0 - 0.5 * Self.squared((x[$1] - other[$1]) / scale[$1]) }
        }
      }, shape: [2 * own.count, others.count], dtype: .float64)
    let kernel = all.logSumExp(axis: 1).doubles
    let logs = log1p(-key.folded(in: 3).uniform([own.count], dtype: .float64)).doubles
    for (i, chain) in own.enumerated() {
      let gain = found[i] - logDensities[chain] + kernel[own.count + i] - kernel[i]
      if logs[i] < gain { (positions[chain], logDensities[chain]) = (proposals[i], found[i]) }
    }
  }

  private static func squared(_ x: Double) -> Double { x * x }

  /// The standard deviation of each number of positions.
  private func deviations(of positions: [[Double]]) -> [Double] {
    let count = Double(positions.count)
    return positions[0].indices.map { number in
      let mean = positions.reduce(0) { $0 + $1[number] } / count
      return (positions.reduce(0) { $0 + Self.squared($1[number] - mean) } / count).squareRoot()
    }
  }

  /// Moves one end of each interval outwards until it lies outside the slice.
  private func stepOut(
    _ slices: inout [Slice], _ end: WritableKeyPath<Slice, Double>, _ steps: WritableKeyPath<Slice, Int>,
    by step: Double, _ logDensity: LogDensity
  ) throws {
    var open = slices.indices.filter { slices[$0][keyPath: steps] > 0 }
    while !open.isEmpty {
      let values = try densities(open.map { (slices[$0], slices[$0][keyPath: end]) }, logDensity).values
      for (i, value) in zip(open, values) {
        if value > slices[i].level {
          slices[i][keyPath: end] += step
          slices[i][keyPath: steps] -= 1
        } else {
          slices[i][keyPath: steps] = 0
        }
      }
      open = open.filter { slices[$0][keyPath: steps] > 0 }
    }
  }

  /// Draws points in the intervals, which shrink to the present position, until each lies in its slice.
  private mutating func shrink(_ slices: [Slice], _ key: Key, _ logDensity: LogDensity) throws {
    var (slices, open) = (slices, Array(slices.indices))
    for attempt in 1...Self.mostTries where !open.isEmpty {
      let numbers = key.folded(in: attempt).uniform([slices.count], dtype: .float64).doubles
      let trials = open.map { slices[$0].lower + numbers[$0] * (slices[$0].upper - slices[$0].lower) }
      let (points, values) = try densities(zip(open, trials).map { (slices[$0], $1) }, logDensity)
      var rest: [Int] = []
      for (place, i) in open.enumerated() {
        if values[place] > slices[i].level {
          (positions[slices[i].chain], logDensities[slices[i].chain]) = (points[place], values[place])
        } else {
          if trials[place] < 0 { slices[i].lower = trials[place] } else { slices[i].upper = trials[place] }
          rest.append(i)
        }
      }
      open = rest
    }
    // A chain whose tries are used up stays where it is.
  }

  private func densities(
    _ trials: [(slice: Slice, time: Double)], _ logDensity: LogDensity
  ) throws -> (points: [[Double]], values: [Double]) {
    let points = trials.map { trial in
      zip(positions[trial.slice.chain], trial.slice.direction).map { $0 + trial.time * $1 }
    }
    let shape: Shape = [points.count, positions[0].count]
    return (points, try logDensity(Tensor(Array(points.joined()), shape: shape, dtype: .float64)).doubles)
  }
}

/// The part of a line through a chain's position that lies above a level of the density.
private struct Slice {
  let chain: Int
  let direction: [Double]
  var lower, upper: Double
  var stepsDown, stepsUp: Int
  let level: Double
}
