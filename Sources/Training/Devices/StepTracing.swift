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

/// A program that draws from a key. The last arguments are the key's words and a state, and the last results
/// are the next state; `DrawTrace` describes them.
struct DrawingProgram {
  let program: StableHLOProgram
  /// The number of arguments of the state.
  let stateCount: Int

  /// Traces a function that draws from a key.
  ///
  /// - Parameter rows: the number of rows of each draw.
  init(
    _ name: String, of kinds: [StableHLOProgram.Kind], drawingFrom key: Key, rows: Int,
    _ function: ([Tensor]) throws -> [Tensor]
  ) throws {
    var count = 0
    program = try StableHLOProgram(tracing: name, of: kinds) { graph, tensors in
      let trace = DrawTrace(graph, of: key, rows: rows)
      let results = try DrawTrace.$current.withValue(trace) { try function(tensors) }
      let next = trace.nextState
      count = next.count
      return results + next
    }
    stateCount = count
  }

  /// The last arguments of a first call: the words of a key, and a state of no rows so far.
  func start(_ key: Key) -> [Tensor] { DrawTrace.start(key, stateCount: stateCount) }

  /// The results without the next state.
  var results: [StableHLOProgram.Kind] { Array(program.results.dropLast(stateCount)) }
}
