import Tensors

/// Turns the draws of a traced sampler into arguments of its graph.
///
/// While one is current, a draw of normal or uniform numbers gives a new argument. The trace notes how the
/// draw's key comes from the sampler's, so that others can make the same draw. Any other draw makes the trace
/// fail.
package final class DrawTrace: Sendable {
  @TaskLocal package static var current: DrawTrace?

  /// A draw: its distribution, the indices of the children that lead to its key, and its shape.
  package struct Draw: Sendable {
    package enum Distribution: Sendable {
      case normal
      case uniform(Double, Double)
      /// Categories with some logits.
      case categorical(Tensor)
    }
    package let distribution: Distribution
    package let path: [Int]
    package let shape: Shape
    package let dtype: DType
    /// The draws of categories that share this one's rows out, from the outside in, and the category of each.
    package let categories: [Category]
  }

  /// A category of a draw, by number.
  package typealias Category = (draw: Int, index: Int)

  private struct State {
    var paths: [Key: [Int]]
    var draws: [Draw] = []
    var categories: [Category] = []
  }

  private let graph: Graph
  /// The number of rows of each draw.
  private let rows: Int
  private let state: Guarded<State>

  /// A trace of a sampler that gets a key.
  package init(_ graph: Graph, of key: Key, rows: Int) {
    (self.graph, self.rows) = (graph, rows)
    state = Guarded(State(paths: [key: []]))
  }

  /// The draws so far, in the order of their arguments.
  package var draws: [Draw] { state.withLock { $0.draws } }

  /// Notes a child of a key.
  func note(_ child: Key, _ index: UInt64, of key: Key) {
    state.withLock { state in
      if let path = state.paths[key] { state.paths[child] = path + [Int(truncatingIfNeeded: index)] }
    }
  }

  /// A draw as an argument.
  package func draw(_ key: Key, _ distribution: Draw.Distribution, _ shape: Shape, _ dtype: DType) -> Tensor {
    let failure = state.withLock { state -> String? in
      guard let path = state.paths[key] else { return "a draw by a key of its own" }
      guard shape.rank > 0, shape[0] == rows else {
        return "a draw of \(shape), not one for each of \(rows) rows"
      }
      state.draws.append(
        Draw(distribution: distribution, path: path, shape: shape, dtype: dtype, categories: state.categories)
      )
      return nil
    }
    if let failure { graph.fail(failure) }
    return graph.argument(shape, dtype)
  }

  /// Makes the trace fail for a draw of another kind.
  func refuse(_ name: StaticString) { graph.fail("a draw of \(name)") }

  /// Runs a draw for the rows of one category. The draws of each category count from 0.
  package func within<Result, Failure: Error>(
    _ draw: Int, _ index: Int, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    state.withLock { $0.categories.append((draw, index)) }
    defer { state.withLock { _ = $0.categories.popLast() } }
    return try body()
  }
}
