/// Values of the parameters alone that the shards of a batch share.
///
/// The first shard that asks for a value computes it for all. The cotangents of the shards are summed in the
/// order of the shards and pulled back once. So a matrix made of factors is computed once per step, not once
/// per shard.
final class SharedValues: Sendable {
  /// Those of the pieces of a batch that is evaluated, in one of them.
  @TaskLocal static var ofPieces: SharedValues?

  /// Identifies a value: the primitive, the slots of its parameters, and a number for each set of constants.
  struct Place: Hashable, Sendable {
    let primitive: ObjectIdentifier
    let slots: SIMD4<Int32>
    var variant = 0
  }

  /// The cotangents of a value's outputs.
  typealias Cotangent = (place: Place, outputs: Operands)

  private struct Value {
    let primitive: any FusedPrimitive
    let inputs: Operands
    let outputs: Operands
  }

  private let values = Guarded<[Place: Value]>([:])

  /// The place and the outputs of a primitive without properties.
  func value<P: FusedPrimitive>(
    of primitive: P, _ inputs: Operands, slots: InputSlots
  ) -> (place: Place, outputs: Operands) {
    var place = Place(primitive: ObjectIdentifier(P.self), slots: slots.lanes)
    return values.withLock { values in
      while let known = values[place] {
        let isSame = (0..<inputs.count).allSatisfy {
          slots[$0] >= 0 || known.inputs[$0].isIdentical(to: inputs[$0])
        }
        if isSame { return (place, known.outputs) }
        place.variant += 1
      }
      // A value within this one would wait for the lock.
      let outputs = Self.$ofPieces.withValue(nil) { primitive.value(inputs) }
      values[place] = Value(primitive: primitive, inputs: inputs, outputs: outputs)
      return (place, outputs)
    }
  }

  /// Adds a later shard's cotangents to the sum of the earlier ones'.
  static func add(_ later: [Cotangent], to sum: inout [Cotangent]) {
    for (place, outputs) in later {
      guard let i = sum.firstIndex(where: { $0.place == place }) else {
        sum.append((place, outputs))
        continue
      }
      for k in 0..<outputs.count {
        sum[i].outputs.set(k, to: Tensors.sum(sum[i].outputs.optional(k), outputs.optional(k)))
      }
    }
  }

  /// Moves the gradients by row of a value's outputs on to its inputs, and gives the outputs.
  func pullBackByRow(
    _ place: Place, _ sums: [RowSum?], rows: Int
  ) throws(NoRowRule) -> (inputs: [RowSum?], outputs: Operands) {
    let value = values.withLock { $0[place]! }
    func pulled(_ primitive: some FusedPrimitive) throws(NoRowRule) -> [RowSum?] {
      try Tensors.pullBackByRow(
        primitive, sums, value.inputs, value.outputs, wanted: Wanted(InputSlots(place.slots)), rows: rows)
    }
    return (try pulled(value.primitive), value.outputs)
  }

  /// Pulls summed cotangents back and adds them to the parameters' gradients.
  func pullBack(_ sums: [Cotangent], into gradients: inout [Tensor?]) {
    let values = values.withLock { $0 }
    @Sendable func pulled(_ i: Int) -> Operands {
      let value = values[sums[i].place]!
      return cotangent(
        value.primitive, sums[i].outputs, value.inputs, value.outputs,
        wanted: Wanted(InputSlots(sums[i].place.slots)))
    }
    // To wake a thread costs more than to pull small values back.
    let isSmall = sums.allSatisfy { sum in sum.outputs.all.allSatisfy { ($0?.count ?? 0) < 1 << 8 } }
    let found = isSmall ? sums.indices.map(pulled) : concurrentMap(sums.count, pulled)
    for (sum, cotangents) in zip(sums, found) {
      for k in 0..<cotangents.count where sum.place.slots[k] >= 0 {
        let slot = Int(sum.place.slots[k])
        gradients[slot] = Tensors.sum(gradients[slot], cotangents.optional(k))
      }
    }
  }
}
