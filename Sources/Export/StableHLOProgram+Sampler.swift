import Randomness
import StableHLO
import Tensors

extension StableHLOProgram {
  /// Traces a sampler. Its draws become arguments behind the given ones.
  ///
  /// - Parameters:
  ///   - rows: the number of rows of each draw.
  ///   - function: the sampler, of a key and the given arguments.
  ///   - logits: called with the arguments and the draws while both are in the trace.
  static func sampler(
    _ name: String, of arguments: [Kind], rows: Int, _ function: (Key, [Tensor]) throws -> Tensor,
    logits: ([Tensor], [DrawTrace.Draw]) -> Void
  ) throws -> (program: StableHLOProgram, draws: [DrawTrace.Draw]) {
    var draws: [DrawTrace.Draw] = []
    let program = try StableHLOProgram(tracing: name, of: arguments) { graph, tensors in
      let key = Key(0)
      let trace = DrawTrace(graph, of: key, rows: rows)
      let samples = try DrawTrace.$current.withValue(trace) { try function(key, tensors) }
      draws = trace.draws
      logits(tensors, draws)
      return [samples]
    }
    return (program, draws)
  }
}
