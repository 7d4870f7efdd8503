/// Processes that share the shards of each batch, and sum over them in the order of the shards.
///
/// While a group is current in a task, `valueAndGradient(at:rows:)` computes the shards of its own process
/// alone. The sum has the bits of one process that computes all shards.
package protocol ShardGroup: Sendable {
  /// The shards of this process among so many: a run of neighbours, empty where there are fewer than
  /// processes.
  func shards(of count: Int) -> Range<Int>

  /// The sum over the shards of all processes, in their order.
  ///
  /// - Parameters:
  ///   - layout: identifies the layout of the numbers; nil where this process has no shards.
  ///   - doubles: the bytes at the front that are float64. The rest is float32.
  ///   - own: the numbers of this process' shards, one after the other, or the error of one.
  ///   - finish: turns the sum into the result, in the process of the last shard; nil in the others.
  func sum(
    layout: UInt64?, doubles: Int, _ own: Result<[[UInt8]], any Error>, finish: (([UInt8]) -> [UInt8])?
  ) throws -> [UInt8]
}

/// The group of the current task.
package enum CurrentShardGroup {
  @TaskLocal package static var value: (any ShardGroup)?
}

/// The sum of the losses of some shards, their gradients, and the cotangents of the values that they share.
struct ShardPart: Sendable {
  var value: Tensor
  var gradients: [Tensor?]
  var shared: [SharedValues.Cotangent]

  /// Adds the part of later shards.
  mutating func add(_ later: ShardPart) {
    value = value + later.value
    for i in gradients.indices { gradients[i] = Tensors.sum(gradients[i], later.gradients[i]) }
    SharedValues.add(later.shared, to: &shared)
  }

  /// The sum of `count` parts, in rising order, whose gradients are those of `leaves`.
  ///
  /// Parts that each have a thread end together. Then all threads add large gradients.
  static func total(
    of count: Int, _ leaves: [Tensor], _ part: @Sendable (Int) throws -> ShardPart
  ) throws -> ShardPart {
    let isLarge = leaves.reduce(0) { $0 + $1.count } >= 1 << 18
    let endTogether = count > 1 && count <= Parallelism.threads ?? Processors.count
    if !isLarge || !endTogether || Transformation.isUnderWay {
      return try concurrentReduce(count, part) { $0.add($1) }
    }
    let parts = try concurrentMap(count, part)
    let gradients = mapLeaves(leaves) { i in
      parts.dropFirst().reduce(parts[0].gradients[i]) { Tensors.sum($0, $1.gradients[i]) }
    }
    var total = ShardPart(value: parts[0].value, gradients: [], shared: parts[0].shared)
    for later in parts.dropFirst() { total.add(later) }
    total.gradients = gradients
    return total
  }
}

extension ShardGroup {
  /// The sum over shards of all processes, with the shared values pulled back.
  func total(
    of count: Int, at point: Params, _ shared: SharedValues, _ part: @Sendable (Int) throws -> ShardPart
  ) throws -> (value: Tensor, gradients: [Tensor?]) {
    let (own, leaves) = (shards(of: count), point.learnedLeaves)
    let parts = Result { () throws -> [ShardPart] in
      if own.isEmpty { return [] }
      // The first process adds at once. The others need the sum before theirs.
      if own.lowerBound > 0 { return try concurrentMap(own.count) { try part(own.lowerBound + $0) } }
      return [try concurrentReduce(own.count, part) { $0.add($1) }]
    }
    let layout = (try? parts.get()).flatMap { $0.isEmpty ? nil : ShardLayout($0, leaves) }
    // The value as float64, and whether it is one: a process without shards does not know.
    var entries: [FlatLayout.Entry] = [(.scalar, .float64), (.scalar, .float32)]
    entries += leaves.map { ($0.shape, $0.dtype) }
    let result = FlatLayout(entries)
    let bytes = try sum(
      layout: layout?.hash, doubles: layout?.flat.doubles ?? 0,
      parts.map { parts in layout.map { layout in parts.map(layout.bytes) } ?? [] },
      finish: own.isEmpty || own.upperBound < count
        ? nil
        : { bytes in
          var total = layout!.part(bytes)
          shared.pullBack(total.shared, into: &total.gradients)
          let isDouble = Tensor(total.value.dtype == .float64 ? 1 : 0)
          return result.bytes([total.value.cast(to: .float64), isDouble] + total.gradients)
        })
    let tensors = result.tensors(bytes)
    return (tensors[0]!.cast(to: tensors[1]!.item == 1 ? .float64 : .float32), Array(tensors[2...]))
  }
}

/// The places of a part's numbers in a run of bytes.
struct ShardLayout {
  let flat: FlatLayout
  /// Identifies the layout, in all processes alike.
  let hash: UInt64
  private let leaves: Int
  /// The shared values, in the order in which the shards name them.
  private let places: [(place: SharedValues.Place, outputs: Int)]

  /// The layout of the parts of this process.
  init(_ parts: [ShardPart], _ leaves: [Tensor]) {
    self.leaves = leaves.count
    var union: [SharedValues.Cotangent] = []
    for part in parts {
      for (place, outputs) in part.shared where !union.contains(where: { $0.place == place }) {
        union.append((place, outputs))
      }
    }
    places = union.map { ($0.place, $0.outputs.count) }
    let value = parts[0].value
    var entries: [FlatLayout.Entry] = [(.scalar, value.dtype)]
    entries += leaves.map { ($0.shape, $0.dtype) }
    var text = ""
    for (place, outputs) in union {
      // The number of a variant depends on the order of threads, its position does not.
      text += "\(place.slots)"
      for k in 0..<outputs.count {
        let found = parts.lazy.compactMap { part in
          part.shared.first { $0.place == place }?.outputs.optional(k)
        }.first
        entries.append(found.map { ($0.shape, $0.dtype) } ?? (Shape([0]), value.dtype))
      }
    }
    flat = FlatLayout(entries)
    for (shape, dtype) in entries { text += " \(shape) \(dtype)" }
    hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  func bytes(_ part: ShardPart) -> [UInt8] {
    let shared = places.flatMap { place, outputs -> [Tensor?] in
      let found = part.shared.first { $0.place == place }
      return (0..<outputs).map { found?.outputs.optional($0) }
    }
    return flat.bytes([part.value] + part.gradients + shared)
  }

  func part(_ bytes: [UInt8]) -> ShardPart {
    let tensors = flat.tensors(bytes)
    var (shared, position): ([SharedValues.Cotangent], Int) = ([], 1 + leaves)
    for (place, outputs) in places {
      shared.append((place, Operands(Array(tensors[position..<position + outputs]))))
      position += outputs
    }
    return ShardPart(value: tensors[0]!, gradients: Array(tensors[1..<1 + leaves]), shared: shared)
  }
}
