import Bijections
import Randomness
import Tensors

/// A layer's two mappings at parameters, with rows to check at.
struct Specimen {
  let label: String
  /// Whether results at moderate rows have to be finite. Parameters far out may overflow.
  let isModerate: Bool
  let params: Params
  let forward, inverse: Mapping
  /// The rows of data, and rows of latents that need not be images of data.
  let inputs, latents: Tensor
  let context: Tensor?

  /// One mapping at rows where its results are finite.
  struct Direction {
    let label: String
    let isForward: Bool
    let mapping, back: Mapping
    let params: Params
    let inputs: Tensor
    let context: Tensor?

    /// The rows without a number or context at 0, where many functions have a kink.
    var rowsOffZero: [Int] {
      let small = (abs(inputs) .< 1e-5).sumPerRow().doubles
      let silent = context.map { ($0 .== 0).sumPerRow().doubles }
      return small.indices.filter { small[$0] == 0 && silent?[$0] ?? 0 == 0 }
    }

    func callAsFunction() throws -> (outputs: Tensor, logDet: Tensor) {
      try mapping.shaped(params, inputs, context)
    }
  }

  /// The forward mapping at the inputs, the inverse at its outputs, and the inverse at the latents.
  func directions() throws -> [Direction] {
    func direction(_ label: String, _ mapping: Mapping, _ back: Mapping, _ x: Tensor, _ context: Tensor?)
      throws -> Direction
    {
      let rows = try mapping.finiteRows(params, x, context)
      return Direction(
        label: "\(label), \(self.label)", isForward: label == "forward", mapping: mapping, back: back,
        params: params,
        inputs: x.rows(rows), context: context?.rows(rows))
    }
    let there = try direction("forward", forward, inverse, inputs, context)
    let back = try direction("inverse", inverse, forward, there().outputs, there.context)
    // The inverse of a layer that couples rows undoes the batch of the inputs alone.
    if forward.traits.contains(.couplesRows) { return [there, back] }
    return [there, back, try direction("inverse at latents", inverse, forward, latents, context)]
  }

  /// The two mappings in the order of a direction.
  func mappings(of direction: Direction) -> (there: Mapping, back: Mapping) {
    direction.isForward ? (forward, inverse) : (inverse, forward)
  }

  /// The same specimen with the rows at some positions.
  func rows(_ positions: [Int]) -> Specimen {
    Specimen(
      label: label, isModerate: isModerate, params: params, forward: forward, inverse: inverse,
      inputs: inputs.rows(positions), latents: latents.rows(positions), context: context?.rows(positions))
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

  /// The rows whose outputs and log-dets are finite.
  func finiteRows(_ params: Params, _ x: Tensor, _ context: Tensor?) throws -> [Int] {
    let (y, logDet) = try shaped(params, x, context)
    let sums = (0 * logDet + (0 * y).sumPerRow()).doubles
    return sums.indices.filter { sums[$0] == 0 }
  }
}

extension Tree where Leaf == Tensor {
  /// The tree with real numbers in float64.
  var inDoubles: Tree { map { $0.dtype.isFloatingPoint ? $0.cast(to: .float64) : $0 } }
}

extension Laws {
  /// The layer at its initial parameters, at perturbed ones, and at parameters far out.
  ///
  /// The same key gives the same parameters and rows for both dtypes.
  func specimens(_ dtype: DType = .float64) throws -> [Specimen] {
    let (params, forward, inverse) = try bijection(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, dtype: dtype)
    var inputs = (givenInputs ?? Probes.inputs(key.folded(in: 1), in: forward.domain)).cast(to: dtype)
    var latents = Probes.inputs(key.folded(in: 8), in: inverse.domain).cast(to: dtype)
    var context = contextDim.map { shape in
      let all = Probes.context(key.folded(in: 2), shape).cast(to: dtype)
      return givenInputs.map { all.rows((0..<$0.rows).map { $0 % Probes.count }) } ?? all
    }
    if forward.traits.contains(.couplesRows) && givenInputs == nil {
      let near = Probes.rows(upTo: 1)
      (inputs, latents, context) = (inputs.rows(near), latents.rows(near), context?.rows(near))
    }
    latents = latents.rows((0..<inputs.rows).map { $0 % latents.rows })
    let noise = key.folded(in: 3)
    return try [
      ("initial parameters", true, params), ("perturbed parameters", true, params.perturbed(noise)),
      ("parameters shifted by 1", true, params.shifted(noise.folded(in: 1), by: 1)),
      ("parameters shifted by -1", true, params.shifted(noise.folded(in: 2), by: -1)),
      ("perturbed parameters, 10 times", false, params.perturbed(noise.folded(in: 3), by: 1)),
    ].map {
      Specimen(
        label: $0.0, isModerate: $0.1, params: try settled($0.2, forward, inputs, context), forward: forward,
        inverse: inverse, inputs: inputs, latents: latents, context: context)
    }
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
}
