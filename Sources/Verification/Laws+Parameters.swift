import Bijections
import Randomness
import Tensors

extension Laws {
  /// A scalar that depends on all outputs and log-dets.
  private func probe(_ specimen: Specimen, _ params: Params, _ x: Tensor) throws -> Tensor {
    let (y, logDet) = try specimen.forward.shaped(params, x, specimen.context)
    let weights = key.folded(in: 4).normal(y.shape).cast(to: y.dtype)
    return (weights * y - 0.5 * square(y)).sum()
      + (logDet * key.folded(in: 5).normal(logDet.shape).cast(to: y.dtype)).sum()
  }

  /// Compares directional derivatives along random directions with central differences of step 10⁻⁶.
  func checkGradient(_ specimen: Specimen) throws {
    let (params, x, step) = (specimen.params, specimen.inputs, 1e-6)
    func requireSlope(_ claimed: Tensor, _ name: String, _ value: (_ step: Double) throws -> Tensor) throws {
      let slope = (try value(step) - value(-step)) / (2 * step)
      try requireClose(claimed, slope, tolerance.gradient, .gradient, "by \(name), \(specimen.label)")
    }
    let gradient = try valueAndGradient(at: params) { try probe(specimen, $0, x) }.gradient
    let direction = params.learned.filled(with: 0).perturbed(key.folded(in: 6), by: 1)
    let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    try requireSlope(Tensor(claimed, dtype: .float64), "parameters") { step in
      try probe(specimen, params.zipLearned(with: direction) { $0 + step * $1 }, x)
    }
    let shift = 1e-3 * x  // stays inside the domains, which are cones or intervals
    let byInputs = try valueAndGradient(at: x) { try probe(specimen, params, $0) }.gradient
    try requireSlope((byInputs * shift).sum(), "inputs") { try probe(specimen, params, x + $0 * shift) }
  }

  func checkEveryLeafLearns(_ specimen: Specimen) throws {
    let gradient = try valueAndGradient(at: specimen.params) { try probe(specimen, $0, specimen.inputs) }
      .gradient
    var idle: [String] = []
    gradient.forEach { path, leaf, _ in
      if leaf.count > 0 && leaf.doubles.allSatisfy({ $0 == 0 }) { idle.append(path) }
    }
    if !idle.isEmpty { throw fail(.everyLeafLearns, "no gradient reaches \(idle.joined(separator: ", "))") }
  }

  func checkSameKey(_ a: Specimen, _ b: Specimen) throws {
    guard a.params.isIdentical(to: b.params) else {
      throw fail(.sameKey, "one key gave two parameter trees")
    }
    guard try a.run(a.inputs).outputs.isIdentical(to: b.run(a.inputs).outputs) else {
      throw fail(.sameKey, "one key gave two functions")
    }
  }

  func checkLoading(_ specimen: Specimen) throws {
    let (_, forward, inverse) = try bijection(
      key.folded(in: 7), inputDim: inputDim, contextDim: contextDim, dtype: .float32)
    for ((mapping, x), other) in zip(try specimen.directions(), [forward, inverse]) {
      let here = try mapping.shaped(specimen.params, x, specimen.context)
      let there = try other.shaped(specimen.params, x, specimen.context)
      guard here.outputs.isIdentical(to: there.outputs), here.logDet.isIdentical(to: there.logDet)
      else { throw fail(.loading, "the same parameters are another function under another key") }
    }
  }

  func checkDTypes(_ double: Specimen, _ single: Specimen) throws {
    let x = single.inputs.cast(to: .float64)
    let (y, logDet) = try double.run(x)
    let (y32, logDet32) = try single.run(single.inputs)
    try requireClose(y32.cast(to: .float64), y, tolerance.float32, .dtypes, "outputs, \(single.label)")
    try requireClose(
      logDet32.cast(to: .float64), logDet, tolerance.float32, .dtypes, "log-dets, \(single.label)")
  }

  func checkBoundary(_ specimen: Specimen) throws {
    func requireError(_ what: String, _ body: () throws -> Void) throws {
      do { try body() } catch is FlowError { return }
      throw fail(.boundary, "\(what) was accepted")
    }
    let x = specimen.inputs
    for mapping in [specimen.forward, specimen.inverse] {
      let wide = Tensor.zeros(mapping.domain.shape.replacing(-1, by: mapping.domain.shape[-1] + 1).batched(2))
      try requireError("a wrong width") { _ = try mapping(specimen.params, wide, given: specimen.context) }
      try requireError("a wrong dtype") {
        _ = try mapping(specimen.params, x.cast(to: .float64), given: specimen.context)
      }
      let context = specimen.context == nil ? Tensor.zeros([x.rows, 1]) : nil
      try requireError(specimen.context == nil ? "an unexpected context" : "a missing context") {
        _ = try mapping(specimen.params, x, given: context)
      }
      try requireError("a foreign parameter tree") {
        _ = try mapping(["foreign": .leaf(Tensor(0))], x, given: specimen.context)
      }
    }
    try requireError("inputDim 0") { _ = try bijection(key, inputDim: 0, contextDim: contextDim) }
  }
}
