import Bijections
import Randomness
import Tensors

extension Laws {
  func fail(_ law: Law, _ message: String) -> FlowError { .verification(who: "law \(law)", message: message) }

  /// Throws if two tensors differ in a row by more than `tolerance · max(1, |b|)` and its allowance, which is
  /// computed if it matters.
  func requireClose(
    _ a: Tensor, _ b: Tensor, _ tolerance: Double, _ law: Law, _ what: @autoclosure () -> String,
    allowing allowance: () throws -> [Double] = { [] }
  ) throws {
    guard a.shape == b.shape else { throw fail(law, "\(what()): shape \(a.shape) and \(b.shape)") }
    let size = a.rank == 0 ? 1 : max(a.shape.sample.count, 1)
    var allowed: [Double]?
    for (i, (x, y)) in zip(a.doubles, b.doubles).enumerated() {
      if abs(x - y) <= tolerance * max(1, abs(y)) || x == y { continue }
      let more = try allowed ?? allowance()
      allowed = more
      let row = i / size
      if row < more.count, more[row] == .infinity || abs(x - y) <= tolerance * max(1, abs(y)) + more[row] {
        continue
      }
      throw fail(law, "\(what()): row \(row) has \(x), expected \(y)")
    }
  }

  func checkShapes(_ specimen: Specimen) throws {
    for direction in try specimen.directions() {
      _ = try direction()
      for rows in [1, 0] where rows <= direction.inputs.rows {
        _ = try direction.mapping.shaped(
          specimen.params, direction.inputs[0..<rows], direction.context?[0..<rows])
      }
    }
  }

  /// Values, log-dets and derivatives at rows of moderate size.
  func checkFinite(_ specimen: Specimen) throws {
    guard specimen.isModerate else { return }
    let isDouble = specimen.inputs.dtype == .float64
    let isCoupled = specimen.forward.traits.contains(.couplesRows)
    let near =
      givenInputs == nil && !isCoupled
      ? specimen.rows(Probes.rows(upTo: isDouble && !specimen.isShifted ? 10 : 3)) : specimen
    func require(_ mapping: Mapping, _ x: Tensor, _ name: String) throws -> Tensor {
      let (y, logDet) = try mapping.shaped(near.params, x, near.context)
      for (what, tensor) in [("outputs", y), ("log-dets", logDet)] {
        if let position = tensor.firstNonFinite {
          let row = position / max(tensor.shape.sample.count, 1)
          throw fail(
            .finite, "\(what) of row \(row), \(name), \(near.label): \(tensor.doubles[position]) at \(x[row])"
          )
        }
      }
      return y
    }
    let y = try require(near.forward, near.inputs, "forward")
    if specimen.label.hasPrefix("initial"), !specimen.isGiven, let latents = specimen.latents {
      // Latents inside the codomain have data.
      let rows = Probes.rows(upTo: 3)
      let x = try near.inverse.shaped(near.params, latents.rows(rows), specimen.context?.rows(rows)).outputs
      if let position = x.firstNonFinite {
        throw fail(.finite, "the inverse at a latent is \(x.doubles[position])")
      }
    }
    _ = try require(near.inverse, y, "inverse")
    for (mapping, x, name) in [(near.forward, near.inputs, "forward"), (near.inverse, y, "inverse")] {
      let (probe, isFirst) = (
        try probe(mapping, near.params, x, near.context), specimen.label.hasPrefix("initial")
      )
      // Rules that find some cotangents alone are asked once.
      let slopes =
        try isFirst
        ? probe.gradients(mapping, near.params, x, near.context)
        : probe.gradientsInOnePass(mapping, near.params, x, near.context)
      if let wrong = slopes.first(where: { !$0.value.isFinite }) {
        throw fail(.finite, "the gradient by \(wrong.name), \(name), \(near.label), is not finite")
      }
    }
  }

  /// There and back, in both orders.
  func checkRoundTrip(_ specimen: Specimen, _ double: Specimen) throws {
    for direction in try specimen.directions() {
      let (x, dtype) = (direction.inputs, direction.inputs.dtype)
      let y = try direction().outputs
      let returned = try direction.wayBack(y).outputs
      try requireClose(
        returned, x, dtype == .float64 ? tolerance.roundTrip : tolerance.float32, .roundTrip,
        "there and back, \(direction.label), \(dtype)"
      ) {
        let allowance = try wayBackAllowance(direction, double) { mapping, params, y, context in
          try mapping.results(params, y, context).outputs
        }
        if dtype == .float64 { return allowance }
        // Far out, numbers within a layer may be beyond float32.
        let overflows = (0 * returned .== 0).sumPerRow().doubles.map { $0 < Double(x.shape.sample.count) }
        return allowance.indices.map { row in
          overflows[row] && (specimen.isShifted || direction.isFar(row)) ? .infinity : allowance[row]
        }
      }
    }
  }

  func checkLogDetsCancel(_ specimen: Specimen) throws {
    for direction in try specimen.directions() {
      let (y, there) = try direction()
      let back = try direction.wayBack(y).logDet
      try requireClose(
        -back, there, tolerance.logDet, .logDetsCancel, "-log|det| of the way back, \(direction.label)"
      ) {
        let own = try conditioning(direction, in: specimen).allowance {
          (mapping, params, x, context) throws in try mapping.results(params, x, context).logDet
        }
        return zip(
          own,
          try wayBackAllowance(direction, specimen) { mapping, params, y, context in
            try mapping.results(params, y, context).logDet
          }
        ).map(+)
      }
    }
  }

  /// The allowed error of a result of the way back, per row. The way there rounds, and the way back does. It
  /// is infinite where the mapping saturates: no inverse finds the way back.
  private func wayBackAllowance(
    _ direction: Specimen.Direction, _ double: Specimen,
    _ result: (_ mapping: Mapping, _ params: Params, _ y: Tensor, _ context: Tensor?) throws -> Tensor
  ) throws -> [Double] {
    let (there, back) = double.mappings(of: direction)
    let exact = direction.params.inDoubles
    let first = try conditioning(direction, in: double).allowance { (mapping, params, x, context) throws in
      try result(back, exact, mapping.results(params, x, context).outputs, context)
    }
    let context = direction.context?.cast(to: .float64)
    let image = try there.results(exact, direction.inputs.cast(to: .float64), context).outputs
    let second = try Conditioning(
      of: direction.inputs.dtype, back, exact, image, context, key.folded(in: 9)
    ).allowance { (mapping, params, y, context) throws in try result(mapping, params, y, context) }
    let isSaturated = try direction.saturatedRows()
    return first.indices.map { isSaturated[$0] ? .infinity : first[$0] + second[$0] }
  }

  /// The conditioning of a direction, evaluated by the float64 mappings of a specimen.
  func conditioning(_ direction: Specimen.Direction, in double: Specimen) -> Conditioning {
    Conditioning(
      of: direction.inputs.dtype, double.mappings(of: direction).there, direction.params.inDoubles,
      direction.inputs.cast(to: .float64), direction.context?.cast(to: .float64), key.folded(in: 9))
  }

  /// float32 against float64, both directions.
  func checkDTypes(_ double: Specimen, _ single: Specimen) throws {
    for direction in try single.directions() {
      let conditioning = conditioning(direction, in: double)
      let (y32, logDet32) = try direction()
      let (y, logDet) = try conditioning.mapping.shaped(
        conditioning.params, conditioning.inputs, conditioning.context)
      try requireClose(
        y32.cast(to: .float64), y, tolerance.float32, .dtypes, "outputs, \(direction.label)"
      ) {
        try conditioning.allowance { (mapping, params, x, context) throws in
          try mapping.results(params, x, context).outputs
        }
      }
      try requireClose(
        logDet32.cast(to: .float64), logDet, tolerance.float32, .dtypes, "log-dets, \(direction.label)"
      ) {
        let own = try conditioning.allowance { (mapping, params, x, context) throws in
          try mapping.results(params, x, context).logDet
        }
        return zip(own, try conditioning.undeterminedRows()).map { $1 ? .infinity : $0 }
      }
    }
  }
}
