import Randomness
import Tensors

/// A split for samples of one shape: functions that take a batch apart and put it together again.
struct Partition: Sendable {
  /// A batch taken apart: the network's input, the features to transform, their raw parameters among all
  /// that the network gives, and the whole batch from new values of those features.
  typealias Parts = (
    seen: Tensor, transformed: Tensor, parameters: (_ raw: Tensor) -> Tensor,
    close: (_ transformed: Tensor) -> Tensor
  )

  /// The number of channels that the network sees.
  let seen: Int
  /// The number of channels whose parameters the network gives.
  let transformed: Int
  /// Takes a batch apart. For a random split `order` holds the passing channels, then the others.
  let open: @Sendable (_ x: Tensor, _ order: Tensor?) -> Parts

  /// A split of the channels. Two ranges take slices and one concatenation; other splits take gathers.
  static func channels(passing passes: [Bool]) -> Partition {
    let (first, rest) = (passes.indices.filter { passes[$0] }, passes.indices.filter { !passes[$0] })
    let isHead = first + rest == Array(passes.indices)
    guard isHead || rest + first == Array(passes.indices) else {
      return channels(first + rest, passing: first.count)
    }
    let position = (isHead ? first : rest).count
    return Partition(seen: first.count, transformed: rest.count) { x, _ in
      let (head, tail) = x.cut(axis: -1, at: position)
      return isHead
        ? (head, tail, { $0 }, { concatenate(head, $0, axis: -1) })
        : (tail, head, { $0 }, { concatenate($0, tail, axis: -1) })
    }
  }

  /// A split of any channels: two gathers, one concatenation and a third gather. An order in the parameters
  /// overrides this one.
  static func channels(_ order: [Int], passing: Int) -> Partition {
    let (fixed, count) = (Tensor(ints: order), order.count)
    return Partition(seen: passing, transformed: count - passing) { x, order in
      let order = order ?? fixed
      let a = x.gathered(order[0..<passing])
      return (
        a, x.gathered(order[passing..<count]), { $0 },
        { b in concatenate(a, b, axis: -1).gathered(order.inversePermutation) }
      )
    }
  }

  /// A split of any positions with `width` numbers each. The network sees the sample with zeros at the
  /// transformed positions. Its parameters for the passing positions are dropped.
  static func positions(_ passes: [Bool], width: Int, at site: Site) -> Partition {
    let moving = passes.indices.filter { !passes[$0] }
    // The transformed positions are appended to the sample, and their new values are taken from there.
    var source = Array(passes.indices)
    for (i, position) in moving.enumerated() { source[position] = passes.count + i }
    let (rest, all) = (Tensor(ints: moving), Tensor(ints: source))
    let mask = Tensor(passes.map { $0 ? 1 : 0 }, shape: [passes.count, 1], dtype: site.dtype)

    return Partition(seen: site.channels, transformed: site.channels) { x, _ in
      let rows = x.reshaped(to: [x.rows, passes.count, width])
      let a = select(where: mask.broadcast(to: rows.shape), rows, 0)
      return (
        a.reshaped(to: x.shape), rows.gathered(rest, axis: 1),
        { raw in
          let count = raw.shape.sample.count / passes.count
          return raw.reshaped(to: [raw.rows, passes.count, count]).gathered(rest, axis: 1)
        }, { b in concatenate(a, b, axis: 1).gathered(all, axis: 1).reshaped(to: x.shape) }
      )
    }
  }
}

extension Split {
  /// The split for samples at a site, and the order of the channels if it is drawn from the key.
  func partition(_ key: Key, at site: Site) throws(FlowError) -> (partition: Partition, order: Tensor?) {
    let channels = site.channels
    switch rule {
    case .firstHalf:
      return (.channels(passing: turned((0..<channels).map { $0 < channels / 2 })), nil)
    case .random:
      let (drawn, half) = (key.permutation(channels), channels / 2)
      let isTurned = isSwapped && half > 0
      let order = isTurned ? Array(drawn[half...] + drawn[..<half]) : drawn
      return (.channels(order, passing: isTurned ? channels - half : half), Tensor(ints: order))
    case .alternating:
      return (.channels(passing: turned((0..<channels).map { $0 % 2 == 0 })), nil)
    case .checkerboard:
      let sizes = Array(site.inputDim.sizes.dropLast())
      if sizes.isEmpty { throw mismatch("a sample with positions, [height, width, channels]", site) }
      let parities = sizes.reduce([0]) { sums, size in sums.flatMap { sum in (0..<size).map { sum + $0 } } }
      return (.positions(turned(parities.map { $0 % 2 == 0 }), width: channels, at: site), nil)
    case .mask(let mask):
      let passes = mask.map { $0 != isSwapped }
      if !passes.contains(false) { throw mismatch("an element that does not pass", site) }
      if passes.count == channels { return (.channels(passing: passes), nil) }
      if passes.count == site.inputDim.count { return (.positions(passes, width: 1, at: site), nil) }
      throw mismatch("\(channels) or \(site.inputDim.count) elements", site)
    }
  }

  /// The passing elements after a swap, or none if that would be all.
  private func turned(_ passes: [Bool]) -> [Bool] {
    let passes = passes.map { $0 != isSwapped }
    return passes.contains(false) ? passes : passes.map { _ in false }
  }

  private func mismatch(_ expected: String, _ site: Site) -> FlowError {
    .mismatch(who: "Split.\(self)", what: "with", expected: expected, got: "inputDim \(site.inputDim)")
  }
}
