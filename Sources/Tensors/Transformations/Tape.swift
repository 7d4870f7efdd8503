/// A value that a tape follows, and the slot of its cotangent.
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

/// What happened to traced values, in order: the record that reverse mode walks back.
///
/// Nodes lie in one array and name their inputs by slot, so the backward pass is one loop and freeing a tape of any
/// length recurses nowhere. A tape belongs to the thread that began it; `valueAndGradient(at:over:)` keeps to one
/// thread inside another transformation for that reason.
final class Tape: @unchecked Sendable {
  let level = Level.next()
  private var nodes: [Step] = []
  private var slotCount: Int32 = 0

  private struct Node {
    let primitive: any Primitive
    let inputs: Operands
    let outputs: Operands
    let inputSlots: SIMD4<Int32>  // -1: a constant to this tape
    let firstOutputSlot: Int32
  }

  /// An operation of any number of inputs whose reverse pass is given.
  private struct Block {
    let pullback: ([Tensor?]) -> [Tensor?]
    let inputSlots: [Int32]
    let outputSlots: Range<Int32>
  }

  private enum Step {
    case node(Node)
    case block(Block)
  }

  init() { nodes.reserveCapacity(512) }

  /// A value to differentiate by.
  func leaf(_ primal: Tensor) -> Tensor {
    defer { slotCount += 1 }
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

  /// Reverse mode's step: the primitive on the primals, and a node that remembers it.
  func apply(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
    var primals = inputs
    var slots = SIMD4<Int32>(repeating: -1)
    for i in 0..<inputs.count {
      guard case .traced(let traced)? = inputs.optional(i)?.payload, traced.tape === self else { continue }
      primals.set(i, to: traced.primal)
      slots[i] = traced.slot
    }
    let outputs = Tensors.apply(primitive, primals)
    let firstSlot = slotCount
    slotCount += Int32(outputs.count)
    nodes.append(
      .node(
        Node(
          primitive: primitive, inputs: primals, outputs: outputs, inputSlots: slots,
          firstOutputSlot: firstSlot)))
    var results = outputs
    for i in 0..<outputs.count {
      results.set(i, to: Tensor(Traced(tape: self, slot: firstSlot + Int32(i), primal: outputs[i])))
    }
    return results
  }

  /// A function with a reverse pass of its own on the values below this tape: `rule` is told which inputs the tape follows.
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
    nodes.append(.block(Block(pullback: pullback, inputSlots: slots, outputSlots: first..<slotCount)))
    return zip(first..<slotCount, outputs).map { Tensor(Traced(tape: self, slot: $0, primal: $1)) }
  }

  /// The cotangents of `leaves`, given the cotangents of some outputs; nil where nothing depends on a leaf.
  ///
  /// A node is dropped once it has been walked when `consuming`; the tape then serves one pass only.
  func cotangents(
    of leaves: [Tensor], seeds: [(output: Tensor, cotangent: Tensor)], consuming: Bool
  ) -> [Tensor?] {
    var cotangents = [Tensor?](repeating: nil, count: Int(slotCount))
    func accumulate(_ cotangent: Tensor, at slot: Int32) {
      cotangents[Int(slot)] = cotangents[Int(slot)].map { $0 + cotangent } ?? cotangent
    }
    for seed in seeds {
      if let slot = slot(of: seed.output) { accumulate(seed.cotangent, at: slot) }
    }
    for position in nodes.indices.reversed() {
      let step = consuming ? nodes.removeLast() : nodes[position]
      guard case .node(let node) = step else {
        guard case .block(let block) = step else { continue }
        let given = block.outputSlots.map { cotangents[Int($0)] }
        for slot in block.outputSlots { cotangents[Int(slot)] = nil }
        if given.allSatisfy({ $0 == nil }) { continue }
        for (slot, cotangent) in zip(block.inputSlots, block.pullback(given)) where slot >= 0 {
          if let cotangent { accumulate(cotangent, at: slot) }
        }
        continue
      }
      var outputCotangents = Operands(absent: node.outputs.count)
      for i in 0..<node.outputs.count {
        let slot = Int(node.firstOutputSlot) + i
        outputCotangents.set(i, to: cotangents[slot])
        cotangents[slot] = nil
      }
      if outputCotangents.isAllAbsent { continue }
      let inputCotangents = node.primitive.cotangent(
        outputCotangents, node.inputs, node.outputs, wanted: Wanted(slots: node.inputSlots))
      for i in 0..<node.inputs.count where node.inputSlots[i] >= 0 {
        if let cotangent = inputCotangents.optional(i) { accumulate(cotangent, at: node.inputSlots[i]) }
      }
    }
    return leaves.map { slot(of: $0).flatMap { cotangents[Int($0)] } }
  }
}
