import Tensors

/// The numbers that the outputs for each number may depend on: a directed graph without cycles.
///
/// Each unit of a masked network has a set of numbers that it may see. A weight from one unit to another
/// exists where the first one's set is part of the second one's.
struct Dependencies: Sendable {
  /// The parents of each number.
  let parents: [[Int]]

  /// The numbers in an order in which parents come first. Throws for parents that are no numbers, and for
  /// cycles.
  func order(of numbers: Int) throws(FlowError) -> [Int] {
    if parents.count != numbers {
      throw .mismatch(
        who: "MADE", what: "parents", expected: "one list for each of \(numbers) numbers",
        got: "\(parents.count) lists")
    }
    if let wrong = parents.joined().first(where: { !(0..<numbers).contains($0) }) {
      throw .mismatch(who: "MADE", what: "parents", expected: "numbers in 0..<\(numbers)", got: "\(wrong)")
    }
    if let own = parents.indices.first(where: { parents[$0].contains($0) }) {
      throw .mismatch(
        who: "MADE", what: "parents",
        expected: "of each number without itself (an adjacency matrix of zuko has "
          + "a true diagonal: leave it out)", got: "\(own) among the parents of \(own)")
    }
    var (order, isPlaced) = ([Int](), [Bool](repeating: false, count: numbers))
    while order.count < numbers {
      guard
        let next = (0..<numbers).first(where: { i in !isPlaced[i] && parents[i].allSatisfy { isPlaced[$0] } })
      else {
        let rest = (0..<numbers).filter { !isPlaced[$0] }
        throw .mismatch(
          who: "MADE", what: "parents", expected: "a graph without cycles",
          got: "a cycle among the numbers \(rest)")
      }
      order.append(next)
      isPlaced[next] = true
    }
    return order
  }

  /// The sets of the units of each layer, in places of the order. Inputs see themselves, and a context is the
  /// empty set. Hidden units have the sets of the outputs in turn.
  func sets(_ order: [Int], inputs: Int, contexts: Int, hidden: [Int], outputs: Int) -> [[Set<Int>]] {
    var place = [Int](repeating: 0, count: order.count)
    for (i, number) in order.enumerated() { place[number] = i }
    let targets = order.map { Set(parents[$0].map { place[$0] }) }
    var kinds: [Set<Int>] = []
    for set in targets where !(kinds.contains(set) || set.isEmpty && contexts == 0) { kinds.append(set) }
    if kinds.isEmpty { kinds = [[]] }
    let first =
      [Set<Int>](repeating: [], count: contexts)
      + (0..<order.count - 1).flatMap { [Set<Int>](repeating: [$0], count: inputs) }
    let middle = hidden.map { width in (0..<width).map { kinds[$0 % kinds.count] } }
    let last = targets.flatMap { [Set<Int>](repeating: $0, count: outputs) }
    return [first] + middle + [last]
  }

  /// Throws unless the outputs for every number see all its parents, and the context, through the hidden
  /// units.
  func checkReach(of layers: [[Set<Int>]], _ order: [Int], contexts: Int) throws(FlowError) {
    // Units with equal sets see the same inputs. A context is the input −1.
    var reach: [Set<Int>: Set<Int>] = [:]
    for set in layers[0] { reach[set] = set.isEmpty ? [-1] : set }
    for layer in layers.dropFirst() {
      let before = reach
      reach = [:]
      for set in Set(layer) {
        reach[set] = before.reduce(into: []) { if $1.key.isSubset(of: set) { $0.formUnion($1.value) } }
      }
    }
    let outputs = layers[layers.count - 1]
    for (set, seen) in reach where seen != (contexts > 0 ? set.union([-1]) : set) {
      let number = order[(outputs.firstIndex(of: set) ?? 0) / (outputs.count / order.count)]
      let missing = set.subtracting(seen).map { order[$0] }.sorted()
      throw .mismatch(
        who: "MADE", what: "hidden layers", expected: "with a unit for each of the different sets of parents",
        got: "so few units that number \(number) does not see "
          + (missing.isEmpty ? "the context" : "its parents \(missing)"))
    }
  }

  /// The mask [in, out] of the weights between two layers.
  static func mask(_ from: [Set<Int>], _ to: [Set<Int>]) -> Tensor {
    Tensor(
      from.flatMap { a in to.map { a.isSubset(of: $0) ? 1 : 0 } }, shape: [from.count, to.count],
      dtype: .float32)
  }
}
