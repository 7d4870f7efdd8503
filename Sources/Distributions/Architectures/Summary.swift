extension Flow: CustomStringConvertible {
  /// The layers, one per line, and the prior. `summary(inputDim:)` adds shapes and numbers of parameters.
  public var description: String {
    let names = Flow.flattened(bijection).map { "  \(Flow.name(of: $0))" }
    return (["Flow"] + names + ["  prior: \(type(of: prior))"]).joined(separator: "\n")
  }

  /// Makes a table of the layers with their shapes and numbers of learned parameters.
  ///
  /// - Throws: The errors of the layers for these shapes.
  public func summary(inputDim: Shape, contextDim: Shape? = nil) throws(FlowError) -> String {
    var site = Site(inputDim: inputDim, contextDim: contextDim)
    try site.check(who: "Flow")
    var rows: [(name: String, shapes: String, count: Int)] = []
    for (i, layer) in Flow.flattened(bijection).enumerated() {
      let (params, forward, _) = try layer.initialize(Key(0).folded(in: i), at: site)
      rows.append((Flow.name(of: layer), "\(site.inputDim) → \(forward.codomain.shape)", params.learnedCount))
      site.inputDim = forward.codomain.shape
    }
    let (params, _, _) = try prior.initialize(Key(0).folded(in: rows.count), at: site)
    rows.append(("prior: \(type(of: prior))", "\(site.inputDim)", params.learnedCount))
    rows.append(("total", "", rows.reduce(0) { $0 + $1.count }))

    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: width - text.count)
    }
    let (names, shapes) = (rows.map(\.name.count).max() ?? 0, rows.map(\.shapes.count).max() ?? 0)
    return rows.map { "\(padded($0.name, names))  \(padded($0.shapes, shapes))  \($0.count)" }.joined(
      separator: "\n")
  }

  /// The layers of nested `Serial`s in order.
  private static func flattened(_ bijection: any Bijection) -> [any Bijection] {
    guard let serial = bijection as? Serial else { return [bijection] }
    return serial.layers.flatMap(flattened)
  }

  private static func name(of layer: any Bijection) -> String {
    if let inverted = layer as? Inverted { return "Inverted(\(name(of: inverted.bijection)))" }
    return "\(type(of: layer))"
  }
}
