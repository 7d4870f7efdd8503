/// The units of a clipping: the parameters that share one norm.
package enum RowNorms: Sendable {
  /// All parameters together, one norm for each row.
  case ofAll
  /// The parameters with one index of the last axis in one branch of the tree, such as the weights and the
  /// bias of one unit of a layer.
  case ofUnits

  /// The first unit and the number of units of each learned leaf, and the number of all units.
  func units(of point: Params) -> (leaves: [Range<Int>], count: Int) {
    if case .ofAll = self { return (point.learnedLeaves.map { _ in 0..<1 }, 1) }
    var (known, count) = ([String: Range<Int>](), 0)
    let leaves = zip(point.learned.paths, point.learnedLeaves).map { path, leaf -> Range<Int> in
      let size = leaf.rank == 0 ? 1 : leaf.shape[-1]
      let branch = path.split(separator: "/").dropLast().joined(separator: "/") + " \(size)"
      if let units = known[branch] { return units }
      defer { count += size }
      known[branch] = count..<count + size
      return count..<count + size
    }
    return (leaves, count)
  }

  /// The units of each learned leaf.
  package func places(of point: Params) -> [Range<Int>] { units(of: point).leaves }

  /// The number of units of a parameter tree.
  package func count(in point: Params) -> Int { units(of: point).count }
}
