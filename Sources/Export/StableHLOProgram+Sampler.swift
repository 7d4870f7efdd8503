import Randomness
import StableHLO
import Tensors

extension StableHLOProgram {
  /// Traces a sampler. The key and the state are arguments behind the given ones, and the next state are
  /// results behind the samples; `DrawTrace` describes them.
  ///
  /// - Parameters:
  ///   - rows: the number of rows of a call.
  ///   - isLast: whether the next state is left out.
  ///   - function: the results, by a key and the given arguments.
  static func sampler(
    _ name: String, of arguments: [Kind], rows: Int, isLast: Bool = false,
    _ function: (Key, [Tensor]) throws -> [Tensor]
  ) throws -> StableHLOProgram {
    try StableHLOProgram(tracing: name, of: arguments) { graph, tensors in
      let key = Key(0)
      let trace = DrawTrace(graph, of: key, rows: rows)
      let results = try DrawTrace.$current.withValue(trace) { try function(key, tensors) }
      return results + (isLast ? [] : trace.nextState)
    }
  }
}
