import Tensors

// The rule for rows outside the domain of a layer. A composite runs on: the layer maps an allowed value
// instead, and the row's log-det is −∞. Calls of bijections throw for such a row. A density is −∞ there, with
// derivative 0.

extension Mapping {
  /// The body as a composite runs it: it takes rows outside the domain too.
  package var memberBody: Body {
    // The members of a composite, and a density, see to it themselves.
    guard case .layer = composition, domain.values != .reals, !isDensity else { return body }
    return bodyForAllRows
  }

  /// The same mapping with a body for rows outside its domain too.
  package var forAllRows: Mapping { evaluated(name, by: domain.values == .reals ? body : bodyForAllRows) }
  /// The same mapping as a composite runs it.
  package var asMember: Mapping { evaluated(name, by: memberBody) }

  private var bodyForAllRows: Body {
    let (domain, body) = (domain, body)
    return { (params, x, context) throws(FlowError) in
      guard let isOutside = domain.rowsOutside(x) else { return try body(params, x, context) }
      let ones = [Int](repeating: 1, count: x.rank - 1)
      let mask = isOutside.reshaped(to: Shape([x.rows] + ones)).broadcast(to: x.shape)
      let inside = select(where: mask, domain.member(dtype: x.dtype).broadcast(to: x.shape), x)
      let (outputs, logDet) = try body(params, inside, context)
      return (outputs, select(where: isOutside, -.infinity, logDet.repeated(forRows: x.rows)))
    }
  }

  /// A density whose derivative is 0 in rows where it is −∞.
  static func zeroSlopeOutside(_ density: @escaping Body) -> Body {
    { (params, x, context) throws(FlowError) in
      let (outputs, logPDF) = try density(params, x, context)
      if !logPDF.isSymbolic && logPDF.rowsInside == nil { return (outputs, logPDF) }
      return (outputs, select(where: logPDF.detached .== -.infinity, -.infinity, logPDF))
    }
  }

  /// Maps data for initial parameters, on all cores. Rows outside the domain stay behind, each with its
  /// context.
  func passing(
    _ data: Tensor?, _ context: Tensor?, _ params: Params
  ) throws(FlowError) -> (data: Tensor?, context: Tensor?) {
    guard let data else { return (nil, context) }
    if hasEqualOutputsAlone { return (try outputs(params, data, context), context) }
    let (outputs, logDet) = try asMember.inShards(params, data, context)
    guard let rows = logDet.rowsInside else { return (outputs, context) }
    return rows.isEmpty ? (nil, nil) : (outputs.rows(rows), context?.rows(rows))
  }

  /// Throws `FlowError.outsideDomain` for the first value outside the domain of a layer that it reaches.
  package func checkLayers(
    _ params: Params, _ inputs: Tensor, _ context: Tensor?
  ) throws(FlowError) {
    switch composition {
    case .layer:
      try domain.check(inputs, who: name)
    case .chain(let members):
      var x = inputs
      for (mapping, address) in members {
        try mapping.checkLayers(address(params), x, context)
        x = try mapping.body(address(params), x, context).outputs
      }
    case .split(let parts):
      for ((mapping, address), range, _) in parts {
        try mapping.checkLayers(address(params), inputs.sliced(axis: -1, range), context)
      }
    case .seeing(let (mapping, address), let change):
      try mapping.checkLayers(address(params), inputs, change(params, context, inputs.rows))
    }
  }
}

extension Tensor {
  /// The rows whose log-det is not −∞; nil if that is all rows, or if a graph has to do for any.
  package var rowsInside: [Int]? {
    if isSymbolic { return nil }
    let values = detached.doubles
    if rank == 0 || !values.contains(-.infinity) { return nil }
    return values.indices.filter { values[$0] != -.infinity }
  }
}

extension [Int]? {
  /// Runs a body on some rows alone; nil: on all. The other rows get the results of the first one of these.
  func run(
    _ x: Tensor, _ context: Tensor?,
    _ body: (_ x: Tensor, _ context: Tensor?) throws(FlowError) -> (outputs: Tensor, logDet: Tensor)
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    guard let rows = self, !rows.isEmpty else { return try body(x, context) }
    let (y, logDet) = try body(x.rows(rows), context?.rows(rows))
    var places = [Int](repeating: 0, count: x.rows)
    for (place, row) in rows.enumerated() { places[row] = place }
    return (y.rows(places), logDet.rank == 0 ? logDet : logDet.rows(places))
  }
}
