import Bijections
import Randomness
import Tensors

/// A layer's two mappings at parameters, with rows to check at.
struct Specimen: Sendable {
  let label: String
  /// Whether results at moderate rows have to be finite. Parameters far out may overflow.
  let isModerate: Bool
  /// Whether parameters differ by 1 from the initial ones.
  var isShifted: Bool { label.contains("shifted") }
  let params: Params
  let forward, inverse: Mapping
  /// Whether the user has given the rows.
  let isGiven: Bool
  /// The rows of data.
  let inputs: Tensor
  /// Rows of latents that need not be images of data, if such are known.
  let latents: Tensor?
  let context: Tensor?
  private let keptDirections = Kept<[Direction]>()

  /// One mapping at rows where its results are finite.
  struct Direction: Sendable {
    let label: String
    let isForward: Bool
    let mapping, back: Mapping
    let params: Params
    let inputs: Tensor
    let context: Tensor?
    /// The numbers of the rows on the ladder of scales; nil: the rows are given.
    let rows: [Int]?
    /// The results at the rows, if they have been computed.
    fileprivate(set) var known: (outputs: Tensor, logDet: Tensor)?

    /// Whether a row is beyond the scale at which derivatives have to be finite.
    func isFar(_ row: Int) -> Bool { rows.map { !Probes.near.contains($0[row]) } ?? false }

    /// The direction at some of its rows.
    func at(_ positions: [Int]) -> Direction {
      if positions == Array(0..<inputs.rows) { return self }
      return Direction(
        label: label, isForward: isForward, mapping: mapping, back: back, params: params,
        inputs: inputs.rows(positions), context: context?.rows(positions),
        rows: rows.map { rows in positions.map { rows[$0] } })
    }

    /// The rows without a number or context at 0, where many functions have a kink.
    var rowsOffZero: [Int] {
      let small = (abs(inputs) .< 1e-5).sumPerRow().doubles
      let silent = context.map { ($0 .== 0).sumPerRow().doubles }
      return small.indices.filter { small[$0] == 0 && silent?[$0] ?? 0 == 0 }
    }

    /// Marks rows where the mapping saturates, so that rounding loses the inputs. An output stays the same if
    /// the inputs change by a thousandth, and the log-det is as small as that.
    func saturatedRows() throws -> [Bool] {
      let (x, (y, logDet)) = (inputs, try self())
      // The rows of a layer that couples them are one batch.
      if mapping.traits.union(back.traits).contains(.couplesRows) {
        return [Bool](repeating: false, count: x.rows)
      }
      let isReal = mapping.domain.values == .reals
      let zeros = isReal ? select(where: x .== 0, 1e-3, 0.0 * x) : 0.0 * x
      let moved = try mapping.perRow(params, 1.001 * x + zeros, context).outputs
      let isFlat = (moved .== y).sumPerRow().doubles
      return zip(isFlat, logDet.doubles).map { $0 != 0 && $1 < (x.dtype == .float64 ? -20 : -7) }
    }

    /// The results of the way back. Where rounding leaves the domain of a layer within a composite, they are
    /// NaN.
    func wayBack(_ y: Tensor) throws -> (outputs: Tensor, logDet: Tensor) {
      try back.isBoundedWithin ? back.results(params, y, context) : back.shaped(params, y, context)
    }

    func callAsFunction() throws -> (outputs: Tensor, logDet: Tensor) {
      try known ?? mapping.shaped(params, inputs, context)
    }
  }

  /// The forward mapping at the inputs, the inverse at its outputs, and the inverse at the latents.
  func directions() throws -> [Direction] { try keptDirections.value(makeDirections) }

  private func makeDirections() throws -> [Direction] {
    func direction(
      _ label: String, _ mapping: Mapping, _ back: Mapping, _ x: Tensor, _ context: Tensor?, _ ladder: [Int]?
    ) throws -> Direction {
      var all = Direction(
        label: "\(label), \(self.label)", isForward: label == "forward", mapping: mapping, back: back,
        params: params, inputs: x, context: context, rows: ladder)
      if !mapping.isBoundedWithin { all.known = try all() }
      return all.at(finiteRows(try all.known ?? mapping.results(params, x, context)))
    }
    let ladder = isGiven ? nil : Array(0..<inputs.rows)
    var there = try direction("forward", forward, inverse, inputs, context, ladder)
    there.known = try there()
    let back = try direction("inverse", inverse, forward, there().outputs, there.context, there.rows)
    // The inverse of a layer that couples rows undoes the batch of the inputs alone.
    guard !forward.traits.contains(.couplesRows), let latents else { return [there, back] }
    let apart = try direction("inverse at latents", inverse, forward, latents, context, ladder)
    return apart.inputs.rows == 0 ? [there, back] : [there, back, apart]
  }

  /// The two mappings in the order of a direction.
  func mappings(of direction: Direction) -> (there: Mapping, back: Mapping) {
    direction.isForward ? (forward, inverse) : (inverse, forward)
  }

  /// The same specimen with the rows at some positions.
  func rows(_ positions: [Int]) -> Specimen {
    Specimen(
      label: label, isModerate: isModerate, params: params, forward: forward, inverse: inverse,
      isGiven: isGiven, inputs: inputs.rows(positions), latents: latents?.rows(positions),
      context: context?.rows(positions))
  }
}

extension Mapping {
  /// Computes results without checks. Rows outside the domain of a layer within are NaN.
  func results(
    _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    let (y, logDet) = try perRow(params, x, context)
    guard isBounded, let inside = logDet.rowsInside else { return (y, logDet) }
    var scale = [Double](repeating: .nan, count: x.rows)
    for row in inside { scale[row] = 1 }
    let ones = [Int](repeating: 1, count: y.rank - 1)
    let mask = Tensor(scale, dtype: y.dtype)
    return (y * mask.reshaped(to: Shape([y.rows] + ones)), logDet * mask)
  }

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

/// The rows whose outputs and log-dets are finite and so large that squares do not overflow, and without
/// outputs that underflow.
private func finiteRows(_ results: (outputs: Tensor, logDet: Tensor)) -> [Int] {
  let (y, logDet) = results
  let (largest, least) = y.dtype == .float64 ? (1e150, 0x1p-1022) : (1e18, 0x1p-126)
  let isTiny = (abs(y) .< least) * (1 - (y .== 0))
  let strays = (abs(logDet) .>= largest) + ((abs(y) .>= largest) + isTiny).sumPerRow()
  let sums = (strays + 0 * logDet + (0 * y).sumPerRow()).doubles
  return sums.indices.filter { sums[$0] == 0 }
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
    try (dtype == .float64 ? doubles : singles).value { try makeSpecimens(dtype) }
  }

  /// The same specimens, made anew.
  func makeSpecimens(_ dtype: DType) throws -> [Specimen] {
    let (params, forward, inverse) = try bijection(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, dtype: dtype)
    func probes(_ key: Key, _ domain: Domain) -> Tensor {
      domain.nearest(Probes.inputs(key, in: domain).cast(to: dtype))
    }
    var context = contextDim.map { Probes.context(key.folded(in: 2), $0).cast(to: dtype) }
    var latents = inverse.isBoundedWithin ? nil : probes(key.folded(in: 8), inverse.domain)
    var inputs = givenInputs?.cast(to: dtype) ?? probes(key.folded(in: 1), forward.domain)
    var rows = (0..<inputs.rows).map { $0 % Probes.count }
    if forward.traits.contains(.couplesRows) && givenInputs == nil {
      rows = Probes.rows(upTo: 1)
      inputs = inputs.rows(rows)
    }
    (latents, context) = (latents?.rows(rows), context?.rows(rows))
    // The domain of a composite may lie within, and depend on the parameters: data are images of latents
    // then.
    func data(_ params: Params) throws -> Tensor {
      guard givenInputs == nil, forward.isBoundedWithin, let latents else { return inputs }
      return try inverse(params, latents, given: context).outputs
    }
    return try [
      ("initial parameters", true, params),
      ("perturbed parameters", true, params.perturbed(key.folded(in: 3))),
      ("parameters shifted by 1", true, params.shifted(key.folded(in: 12), by: 1)),
      ("parameters shifted by -1", true, params.shifted(key.folded(in: 15), by: -1)),
      ("parameters shifted by -1 and 1 in turn", true, params.shifted(key.folded(in: 13), by: -1, 1)),
      ("perturbed parameters, 10 times", false, params.perturbed(key.folded(in: 14), by: 1)),
    ].map { label, isModerate, params in
      let inputs = try data(params)
      return Specimen(
        label: label, isModerate: isModerate, params: try settled(params, forward, inputs, context),
        forward: forward, inverse: inverse,
        isGiven: givenInputs != nil || forward.traits.contains(.couplesRows), inputs: inputs,
        latents: latents, context: context)
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
