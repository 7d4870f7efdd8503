import Distributions
import PJRT
import Randomness
import StableHLO
import Tensors

/// The tensors of a training step that a program takes as arguments.
struct StepInputs {
  /// The rows, their weights and their context, as far as they are there.
  let tensors: [Tensor]

  init(_ step: TrainingStep) { tensors = [step.rows, step.weights, step.context].compactMap { $0 } }

  var kinds: [StableHLOProgram.Kind] { tensors.map { .init($0.shape, $0.dtype) } }

  /// The same step with other tensors.
  static func replacing(_ tensors: [Tensor], in step: TrainingStep) -> TrainingStep {
    var (step, rest) = (step, tensors[...])
    if step.rows != nil { step.rows = rest.removeFirst() }
    if step.weights != nil { step.weights = rest.removeFirst() }
    if step.context != nil { step.context = rest.removeFirst() }
    return step
  }
}

/// A program with the draws that are its last arguments.
struct DrawingProgram {
  let program: StableHLOProgram
  let draws: [DrawTrace.Draw]

  /// Traces a function. Its draws from a key become arguments behind the given ones.
  ///
  /// - Parameter rows: the number of rows of each draw.
  init(
    _ name: String, of kinds: [StableHLOProgram.Kind], drawingFrom key: Key, rows: Int,
    _ function: ([Tensor]) throws -> [Tensor]
  ) throws {
    var draws: [DrawTrace.Draw] = []
    program = try StableHLOProgram(tracing: name, of: kinds) { graph, tensors in
      let trace = DrawTrace(graph, of: key, rows: rows)
      let results = try DrawTrace.$current.withValue(trace) { try function(tensors) }
      draws = trace.draws
      return results
    }
    self.draws = draws
  }

  /// The draws from a key, as the program takes them.
  ///
  /// - Parameter count: the number of rows, which may differ from that of the trace.
  func numbers(_ key: Key, count: Int) -> [Tensor] {
    var (drawn, placed): ([Tensor], [Tensor]) = ([], [])
    for draw in draws {
      let own = draw.path.reduce(key) { $0.folded(in: $1) }
      let shape = draw.shape.sample.batched(count)
      let tensor =
        switch draw.distribution {
        case .normal: own.normal(shape, dtype: draw.dtype)
        case .uniform(let low, let high): own.uniform(shape, in: low..<high, dtype: draw.dtype)
        case .categorical(let logits):
          Tensor(own.categorical(logits: logits, count: count).doubles, shape: shape, dtype: draw.dtype)
        }
      drawn.append(tensor)
      if draw.categories.isEmpty {
        placed.append(tensor)
        continue
      }
      // Draw i of a mixture's component is for the i-th row that is given to it.
      var places = Array(0..<count)
      for (number, index) in draw.categories {
        var before = -1
        let ranks = drawn[number].doubles.map { category in
          if category == Double(index) { before += 1 }
          return max(before, 0)
        }
        places = places.map { ranks[$0] }
      }
      placed.append(tensor.rows(places))
    }
    return placed
  }
}
