/// The sum of the gradients of many losses, each with a factor that depends on its norm.
package struct WeightedRowGradients: Sendable {
  /// Σ over rows of factor · gradient, for each learned leaf, without the common part.
  package var sums: [Tensor]
  /// The part of each gradient that depends on the parameters alone, and so is the same for every row.
  package let common: [Tensor]
  /// The norms of the gradients without the common part, [rows, units].
  package var norms: Tensor
  /// Whether some primitive had no rule for several rows, so that the rows were taken one at a time.
  package let isOneByOne: Bool

  /// Adds the gradients of further rows.
  fileprivate mutating func add(_ other: WeightedRowGradients) {
    for (i, sum) in other.sums.enumerated() { sums[i] = sums[i] + sum }
    norms = concatenate(norms, other.norms, axis: 0)
  }
}

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

/// The weighted sum of the gradients of one loss for each row of a batch. No gradient is formed by itself.
///
/// One backward pass finds, for each use of a parameter, factors from which the norms and the weighted sums
/// follow. Of a matrix product these are the inputs and the cotangents, whose outer product is the gradient.
/// Rows are cut into shards as in `valueAndGradient(at:over:)`, so that bits do not depend on threads. A
/// gradient without finite norm counts as zero.
///
/// - Parameters:
///   - norms: the parameters that share a norm.
///   - separatesCommon: whether norms and sums leave out the common part of all gradients. It depends on no
///     row, such as that of a log-determinant of parameters alone. It is found where it enters the losses by
///     sums alone.
///   - batch: rows of data. Loss i may depend on row i alone.
///   - factors: maps norms [rows, units] to factors of the same shape.
/// - Precondition: `loss` returns one number per row; at least one row.
package func weightedRowGradients(
  at point: Params, over batch: Tensor, given context: Tensor? = nil, norms: RowNorms = .ofAll,
  separatesCommon: Bool = true, factors: @Sendable (Tensor) -> Tensor,
  _ loss: @Sendable (Params, Tensor, Tensor?) throws -> Tensor
) throws -> WeightedRowGradients {
  require(batch.rows > 0, "gradients by row need at least one row")
  let (units, unitCount) = norms.units(of: point)
  let size = Parallelism.shardRows(of: batch.shape.sample)
  let shards = stride(from: 0, to: batch.rows, by: size).map { $0..<min($0 + size, batch.rows) }
  return try concurrentReduce(shards.count) { i -> WeightedRowGradients in
    do {
      return try shard(batch[shards[i]], context?[shards[i]])
    } catch let error as FlowError { throw error.withRow { $0 + shards[i].lowerBound } }
  } combine: { total, part in
    total.add(part)
  }

  @Sendable func shard(_ rows: Tensor, _ context: Tensor?) throws -> WeightedRowGradients {
    do {
      // Rules for several rows also serve a single one, so that all shards use the same.
      let isSingle = rows.rows == 1
      let (x, c) =
        isSingle
        ? (concatenate(rows, rows, axis: 0), context.map { concatenate($0, $0, axis: 0) })
        : (rows, context)
      return try gradients(x, c, counting: rows.rows)
    } catch is NoRowRule {
      func row(_ i: Int) throws -> WeightedRowGradients {
        try gradients(rows[i..<i + 1], context?[i..<i + 1], counting: 1)
      }
      var total = try row(0)
      for i in 1..<rows.rows { total.add(try row(i)) }
      return total
    }
  }

  @Sendable func gradients(_ rows: Tensor, _ context: Tensor?, counting count: Int) throws
    -> WeightedRowGradients
  {
    let found = try point.rowSums(rows, context, loss)
    // Of a single row, values with a block for each row are not told from shared ones.
    let common = found.map { Tensors.sum($0?.common, $0?.publicBlocks) }
    var own = try point.learnedLeaves.indices.map { (i) throws(NoRowRule) in
      try LeafRowGradients(
        found[i], common: separatesCommon ? nil : common[i], of: point.learnedLeaves[i], rows: rows.rows)
    }
    var squares = Tensor.zeros([rows.rows, unitCount], dtype: rows.dtype)
    if unitCount == 1 {
      for leaf in own {
        if let part = leaf.squares(summed: true) { squares = squares + part }
      }
    } else {
      for (leaf, units) in zip(own, units) {
        guard let part = leaf.squares(summed: false) else { continue }
        let slice = Slice(axis: 1, start: units.lowerBound, count: units.count, step: 1)
        squares = squares + Spread(slice: slice, size: unitCount)(part)
      }
    }
    let sizes = sqrt(squares)
    var weights = factors(sizes)
    let finite = squares.sum(axis: 1) .< .infinity  // 0 for NaN
    if finite.min(axis: 0).item == 0 {
      own = own.map { $0.selecting(finite) }
      weights = select(where: finite.expanded(axis: 1), weights, 0)
    }
    if count < rows.rows {
      weights = weights * Tensor.mask([rows.rows, 1], dtype: rows.dtype) { 0..<($0 < count ? 1 : 0) }
    }
    return WeightedRowGradients(
      sums: zip(own, units).map { leaf, units in
        leaf.sum(weightedBy: unitCount == 1 ? weights : weights.sliced(axis: 1, units))
      },
      common: zip(common, point.learnedLeaves).map { $0 ?? .zeros($1.shape, dtype: $1.dtype) },
      norms: sizes[0..<count], isOneByOne: rows.rows == 1)
  }
}

/// The gradients by row of one leaf in one form.
struct LeafRowGradients {
  private let leaf: Tensor
  private var shared: Tensor?
  /// Products whose masks do not overlap, so that squared norms add up.
  private var products: [RowProducts] = []
  /// The common part, which is added to the products of each row.
  private var common: Tensor?

  init(_ sum: RowSum?, common: Tensor?, of leaf: Tensor, rows: Int) throws(NoRowRule) {
    self.leaf = leaf
    guard let sum else { return }
    shared = sum.shared
    if rows == 1 {
      shared = Tensors.sum(shared, sum.blocks?.expanded(axis: 0))
    } else if sum.blocks != nil || sum.publicBlocks != nil {
      throw NoRowRule()
    }
    if shared == nil && sum.products.areApart {
      products = sum.products
    } else {
      for product in sum.products { shared = Tensors.sum(shared, product.multipliedOut()) }
    }
    guard let common else { return }
    if products.isEmpty {
      shared = shared.map { $0 + common } ?? common.broadcast(to: leaf.shape.batched(rows))
    } else {
      self.common = common
    }
  }

  /// The squared norms for each index of the last axis, [rows, size], or their sums, [rows, 1].
  func squares(summed: Bool) -> Tensor? {
    if let first = products.first {
      let squares = products.dropFirst().reduce(first.squares(summed: summed)) {
        $0 + $1.squares(summed: summed)
      }
      guard let common else { return squares }
      // ‖g + p‖² = ‖g‖² + 2 g · p + ‖p‖². Where it cancels, rounding must not make the norm too small.
      func total(_ columns: Tensor) -> Tensor { summed ? columns.sum(axis: -1, keepDims: true) : columns }
      let inner = products.map { total($0.inner(common)) }.reduce(0.0 * squares) { $0 + $1 }
      let own = total(square(common).sum(axis: 0))
      let margin = leaf.dtype == .float64 ? 0x1p-46 : 0x1p-18
      return maximum(squares + 2 * inner + own, 0) + margin * (squares + own)
    }
    guard let shared, leaf.count > 0 else { return nil }
    let size = leaf.rank == 0 || summed ? 1 : leaf.shape[-1]
    let rows = shared.rows
    return square(shared).reshaped(to: [rows, leaf.count / size, size]).sum(axis: 1)
  }

  /// The gradients themselves, [rows] + the leaf's shape.
  func multipliedOut(rows: Int) -> Tensor {
    let own = products.map { $0.multipliedOut() }.reduce(shared) { Tensors.sum($0, $1) }
    guard let own else { return .zeros(leaf.shape.batched(rows), dtype: leaf.dtype) }
    return common.map { own + $0 } ?? own
  }

  /// Σ over rows, with factors [rows, 1] or [rows, size].
  func sum(weightedBy factors: Tensor) -> Tensor {
    if let first = products.first {
      let sum = products.dropFirst().reduce(first.sum(weightedBy: factors)) {
        $0 + $1.sum(weightedBy: factors)
      }
      return common.map { sum + $0 * factors.sum(axis: 0) } ?? sum
    }
    guard let shared, leaf.count > 0 else { return .zeros(leaf.shape, dtype: leaf.dtype) }
    let rows = shared.rows
    if factors.shape[1] == 1 {
      let flat = shared.reshaped(to: [rows, leaf.count])
      return matmul(factors, flat, transposeA: true).reshaped(to: leaf.shape)
    }
    let size = leaf.shape[-1]
    let flat = shared.reshaped(to: [rows, leaf.count / size, size])
    return (flat * factors.expanded(axis: 1)).sum(axis: 0).reshaped(to: leaf.shape)
  }

  /// The gradients with zeros in the rows whose mask is 0, whatever they hold.
  func selecting(_ rows: Tensor) -> LeafRowGradients {
    var copy = self
    copy.products = products.map { $0.selecting(rows) }
    copy.shared = shared.map { gradients in
      let mask = rows.reshaped(to: Shape([rows.count] + Array(repeating: 1, count: leaf.rank)))
      return select(where: mask, gradients, 0)
    }
    return copy
  }
}

extension [RowProducts] {
  /// Whether no two masks overlap.
  fileprivate var areApart: Bool {
    indices.allSatisfy { i in
      self[..<i].allSatisfy { other in
        guard let mask = self[i].mask, let theirs = other.mask else { return false }
        return mask.isApart(from: theirs)
      }
    }
  }
}

extension Params {
  /// The gradients of one loss per row by each learned leaf, in one backward pass; nil where no loss depends
  /// on a leaf. Throws `NoRowRule` where a primitive has no rule for several rows.
  func rowSums(
    _ rows: Tensor, _ context: Tensor?, _ loss: (Params, Tensor, Tensor?) throws -> Tensor
  ) throws -> [RowSum?] {
    let tape = Tape(byRow: true)
    let leaves = learnedLeaves.map { tape.leaf($0.ownView) }
    let losses = try Transformation.$isUnderWay.withValue(true) {
      try loss(replacingLearned(with: leaves), rows, context)
    }
    require(
      losses.shape == [rows.rows],
      "the loss must give one number a row, shape [\(rows.rows)], got \(losses.shape)")
    return try tape.rowGradients(of: leaves, losses: losses)
  }
}
