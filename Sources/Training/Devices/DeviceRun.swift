import Bijections
import Distributions
import PJRT
import Randomness
import StableHLO
import Tensors

/// The steps of a run on a device, where the state stays between them.
final class DeviceRun {
  private let run: TrainingRun
  private let device: Device
  private let layout: DeviceState
  /// A compiled step per kind of batch; the last batch of an epoch may be smaller.
  private var steps: [[StableHLOProgram.Kind]: (executable: Executable, program: DrawingProgram)] = [:]
  /// The changing leaves after the latest step, and those of the parameters before it.
  private var (leaves, before): ([DeviceBuffer], [DeviceBuffer])
  /// The same at the last look, with the number of steps done.
  private var seen: (step: Int, leaves: [DeviceBuffer], before: [DeviceBuffer])
  /// The host's copies of the leaves, as of the last look, and whether there were steps since.
  private var copies: [Tensor]
  private var isBehind = false
  /// The rows of each step since the last look, and its loss with the norm of its gradient.
  private var pending: [(rows: Int, numbers: DeviceBuffer)] = []
  private var norm = Double.nan

  /// Traces and compiles the first step, and copies the state to the device.
  init(_ run: TrainingRun, _ state: FitState, on device: Device) throws {
    (self.run, self.device) = (run, device)
    let first = try run.source(state.step)
    // An objective checks the distribution in its first step, which a program cannot.
    if state.step == 0 { _ = try run.objective.valueAndGradient(at: state.params, first.withFewRows) }
    layout = try run.layout(state, first)
    copies = layout.leaves(state.params, state.optimizer)
    leaves = try copies.map(device.buffer)
    before = Array(leaves.prefix(layout.changing.count))
    seen = (state.step, leaves, before)
    _ = try step(for: first, state)
  }

  /// One step. The host looks at the losses now and then.
  func advance(_ state: inout FitState) throws {
    let inputs = try run.source(state.step)
    if let rows = inputs.rows {
      try run.logPDF.boundary.checkShapes(state.params, rows, given: inputs.context)
    }
    try replaceChanged(state)
    let numbers = try compute(inputs, state)
    pending.append((inputs.rows?.rows ?? 1, numbers))
    state.step += 1
    if pending.count >= run.engine.interval { try readLosses(&state) }
  }

  /// Reads the losses and the whole state. Returns the norm of the last gradient.
  func look(_ state: inout FitState) throws -> Double {
    try readLosses(&state)
    if isBehind { try readState(&state) }
    return norm
  }

  /// Runs the program of a step. Returns its numbers, without waiting for them.
  private func compute(_ inputs: TrainingStep, _ state: FitState) throws -> DeviceBuffer {
    let (executable, program) = try step(for: inputs, state)
    let arguments = try (StepInputs(inputs).tensors + program.start(inputs.key)).map(device.buffer)
    let results = try executable(leaves + arguments).dropLast(program.stateCount)
    before = Array(leaves.prefix(layout.changing.count))
    leaves = Array(results.dropFirst())
    isBehind = true
    return results[0]
  }

  private func step(
    for inputs: TrainingStep, _ state: FitState
  ) throws -> (executable: Executable, program: DrawingProgram) {
    let kinds = StepInputs(inputs).kinds
    if let known = steps[kinds] { return known }
    let program = try run.program(of: inputs, state, layout)
    let step = (try device.compile(program.program, named: "step"), program)
    steps[kinds] = step
    return step
  }

  /// Copies leaves that the host has changed since the last look, such as a rate that follows a plateau.
  private func replaceChanged(_ state: FitState) throws {
    if isBehind { return }
    let own = layout.leaves(state.params, state.optimizer)
    for i in own.indices where !own[i].isIdentical(to: copies[i]) {
      (leaves[i], copies[i]) = (try device.buffer(own[i]), own[i])
    }
    seen.leaves = leaves
  }

  private func readLosses(_ state: inout FitState) throws {
    let first = seen.step
    for (i, (rows, buffer)) in pending.enumerated() {
      let numbers = try buffer.tensor().doubles
      if !numbers[0].isFinite || !numbers[1].isFinite {
        pending = []
        throw try failure(&state, at: first + i, "\(numbers[0].isFinite ? "a gradient" : "the loss")")
      }
      (state.loss, norm) = (numbers[0], numbers[1])
      state.total += numbers[0] * Double(rows)
      state.rows += rows
    }
    pending = []
    seen = (state.step, leaves, before)
  }

  private func readState(_ state: inout FitState) throws {
    copies = try leaves.map { try $0.tensor() }
    isBehind = false
    (state.params, state.optimizer) = layout.trees(copies)
    state.lastGood = layout.own(try before.map { try $0.tensor() })
  }

  /// The error of a step whose loss or gradient is not finite. The steps since the last look are repeated up
  /// to it.
  private func failure(_ state: inout FitState, at step: Int, _ what: String) throws -> FlowError {
    (leaves, before) = (seen.leaves, seen.before)
    for index in seen.step..<step { _ = try compute(run.source(index), state) }
    try readState(&state)
    state.step = step
    if what == "the loss" {
      try run.source(step).checkSupport(state.params, inLayersAlone: step > 0)
    }
    return try run.diverged(state, what)
  }

  /// The loss of held-out rows on the device; nil if there are none, or if it has no program.
  func heldOutLoss() throws -> ((Params) throws -> Tensor)? {
    guard let judged = run.judged, let rows = judged.rows?.rows else { return nil }
    let (inputs, layout, objective) = (StepInputs(judged), layout, run.objective)
    let kinds = Array(layout.kinds.prefix(layout.changing.count))
    let program: DrawingProgram
    do {
      program = try DrawingProgram(
        "held-out loss", of: kinds + inputs.kinds, drawingFrom: judged.key, rows: rows
      ) { tensors in
        let step = StepInputs.replacing(Array(tensors.dropFirst(kinds.count)), in: judged)
        return [try objective.value(step)(layout.own(Array(tensors.prefix(kinds.count))))]
      }
    } catch FlowError.mismatch { return nil }
    let executable = try device.compile(program.program, named: "held-out loss")
    let fixed = try (inputs.tensors + program.start(judged.key)).map(device.buffer)
    return { [device] params in
      let own = try layout.leaves(params, .empty).map(device.buffer)
      return try executable(own + fixed)[0].tensor()
    }
  }
}

extension TrainingStep {
  /// The same step with its first rows alone.
  fileprivate var withFewRows: TrainingStep {
    var step = self
    guard let rows else { return step }
    let few = 0..<min(rows.rows, 8)
    (step.rows, step.weights, step.context) = (rows[few], weights?[few], context?[few])
    return step
  }
}

extension TrainingRun {
  /// The leaves that a step changes: the learned ones, and the frozen ones of which statistics make others.
  fileprivate func layout(_ state: FitState, _ step: TrainingStep) throws -> DeviceState {
    var frozen: Set<Int> = []
    guard let statistics = logPDF.statistics, let rows = step.rows else {
      return DeviceState(state.params, state.optimizer, changingFrozen: frozen)
    }
    while true {
      let layout = DeviceState(state.params, state.optimizer, changingFrozen: frozen)
      var changed = frozen
      let inputs = StepInputs(step)
      let kinds = Array(layout.kinds.prefix(layout.changing.count))
      _ = try StableHLOProgram(who, of: kinds + inputs.kinds) { tensors in
        let params = layout.own(Array(tensors.prefix(kinds.count)))
        let own = StepInputs.replacing(Array(tensors.dropFirst(kinds.count)), in: step)
        let next = try statistics(params, own.rows ?? rows, own.context)
        var flags: [Bool] = []
        params.forEach { _, _, isFrozen in flags.append(isFrozen) }
        for (i, (old, new)) in zip(params.leaves, next.leaves).enumerated() where flags[i] {
          if new.isSymbolic ? !new.isSameValue(as: old) : !new.isIdentical(to: old) { changed.insert(i) }
        }
        return [tensors[kinds.count]]
      }
      if changed == frozen { return layout }
      frozen = changed
    }
  }

  /// The program of a whole step: its numbers, then the changing leaves after it.
  ///
  /// Throws `FlowError.mismatch` with the reason for a step without one.
  fileprivate func program(
    of step: TrainingStep, _ state: FitState, _ layout: DeviceState
  ) throws -> DrawingProgram {
    func traced(_ index: Int) throws -> DrawingProgram {
      var step = step
      (step.index, step.key, step.rowNumbers) = (index, Key(index), nil)
      let (count, inputs) = (layout.kinds.count, StepInputs(step))
      return try DrawingProgram(
        "\(who), a step", of: layout.kinds + inputs.kinds, drawingFrom: step.key, rows: step.rows?.rows ?? 1
      ) { tensors in
        let (params, optimizer) = layout.trees(Array(tensors.prefix(count)))
        let own = StepInputs.replacing(Array(tensors.dropFirst(count)), in: step)
        return try results(params, optimizer, own, layout)
      }
    }
    let program = try traced(1)
    // Numbers that depend on the step would be constants of the program.
    guard program.program.text == (try traced(2)).program.text else {
      throw FlowError.mismatch(
        who: who, what: "a step on a device", expected: "with the same formula each time",
        got: "\(type(of: objective)) or \(type(of: optimizer)), whose numbers change from step to step")
    }
    let kinds = program.results.dropFirst()
    guard Array(kinds) == layout.kinds else {
      throw FlowError.mismatch(
        who: who, what: "a step on a device", expected: "that keeps shapes and dtypes of its state",
        got: "\(kinds.map { "\($0.shape) \($0.dtype)" })")
    }
    return program
  }

  /// A step in a trace.
  private func results(
    _ params: Params, _ state: Params, _ step: TrainingStep, _ layout: DeviceState
  ) throws -> [Tensor] {
    let (loss, gradient) = try objective.valueAndGradient(at: params, step)
    let dtype = loss.dtype
    let norm = gradient.tracedNorm ?? Tensor(0, dtype: dtype)
    let numbers = [loss.reshaped(to: .scalar), norm.cast(to: dtype)]
    var next = params
    if let statistics = logPDF.statistics, let rows = step.rows {
      next = try statistics(params, rows, step.context)
    }
    let (moved, optimizerState) = try Schedule.$tracedSteps.withValue(steps) {
      try optimizer.update(gradient, state, next)
    }
    return [stack(numbers, axis: 0)] + layout.leaves(moved, optimizerState)
  }
}
