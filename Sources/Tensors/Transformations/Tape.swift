/// A value that a tape follows, with the slot of its cotangent.
final class Traced: Sendable {
  let tape: Tape
  let slot: Int32
  let primal: Tensor

  init(tape: Tape, slot: Int32, primal: Tensor) {
    self.tape = tape
    self.slot = slot
    self.primal = primal
  }
}

/// The record of all operations on traced values, which reverse mode walks backwards.
///
/// Steps lie in one array and name their inputs by slot. So the backward pass is one loop, and freeing a tape
/// of any length does not recurse. A tape belongs to the thread that began it. For that reason
/// `valueAndGradient(at:over:)` uses one thread inside another transformation.
final class Tape: @unchecked Sendable {
  let level = Level.next()
  private var steps: [Step] = []
  private var slotCount: Int32 = 0
  private var leafCount: Int32 = 0
  /// The values that this tape shares with the tapes of other shards.
  private let shared: SharedValues?
  private var sharedOutputs: [(place: SharedValues.Place, slots: Range<Int32>)] = []
  /// Whether gradients are found by row, for which a primitive needs rules of its own.
  let isByRow: Bool

  init(sharing shared: SharedValues? = nil, byRow: Bool = false) {
    self.shared = shared
    isByRow = byRow
    steps.reserveCapacity(512)
  }

  /// The number of operations recorded.
  var count: Int { steps.count }

  /// Follows a value from here on.
  func leaf(_ primal: Tensor) -> Tensor {
    defer { (slotCount, leafCount) = (slotCount + 1, leafCount + 1) }
    return Tensor(Traced(tape: self, slot: slotCount, primal: primal))
  }

  /// The slot of a value on this tape, or nil for a constant.
  func slot(of tensor: Tensor) -> Int32? {
    if case .traced(let traced) = tensor.payload, traced.tape === self { return traced.slot }
    return nil
  }

  /// The value below this tape.
  func primal(of tensor: Tensor) -> Tensor {
    if case .traced(let traced) = tensor.payload, traced.tape === self { return traced.primal }
    return tensor
  }

  /// Whether the inputs are values in memory once this tape is taken off.
  func sees(onlyValuesUnder inputs: Operands) -> Bool {
    for i in 0..<inputs.count where primal(of: inputs[i]).level != 0 { return false }
    return true
  }

  /// Applies a primitive to the primals and records the step.
  func apply<P: Primitive>(_ primitive: P, _ inputs: Operands) -> Operands {
    if inputs.count > 4 { return applyToMany(primitive, inputs) }
    let (primals, slots) = lowered(inputs)
    let outputs = Tensors.apply(primitive, primals)
    let firstSlot = slotCount
    slotCount += Int32(outputs.count)
    steps.append(
      PrimitiveStep(
        primitive: primitive, inputs: primals, outputs: outputs, inputSlots: slots, firstOutputSlot: firstSlot
      ))
    return followed(outputs, from: firstSlot)
  }

  /// The same for more inputs than a step stores in line.
  private func applyToMany(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
    if isByRow { return applyByRow(primitive, inputs) }
    let outputs = apply((0..<inputs.count).map { inputs[$0] }) { primals, wanted in
      let inputs = Operands(primals)
      let outputs = Tensors.apply(primitive, inputs)
      return (
        (0..<outputs.count).map { outputs[$0] },
        { cotangent(primitive, Operands($0), inputs, outputs, wanted: Wanted(wanted)).all }
      )
    }
    return Operands(outputs)
  }

  /// The same with gradients by row.
  private func applyByRow(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
    let slots = (0..<inputs.count).map { slot(of: inputs[$0]) ?? -1 }
    let primals = Operands((0..<inputs.count).map { primal(of: inputs[$0]) })
    let outputs = Tensors.apply(primitive, primals)
    let first = slotCount
    slotCount += Int32(outputs.count)
    steps.append(
      ManyStep(
        primitive: primitive, inputs: primals, outputs: outputs, inputSlots: slots, firstOutputSlot: first))
    return followed(outputs, from: first)
  }

  /// Applies a primitive of parameters alone once for all shards. Returns nil where that is not possible.
  func applyShared(_ primitive: some FusedPrimitive, _ inputs: Operands) -> Operands? {
    guard let shared, inputs.count <= 4 else { return nil }
    let (primals, slots) = lowered(inputs)
    // Leaves have the first slots.
    for i in 0..<inputs.count where slots[i] >= leafCount { return nil }
    let (place, outputs) = shared.value(of: primitive, primals, slots: slots)
    let firstSlot = slotCount
    slotCount += Int32(outputs.count)
    sharedOutputs.append((place, firstSlot..<slotCount))
    return followed(outputs.ownViews, from: firstSlot)
  }

  /// The values below this tape, and their slots.
  private func lowered(_ inputs: Operands) -> (primals: Operands, slots: InputSlots) {
    var primals = inputs
    var slots = InputSlots()
    for i in 0..<inputs.count {
      guard case .traced(let traced)? = inputs.optional(i)?.payload, traced.tape === self else { continue }
      primals.set(i, to: traced.primal)
      slots[i] = traced.slot
    }
    return (primals, slots)
  }

  private func followed(_ outputs: Operands, from firstSlot: Int32) -> Operands {
    var results = outputs
    for i in 0..<outputs.count {
      results.set(i, to: Tensor(Traced(tape: self, slot: firstSlot + Int32(i), primal: outputs[i])))
    }
    return results
  }

  /// Applies a function with a reverse pass of its own to the values below this tape.
  ///
  /// `rule` is told which inputs the tape follows.
  func apply<Failure: Error>(
    _ inputs: [Tensor],
    _ rule: (_ inputs: [Tensor], _ wanted: [Bool]) throws(Failure) -> (
      outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]
    )
  ) throws(Failure) -> [Tensor] {
    let slots = inputs.map { slot(of: $0) ?? -1 }
    let (outputs, pullback) = try rule(inputs.map(primal), slots.map { $0 >= 0 })
    let first = slotCount
    slotCount += Int32(outputs.count)
    steps.append(RuleStep(pullback: pullback, inputSlots: slots, outputSlots: first..<slotCount))
    return zip(first..<slotCount, outputs).map { Tensor(Traced(tape: self, slot: $0, primal: $1)) }
  }

  /// The cotangents of `leaves` for given cotangents of some outputs; nil where nothing depends on a leaf.
  ///
  /// With `consuming` each step is dropped after its use, and the tape serves one pass only.
  func cotangents(
    of leaves: [Tensor], seeds: [(output: Tensor, cotangent: Tensor)], consuming: Bool
  ) -> [Tensor?] {
    var cotangents = walkedBack(seeds, consuming: consuming)
    return leaves.map { slot(of: $0).flatMap { cotangents.take($0) } }
  }

  /// The same in one pass, with the cotangents of the values that shards share.
  func cotangents(
    of leaves: [Tensor], seed: (output: Tensor, cotangent: Tensor)
  ) -> (leaves: [Tensor?], shared: [SharedValues.Cotangent]) {
    var cotangents = walkedBack([seed], consuming: true)
    let shared = sharedOutputs.map { place, slots in
      var given = Operands(absent: slots.count)
      for (i, slot) in slots.enumerated() { given.set(i, to: cotangents.take(slot)) }
      return (place, given)
    }
    return (leaves.map { self.slot(of: $0).flatMap { cotangents.take($0) } }, shared)
  }

  /// The gradients of losses, one for each row, by leaves and by the values that shards share; nil where no
  /// loss depends on one.
  ///
  /// Throws where a primitive has no rule for several rows.
  func rowGradients(
    of leaves: [Tensor], losses: Tensor
  ) throws(NoRowRule) -> (leaves: [RowSum?], shared: [(place: SharedValues.Place, sums: [RowSum?])]) {
    var sums = RowSums(slotCount, rows: losses.rows)
    guard let slot = slot(of: losses) else { return (leaves.map { _ in nil }, []) }
    let ones = Tensor.ones(losses.shape, dtype: losses.dtype)
    sums.add(RowSum(publicBlocks: ones), at: slot)
    while let step = steps.popLast() { try step.pullBackByRow(&sums) }
    let shared = sharedOutputs.map { ($0.place, $0.slots.map { sums.take($0) }) }
    return (leaves.map { self.slot(of: $0).flatMap { sums.take($0) } }, shared)
  }

  private func walkedBack(_ seeds: [(output: Tensor, cotangent: Tensor)], consuming: Bool) -> Cotangents {
    var cotangents = Cotangents(slotCount)
    for seed in seeds {
      if let slot = slot(of: seed.output) { cotangents.add(seed.cotangent, at: slot) }
    }
    for position in steps.indices.reversed() {
      (consuming ? steps.removeLast() : steps[position]).pullBack(&cotangents)
    }
    return cotangents
  }
}

/// The sum of two tensors, where a missing one counts as zero.
package func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
  guard let a, let b else { return a ?? b }
  return a + b
}

/// The cotangents found so far in a backward pass, by slot.
private struct Cotangents {
  private var values: [Tensor?]

  init(_ count: Int32) { values = Array(repeating: nil, count: Int(count)) }

  mutating func add(_ cotangent: Tensor, at slot: Int32) { values[Int(slot)] = sum(take(slot), cotangent) }

  /// Removes and returns the cotangent of a slot.
  mutating func take(_ slot: Int32) -> Tensor? { values[Int(slot)].take() }
}

/// The slots of up to four inputs. Slot −1 stands for a constant.
struct InputSlots: Sendable {
  // In pairs, as in `Shape`.
  private var pairs: (SIMD2<Int32>, SIMD2<Int32>)

  init(_ lanes: SIMD4<Int32> = SIMD4(repeating: -1)) { pairs = (lanes.lowHalf, lanes.highHalf) }

  var lanes: SIMD4<Int32> { SIMD4(lowHalf: pairs.0, highHalf: pairs.1) }

  subscript(i: Int) -> Int32 {
    get { i < 2 ? pairs.0[i] : pairs.1[i - 2] }
    set { if i < 2 { pairs.0[i] = newValue } else { pairs.1[i - 2] = newValue } }
  }
}

/// One recorded operation.
private class Step {
  /// Moves the cotangents of its outputs on to its inputs.
  func pullBack(_ cotangents: inout Cotangents) { fatalError("overridden by every step") }

  /// The same for gradients by row.
  func pullBackByRow(_ sums: inout RowSums) throws(NoRowRule) { throw NoRowRule() }
}

private final class PrimitiveStep<P: Primitive>: Step {
  private let primitive: P
  private let inputs: Operands
  private let outputs: Operands
  private let inputSlots: InputSlots
  private let firstOutputSlot: Int32

  init(primitive: P, inputs: Operands, outputs: Operands, inputSlots: InputSlots, firstOutputSlot: Int32) {
    self.primitive = primitive
    self.inputs = inputs
    self.outputs = outputs
    self.inputSlots = inputSlots
    self.firstOutputSlot = firstOutputSlot
  }

  override func pullBack(_ cotangents: inout Cotangents) {
    var given = Operands(absent: outputs.count)
    for i in 0..<outputs.count { given.set(i, to: cotangents.take(firstOutputSlot + Int32(i))) }
    if given.isAllAbsent { return }
    let found = Tensors.cotangent(primitive, given, inputs, outputs, wanted: Wanted(inputSlots))
    for i in 0..<inputs.count where inputSlots[i] >= 0 {
      if let cotangent = found.optional(i) { cotangents.add(cotangent, at: inputSlots[i]) }
    }
  }

  override func pullBackByRow(_ sums: inout RowSums) throws(NoRowRule) {
    var given: [RowSum?] = []
    if outputs.count == 1 {
      guard let sum = sums.take(firstOutputSlot) else { return }
      // Most values have blocks alone.
      if sums.rows > 1, let blocks = sum.onlyBlocks {
        let found = (primitive as? any RowRule)?.fromBlocks(
          Operands(blocks), inputs, outputs, wanted: Wanted(inputSlots), rows: sums.rows)
        guard let found else { throw NoRowRule() }
        for i in found.indices where inputSlots[i] >= 0 {
          if let cotangent = found[i] { sums.add(cotangent, at: inputSlots[i]) }
        }
        return
      }
      given = [sum]
    } else {
      given = (0..<outputs.count).map { sums.take(firstOutputSlot + Int32($0)) }
      if given.allSatisfy({ $0 == nil }) { return }
    }
    let found = try Tensors.pullBackByRow(
      primitive, given, inputs, outputs, wanted: Wanted(inputSlots), rows: sums.rows)
    for (i, sum) in found.enumerated() where inputSlots[i] >= 0 {
      if let sum { sums.add(sum, at: inputSlots[i]) }
    }
  }
}

/// An operation on many inputs whose gradients are found by row.
private final class ManyStep<P: Primitive>: Step {
  private let primitive: P
  private let inputs, outputs: Operands
  private let inputSlots: [Int32]
  private let firstOutputSlot: Int32

  init(primitive: P, inputs: Operands, outputs: Operands, inputSlots: [Int32], firstOutputSlot: Int32) {
    (self.primitive, self.inputs, self.outputs) = (primitive, inputs, outputs)
    (self.inputSlots, self.firstOutputSlot) = (inputSlots, firstOutputSlot)
  }

  override func pullBackByRow(_ sums: inout RowSums) throws(NoRowRule) {
    let given = (0..<outputs.count).map { sums.take(firstOutputSlot + Int32($0)) }
    if given.allSatisfy({ $0 == nil }) { return }
    let found = try Tensors.pullBackByRow(
      primitive, given, inputs, outputs, wanted: Wanted(inputSlots.map { $0 >= 0 }), rows: sums.rows)
    for (slot, sum) in zip(inputSlots, found) where slot >= 0 {
      if let sum { sums.add(sum, at: slot) }
    }
  }
}

/// An operation on any number of inputs with a given reverse pass.
private final class RuleStep: Step {
  private let pullback: ([Tensor?]) -> [Tensor?]
  private let inputSlots: [Int32]
  private let outputSlots: Range<Int32>

  init(pullback: @escaping ([Tensor?]) -> [Tensor?], inputSlots: [Int32], outputSlots: Range<Int32>) {
    self.pullback = pullback
    self.inputSlots = inputSlots
    self.outputSlots = outputSlots
  }

  override func pullBack(_ cotangents: inout Cotangents) {
    let given = outputSlots.map { cotangents.take($0) }
    if given.allSatisfy({ $0 == nil }) { return }
    for (slot, cotangent) in zip(inputSlots, pullback(given)) where slot >= 0 {
      if let cotangent { cotangents.add(cotangent, at: slot) }
    }
  }
}
