/// A value that stands for a result in a graph. It has a shape and a dtype, but no numbers.
package final class Symbolic: Sendable {
  package let graph: Graph
  package let value: Graph.Value
  let shape: Shape
  let dtype: DType

  init(_ graph: Graph, _ value: Graph.Value, _ shape: Shape, _ dtype: DType) {
    (self.graph, self.value, self.shape, self.dtype) = (graph, value, shape, dtype)
  }
}

extension Tensor {
  /// The innermost graph that follows this value below all derivatives; nil for values in memory.
  package var graph: Graph? {
    if case .symbolic(let symbolic) = detached.payload { return symbolic.graph }
    return nil
  }

  /// Whether a graph follows this value, so that its numbers are not known.
  package var isSymbolic: Bool { level != 0 && graph != nil }

  /// Makes the trace that follows this value fail, if there is one.
  package func refuseTrace(_ reason: String) { graph?.fail(reason) }

  /// Whether both are the same value of a graph.
  package func isSameValue(as other: Tensor) -> Bool {
    guard case .symbolic(let a) = payload, case .symbolic(let b) = other.payload else { return false }
    return a.graph === b.graph && a.value == b.value
  }
}
