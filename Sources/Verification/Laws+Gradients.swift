import Bijections
import Randomness
import Tensors

/// A scalar function of a mapping's results, Σ a · y + Σ b · log-det, whose weights are random and scaled so
/// that each result counts alike.
struct Probe {
  /// The gradient by a leaf, the inputs or the context.
  typealias Gradient = (name: String, value: Tensor)

  let outputs, logDet: Tensor

  init(_ results: (outputs: Tensor, logDet: Tensor), _ key: Key) {
    func weights(_ a: Tensor, _ key: Key) -> Tensor {
      key.normal(a.shape, dtype: .float64) / maximum(abs(a.cast(to: .float64)), 1)
    }
    outputs = weights(results.outputs, key.folded(in: 0))
    logDet = weights(results.logDet, key.folded(in: 1))
  }

  func callAsFunction(_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws -> Tensor
  {
    let (y, logDet) = try mapping.results(params, x, context)
    return (outputs.cast(to: x.dtype) * y).sum() + (self.logDet.cast(to: x.dtype) * logDet).sum()
  }

  /// The gradients by each learned leaf.
  func gradientsByParameters(_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws
    -> [Gradient]
  {
    if params.learnedLeaves.isEmpty { return [] }
    let tree = try valueAndGradient(at: params) { try self(mapping, $0, x, context) }.gradient
    return zip(tree.paths, tree.leaves).map { ($0, $1) }
  }

  /// The gradients by each learned leaf, the inputs and the context.
  func gradients(_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws -> [Gradient] {
    var all = try gradientsByParameters(mapping, params, x, context)
    all.append(("inputs", try valueAndGradient(at: x) { try self(mapping, params, $0, context) }.gradient))
    if let context {
      all.append(
        ("context", try valueAndGradient(at: context) { try self(mapping, params, x, $0) }.gradient))
    }
    return all
  }

  /// The same gradients by one reverse pass.
  func gradientsInOnePass(_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws
    -> [Gradient]
  {
    let point = Params([params, .leaf(x)] + (context.map { [.leaf($0)] } ?? []))
    let gradient = try valueAndGradient(at: point) { point in
      let rest = point.children.dropFirst().compactMap(\.tree.value)
      return try self(mapping, point.child(0), rest[0], rest.dropFirst().first)
    }.gradient
    return zip(params.learned.paths + ["inputs", "context"], gradient.leaves).map { ($0, $1) }
  }
}

extension Laws {
  /// A random scalar function of a mapping's results.
  func probe(_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws -> Probe {
    Probe(try mapping.shaped(params, x, context), key.folded(in: 4))
  }

  /// Compares derivatives by parameters, inputs and context along random directions with central
  /// differences, in both directions.
  func checkGradient(_ specimen: Specimen) throws {
    for direction in try specimen.directions() {
      // Rows further out may bend too strongly for differences. They do not hide the others.
      let bound = specimen.isGiven ? Set(0..<direction.inputs.rows) : Set(Probes.rows(upTo: 30))
      let rows = direction.rowsOffZero.filter { bound.contains(direction.rows?[$0] ?? $0) }
      for part in [rows.filter { !direction.isFar($0) }, rows.filter(direction.isFar)] where !part.isEmpty {
        try checkGradient(direction, part)
      }
    }
  }

  private func checkGradient(_ direction: Specimen.Direction, _ rows: [Int]) throws {
    let direction = direction.at(rows)
    let (mapping, params) = (direction.mapping, direction.params)
    let (x, context) = (direction.inputs, direction.context)
    let probe = Probe(try direction(), key.folded(in: 4))
    var noise: Double?
    func rounding() throws -> Double {
      if let noise { return noise }
      let allowance = try Conditioning(of: .float64, mapping, params, x, context, key.folded(in: 9))
        .allowance(groups: 1) { (mapping, params, x, context) throws in
          try probe(mapping, params, x, context)
        }[0]
      noise = allowance
      return allowance
    }
    func require(
      _ name: String, _ claimed: Tensor, _ value: (_ step: Double) throws -> Tensor
    ) throws {
      func slope(_ step: Double) throws -> Double { (try value(step) - value(-step)).item / (2 * step) }
      // Where the function bends strongly, a smaller step is better. The step of the least error judges.
      var best = (slope: 0.0, error: Double.infinity)
      for step in [1e-6, 1e-8, 1e-10, 1e-12, 1e-14] {
        let fine = try slope(step)
        if step == 1e-6, abs(claimed.item - fine) <= tolerance.gradient * max(1, abs(fine)) { return }
        let coarse = try slope(2 * step)
        let error = 2 * abs(fine - coarse) + (try rounding()) / step
        if fine.isFinite && error < best.error { best = (fine, error) }
        if best.error <= tolerance.gradient * max(1, abs(best.slope)) { break }
      }
      let size = max(1, abs(best.slope))
      if best.error <= 0.01 * size, abs(claimed.item - best.slope) > tolerance.gradient * size + best.error {
        throw fail(
          .gradient, "by \(name), \(direction.label): \(claimed.item), by differences \(best.slope)")
      }
    }
    if !params.learnedLeaves.isEmpty {
      let gradient = try valueAndGradient(at: params) { try probe(mapping, $0, x, context) }.gradient
      let along = params.learned.filled(with: 0).perturbed(key.folded(in: 6), by: 1)
      let claimed = try gradient.zip(with: along) { ($0 * $1).sum().item }.leaves.reduce(0, +)
      try require("parameters", Tensor(claimed, dtype: .float64)) { step in
        try probe(mapping, params.zipLearned(with: along) { $0 + step * $1 }, x, context)
      }
    }
    let shift =
      1e-3 * mapping.domain.room(around: x) * key.folded(in: 10).normal(x.shape, dtype: .float64)
    let byInputs = try valueAndGradient(at: x) { try probe(mapping, params, $0, context) }.gradient
    try require("inputs", (byInputs * shift).sum()) { try probe(mapping, params, x + $0 * shift, context) }
    if let context {
      let shift = key.folded(in: 11).normal(context.shape, dtype: .float64)
      let byContext = try valueAndGradient(at: context) { try probe(mapping, params, x, $0) }.gradient
      try require("context", (byContext * shift).sum()) {
        try probe(mapping, params, x, context + $0 * shift)
      }
    }
  }

  /// The gradients in float32 against those in float64, in both directions.
  func checkSingleGradient(_ double: Specimen, _ single: Specimen) throws {
    for direction in try single.directions() {
      do {
        try checkSingleGradient(direction, double)
      } catch {
        let unknown = try conditioning(direction, in: double).undeterminedRows()
        let rows = unknown.indices.filter { !unknown[$0] }
        if rows.count == unknown.count { throw error }
        if !rows.isEmpty { try checkSingleGradient(direction.at(rows), double) }
      }
    }
  }

  private func checkSingleGradient(_ direction: Specimen.Direction, _ double: Specimen) throws {
    let conditioning = conditioning(direction, in: double)
    let (mapping, params) = (conditioning.mapping, conditioning.params)
    let (x, context) = (conditioning.inputs, conditioning.context)
    let probe = try probe(mapping, params, x, context)
    let coarse = try probe.gradients(
      direction.mapping, direction.params, direction.inputs, direction.context)
    let fine = try probe.gradientsInOnePass(mapping, params, x, context)
    func flat(_ gradients: [Probe.Gradient]) -> Tensor {
      concatenate(gradients.map { $0.value.reshaped(to: [$0.value.count]) }, axis: 0)
    }
    var all: [Double]?
    func allowances() throws -> [Double] {
      if let all { return all }
      let size = fine.reduce(0) { $0 + $1.value.count }
      let values = try conditioning.allowance(groups: size) { (mapping, params, x, context) throws in
        flat(try probe.gradientsInOnePass(mapping, params, x, context))
      }
      all = values
      return values
    }
    var start = 0
    for (a, b) in zip(coarse, fine) where b.value.count > 0 {
      let own = start..<start + b.value.count
      start = own.upperBound
      // One gradient's elements round alike: sums over rows and units mix them.
      let (single, double) = (flat([a]).cast(to: .float64), flat([b]))
      let largest = abs(double).doubles.max() ?? 0
      if largest > 1e37 { continue }  // float32 overflows
      try requireClose(
        single, double, 0, .gradient, "float32 gradient by \(b.name), \(direction.label)",
        allowing: {
          let base = 10 * tolerance.float32 * max(1, largest)
          if abs(single - double).doubles.allSatisfy({ $0 <= base }) {
            return [Double](repeating: base, count: own.count)
          }
          let allowed = base + (try allowances()[own].max() ?? 0)
          return [Double](repeating: allowed, count: own.count)
        })
    }
  }

  /// Every learned leaf has a gradient, by each direction, at some of the perturbed parameters.
  func checkEveryLeafLearns(_ specimens: ArraySlice<Specimen>) throws {
    var idle: [Set<String>?] = [nil, nil]
    for specimen in specimens where idle.contains(where: { $0 != [] }) {
      for (i, direction) in try specimen.directions().prefix(2).enumerated() where idle[i] != [] {
        let zero = try Probe(direction(), key.folded(in: 4)).gradientsByParameters(
          direction.mapping, direction.params, direction.inputs, direction.context
        ).filter { $0.value.count > 0 && $0.value.doubles.allSatisfy { $0 == 0 } }
        idle[i] = Set(zero.map(\.name)).intersection(idle[i] ?? Set(zero.map(\.name)))
      }
    }
    for (way, names) in zip(["forward", "inverse"], idle) {
      if let names, !names.isEmpty {
        throw fail(
          .everyLeafLearns,
          "no gradient of \(way) reaches \(names.sorted().joined(separator: ", "))")
      }
    }
  }
}
