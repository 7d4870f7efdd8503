extension Tensor {
  /// Whether a function reads this tensor: whether its results depend on the numbers, or it asks for them.
  ///
  /// Operations are followed, not numbers: a product with zeros reads both factors. The function runs once or
  /// twice. Rethrows its errors.
  package func isRead(by f: (Tensor) throws -> [Tensor]) rethrows -> Bool {
    let tape = Tape()
    let results = try Transformation.$isUnderWay.withValue(true) { try f(tape.leaf(self)) }
    if results.contains(where: { tape.slot(of: $0) != nil }) { return true }
    // A tape does not follow comparisons and whatever else has no derivative. A graph does.
    let graph = Graph()
    let followed = Transformation.$isUnderWay.withValue(true) { try? f(graph.argument(shape, dtype)) }
    return graph.failure != nil || followed?.contains { $0.graph === graph } ?? true
  }
}
