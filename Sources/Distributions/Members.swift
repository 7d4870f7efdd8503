/// The initialized members of a mixture or a product.
struct Members: Sendable {
  let params: Params
  let densities: [LogPDF]
  let samplers: [Sampler]

  /// Initializes distribution i at `place(i)` with the key `key.folded(in: i)`.
  init(
    _ distributions: [any Distribution], _ key: Key, at place: (Int) -> Site
  ) throws(FlowError) {
    var params: [Params] = []
    var (densities, samplers): ([LogPDF], [Sampler]) = ([], [])
    for (i, distribution) in distributions.enumerated() {
      let member = try distribution.initialize(key.folded(in: i), at: place(i))
      params.append(member.params)
      densities.append(member.logPDF)
      samplers.append(member.sample)
    }
    self.params = Params(params)
    (self.densities, self.samplers) = (densities, samplers)
  }

  /// The trait `.couplesRows` if a member has it.
  var traits: Mapping.Traits {
    densities.contains { $0.traits.contains(.couplesRows) } ? .couplesRows : []
  }

  /// The update of the members' statistics, each by its part of a batch; nil if no member has statistics.
  ///
  /// - Parameters:
  ///   - path: The path of the members' parameters; empty for the whole tree.
  ///   - part: The part of a batch for member i.
  func statistics(
    at path: String, part: @escaping @Sendable (Tensor, Int) -> Tensor
  ) -> Mapping.Statistics? {
    if densities.allSatisfy({ $0.statistics == nil }) { return nil }
    return { [densities] (params, batch, context) throws(FlowError) in
      let own = path.isEmpty ? params : params.child(path)
      var updated = own
      for (i, density) in densities.enumerated() {
        guard let statistics = density.statistics else { continue }
        updated = try updated.replacing("\(i)", by: statistics(own.child(i), part(batch, i), context))
      }
      return try params.replacing(path, by: updated)
    }
  }
}
