import Bijections
import Randomness
import Tensors

/// A layer's two mappings with parameters, inputs and a context.
struct Specimen {
  let label: String
  let params: Params
  let forward: Mapping
  let inverse: Mapping
  let inputs: Tensor
  let context: Tensor?

  func run(_ x: Tensor) throws -> (outputs: Tensor, logDet: Tensor) { try forward.shaped(params, x, context) }
  func back(_ y: Tensor) throws -> (outputs: Tensor, logDet: Tensor) {
    try inverse.shaped(params, y, context)
  }

  /// Both mappings with their inputs.
  func directions() throws -> [(mapping: Mapping, inputs: Tensor)] {
    [(forward, inputs), (inverse, try run(inputs).outputs)]
  }
}

extension Mapping {
  /// Computes the mapping's results and checks their shapes and dtypes.
  func shaped(
    _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    let (y, logDet) = try self(params, x, given: context)
    if y.shape != codomain.shape.batched(x.rows) || logDet.shape != [x.rows] {
      throw .mismatch(
        who: name, what: "outputs and log-dets of shape",
        expected: "\(codomain.shape.batched(x.rows)) and [\(x.rows)]",
        got: "\(y.shape) and \(logDet.shape)")
    }
    if y.dtype != x.dtype || logDet.dtype != x.dtype {
      throw .mismatch(
        who: name, what: "outputs and log-dets of dtype", expected: "\(x.dtype)",
        got: "\(y.dtype) and \(logDet.dtype)")
    }
    return (y, logDet)
  }
}

extension Laws {
  func fail(_ law: Law, _ message: String) -> FlowError { .verification(who: "law \(law)", message: message) }

  /// The layer with its initial parameters and with perturbed ones.
  func specimens(_ dtype: DType = .float64) throws -> [Specimen] {
    let (params, forward, inverse) = try bijection(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, dtype: dtype)
    let inputs =
      givenInputs?.cast(to: dtype) ?? forward.domain.samples(key.folded(in: 1), rows: 5, dtype: dtype)
    let context = contextDim.map { key.folded(in: 2).normal($0.batched(inputs.rows)).cast(to: dtype) }
    return try [("initial", params), ("perturbed", params.perturbed(key.folded(in: 3)))].map {
      Specimen(
        label: "\($0.0) parameters", params: try settled($0.1, forward, inputs, context), forward: forward,
        inverse: inverse, inputs: inputs, context: context)
    }
  }

  /// The specimens of a layer that does not couple rows.
  func uncoupledSpecimens() throws -> [Specimen] {
    try specimens(.float32).filter { !$0.forward.traits.contains(.couplesRows) }
  }

  /// The parameters after their statistics, if any, have converged to those of the inputs.
  private func settled(_ params: Params, _ forward: Mapping, _ inputs: Tensor, _ context: Tensor?) throws
    -> Params
  {
    var params = params
    for _ in 0..<(forward.statistics == nil ? 0 : 1000) {
      let moved = try forward.updatingStatistics(params, inputs, given: context)
      if moved.isIdentical(to: params) { break }
      params = moved
    }
    return params
  }

  /// Throws if two tensors differ by more than `tolerance · max(1, |b|)` anywhere.
  func requireClose(_ a: Tensor, _ b: Tensor, _ tolerance: Double, _ law: Law, _ what: String) throws {
    guard a.shape == b.shape else { throw fail(law, "\(what): shape \(a.shape) and \(b.shape)") }
    for (i, (x, y)) in zip(a.doubles, b.doubles).enumerated()
    where !(abs(x - y) <= tolerance * max(1, abs(y))) {
      if x == y { continue }  // equal infinities
      let row = a.rank == 0 ? 0 : i / max(a.shape.sample.count, 1)
      throw fail(law, "\(what): row \(row) has \(x), expected \(y)")
    }
  }

  func checkShapes(_ specimen: Specimen) throws {
    for (mapping, x) in try specimen.directions() {
      for rows in [x.rows, 1, 0] {
        _ = try mapping.shaped(specimen.params, x[0..<rows], specimen.context?[0..<rows])
      }
    }
  }

  func checkRoundTrip(_ specimen: Specimen) throws {
    let y = try specimen.run(specimen.inputs).outputs
    let x = try specimen.back(y).outputs
    try requireClose(
      x, specimen.inputs, tolerance.roundTrip, .roundTrip, "inverse(forward(x)), \(specimen.label)")
    try requireClose(
      specimen.run(x).outputs, y, tolerance.roundTrip, .roundTrip, "forward(inverse(y)), \(specimen.label)")
  }

  func checkLogDetsCancel(_ specimen: Specimen) throws {
    let (y, there) = try specimen.run(specimen.inputs)
    let back = try specimen.back(y).logDet
    try requireClose(
      -back, there, tolerance.logDet, .logDetsCancel, "-log|det| of the inverse, \(specimen.label)")
  }

  func checkRowBits(_ specimen: Specimen) throws {
    for (mapping, x) in try specimen.directions() {
      let whole = try mapping.shaped(specimen.params, x, specimen.context)
      for row in 0..<x.rows {
        let row = row..<row + 1
        let alone = try mapping.shaped(specimen.params, x[row], specimen.context?[row])
        for (a, b) in [(alone.outputs, whole.outputs[row]), (alone.logDet, whole.logDet[row])]
        where !a.isIdentical(to: b) {
          throw fail(.rowBits, "row \(row.lowerBound) alone gives \(a), in the batch \(b)")
        }
      }
    }
  }

  func checkRowIndependence(_ specimen: Specimen) throws {
    if specimen.inputs.rows < 2 { return }
    let nan = Tensor.full(specimen.inputs[0..<1].shape, .nan)
    let rest = 1..<specimen.inputs.rows
    let spoiled = concatenate([nan, specimen.inputs[rest]], axis: 0)
    let (whole, other) = (try specimen.run(specimen.inputs), try specimen.run(spoiled))
    guard other.outputs[rest].isIdentical(to: whole.outputs[rest]),
      other.logDet[rest].isIdentical(to: whole.logDet[rest])
    else { throw fail(.rowIndependence, "a NaN in row 0 changed another row, \(specimen.label)") }
  }
}
