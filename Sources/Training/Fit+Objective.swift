import Bijections
import Distributions
import Randomness
import Tensors

/// Minimizes an objective that brings data of its own, from given parameters, by the one training step.
///
/// The steps have neither rows nor a target.
///
/// - Parameters:
///   - functions: the log-density and the sampler that the objective is given.
///   - who: the function that errors name.
///   - objective: the objective.
///   - start: the parameters to start from.
///   - freezing: the parameters that training leaves as they are.
///   - key: the key of the steps.
///   - text: the line of progress, after the share that is done.
///   - onStep: called after each step. `lastGood` of the state are the parameters that its loss belongs to.
package func fit(
  _ functions: (logPDF: LogPDF, sample: Sampler), for who: String, by objective: some Objective,
  start: Params, freezing: Freezing, key: Key, steps: Int, optimizer: any Optimizer,
  progress: ProgressOutput, text: (FitState) -> String, onStep: (FitState) throws -> Continuation
) throws -> Fitted {
  let (logPDF, sample) = functions
  if logPDF.traits.contains(.couplesRows) {
    throw FlowError.mismatch(
      who: who, what: "a flow", expected: "whose rows are independent", got: logPDF.boundary.name)
  }
  let params = try freezing(start)
  let run = TrainingRun(
    who: who, logPDF: logPDF, objective: objective, optimizer: optimizer, initial: start, steps: steps
  ) { TrainingStep(logPDF: logPDF, sample: sample, key: key.folded(in: $0), index: $0) }
  return try run.fitted(
    from: FitState(params, optimizer: optimizer), or: nil, functions, progress: progress, text,
    onRecord: onStep)
}
