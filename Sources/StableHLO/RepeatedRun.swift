/// A run of elements that occurs several times in a sequence, without overlap.
struct RepeatedRun {
  let length: Int
  let starts: [Int]

  /// The elements that remain unwritten if the run is written once.
  var saving: Int { (starts.count - 1) * length }

  /// The runs that occur more than once, those that save most first.
  ///
  /// The sorted suffixes of the sequence have every repeated run as a common start of neighbours. Cost: about
  /// n log² n.
  ///
  /// - Parameters:
  ///   - tokens: the sequence, of numbers in 0..<count.
  ///   - shortest: the least length of a run.
  static func all(in tokens: [Int], atLeast shortest: Int) -> [RepeatedRun] {
    guard tokens.count >= 2 * shortest else { return [] }
    let order = sortedSuffixes(of: tokens)
    var runs: [RepeatedRun] = []
    // Intervals of the order whose suffixes share a start of some length, the innermost on top.
    var open: [(length: Int, first: Int)] = [(0, 0)]
    for (i, length) in (commonStarts(of: tokens, order) + [0]).enumerated() {
      var first = i
      while open[open.count - 1].length > length {
        let top = open.removeLast()
        first = top.first
        if top.length >= shortest { runs += starting(order[first...i].sorted(), top.length, shortest) }
      }
      if open[open.count - 1].length < length { open.append((length, first)) }
    }
    return runs.sorted { ($0.saving, $1.starts[0]) > ($1.saving, $0.starts[0]) }
  }

  /// The run of a length at rising places, and that of their smallest distance where they overlap.
  private static func starting(_ places: [Int], _ length: Int, _ shortest: Int) -> [RepeatedRun] {
    let distance = zip(places.dropFirst(), places).map { $0 - $1 }.min() ?? 0
    let lengths = distance < length && distance >= shortest ? [length, distance] : [length]
    return lengths.compactMap { length in
      let apart = apart(places, length)
      return apart.count > 1 ? RepeatedRun(length: length, starts: apart) : nil
    }
  }

  /// The first of the places, and then each that is `length` behind the one before at least.
  static func apart(_ places: [Int], _ length: Int) -> [Int] {
    var (apart, end) = ([Int](), Int.min)
    for place in places where place >= end {
      apart.append(place)
      end = place + length
    }
    return apart
  }

  /// The starts of the suffixes in lexical order, by their first 1, 2, 4, ... elements.
  private static func sortedSuffixes(of tokens: [Int]) -> [Int] {
    let n = tokens.count
    var (rank, order, known) = (tokens, Array(0..<n), 1)
    var keys = tokens
    while true {
      order.sort { keys[$0] < keys[$1] }
      var next = 0
      for i in 0..<n {
        if i > 0 && keys[order[i]] != keys[order[i - 1]] { next += 1 }
        rank[order[i]] = next
      }
      if next == n - 1 || known >= n { return order }
      for i in 0..<n { keys[i] = rank[i] * (n + 1) + (i + known < n ? rank[i + known] + 1 : 0) }
      known *= 2
    }
  }

  /// For each pair of neighbours in the order, the length of their common start. See Kasai et al., CPM 2001.
  private static func commonStarts(of tokens: [Int], _ order: [Int]) -> [Int] {
    let n = tokens.count
    var (place, common, length) = ([Int](repeating: 0, count: n), [Int](repeating: 0, count: n - 1), 0)
    for (i, start) in order.enumerated() { place[start] = i }
    for i in 0..<n {
      guard place[i] < n - 1 else {
        length = 0
        continue
      }
      let other = order[place[i] + 1]
      while max(i, other) + length < n, tokens[i + length] == tokens[other + length] { length += 1 }
      common[place[i]] = length
      length = max(length - 1, 0)
    }
    return common
  }
}
