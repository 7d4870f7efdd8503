import CKernels

/// The gradients by row of one leaf in one form.
struct LeafRowGradients {
  private let shape: Shape
  private let dtype: DType
  private let rows: Int
  private var shared: Tensor?
  /// Products whose masks do not overlap, so that squared norms add up.
  private var products: [RowProducts] = []
  /// All gradients by a formula, beside nothing else.
  private var formula: (any RowFormula)?
  /// The common part, which is added to the gradient of each row.
  private let common: Tensor?

  init(_ sum: RowSum?, common: Tensor?, of leaf: Tensor, rows: Int) throws(NoRowRule) {
    (shape, dtype, self.rows, self.common) = (leaf.shape, leaf.dtype, rows, common)
    guard let sum else { return }
    shared = sum.shared
    if rows == 1 {
      shared = Tensors.sum(shared, sum.blocks?.expanded(axis: 0))
    } else if sum.blocks != nil || sum.publicBlocks != nil {
      throw NoRowRule()
    }
    if shared == nil && sum.products.isEmpty && sum.formulas.count == 1 {
      formula = sum.formulas[0]
    } else if shared == nil && sum.formulas.isEmpty && sum.products.areApart {
      products = sum.products
    } else {
      for formula in sum.formulas { shared = Tensors.sum(shared, formula.multipliedOut()) }
      for product in sum.products { shared = Tensors.sum(shared, product.multipliedOut()) }
    }
  }

  /// Whether all gradients are zero.
  var isZero: Bool { shared == nil && products.isEmpty && formula == nil && common == nil }

  /// The norms of the rows' gradients by all leaves, [rows, 1].
  static func norms(of leaves: [LeafRowGradients], rows: Tensor) -> Tensor {
    var totals = [Double](repeating: 0, count: rows.rows)
    for leaf in leaves { leaf.addSquares(to: &totals) }
    return Tensor(doubles: totals.map { $0.squareRoot() }, shape: [rows.rows, 1]).cast(to: rows.dtype)
  }

  /// Adds the squared norms to a number for each row.
  private func addSquares(to totals: inout [Double]) {
    if shape.count == 0 || formula?.addSquares(common: common, to: &totals) == true { return }
    if products.isEmpty {
      guard let whole else { return }
      ck_square_rows(dtype.kernel, whole.storage.address, rows, shape.count, &totals)
    } else if common == nil {
      for product in products { product.addSquares(to: &totals) }
    } else if let common, products.contains(where: { $0.hasDiagonal }), common.isDiagonal {
      let diagonal = common.diagonal()
      for product in products { product.addSquares(shift: diagonal, to: &totals) }
    } else {
      for (i, square) in squares(summed: true)!.doubles.enumerated() { totals[i] += square }
    }
  }

  /// The gradients that are no products, with the common part.
  private var whole: Tensor? {
    let own = Tensors.sum(shared, formula?.multipliedOut())
    guard let common else { return own }
    return own.map { $0 + common } ?? common.broadcast(to: shape.batched(rows))
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
      let margin = dtype == .float64 ? 0x1p-46 : 0x1p-18
      return maximum(squares + 2 * inner + own, 0) + margin * (squares + own)
    }
    guard let whole, shape.count > 0 else { return nil }
    let size = shape.rank == 0 || summed ? 1 : shape[-1]
    return square(whole).reshaped(to: [rows, shape.count / size, size]).sum(axis: 1)
  }

  /// The gradients themselves, [rows] + the leaf's shape.
  func multipliedOut() -> Tensor {
    let own = products.map { $0.multipliedOut() }.reduce(Tensors.sum(shared, formula?.multipliedOut())) {
      Tensors.sum($0, $1)
    }
    guard let own else { return common?.broadcast(to: shape.batched(rows)) ?? zeros(shape.batched(rows)) }
    return common.map { own + $0 } ?? own
  }

  /// Σ over rows, with factors [rows, 1] or [rows, size].
  func sum(weightedBy factors: Tensor) -> Tensor {
    if shape.count == 0 { return zeros(shape) }
    var sum = products.map { $0.sum(weightedBy: factors) }.reduce(nil) { Tensors.sum($0, $1) }
    var shared = shared
    if let formula {
      if factors.shape[1] == 1 {
        sum = formula.sum(weightedBy: factors)
      } else {
        shared = formula.multipliedOut()
      }
    }
    if let shared { sum = Tensors.sum(sum, sumOfShared(shared, factors)) }
    // A scalar has one unit, whose factors have one axis too many.
    if let common { sum = Tensors.sum(sum, (common * factors.sum(axis: 0)).reshaped(to: shape)) }
    return sum ?? zeros(shape)
  }

  private func sumOfShared(_ shared: Tensor, _ factors: Tensor) -> Tensor {
    if factors.shape[1] == 1 {
      let sum = Storage(shape: shape, dtype: dtype)
      ck_weighted_columns(
        dtype.kernel, factors.storage.address, shared.storage.address, rows, shape.count, sum.address)
      return Tensor(sum)
    }
    let size = shape[-1]
    let flat = shared.reshaped(to: [rows, shape.count / size, size])
    return (flat * factors.expanded(axis: 1)).sum(axis: 0).reshaped(to: shape)
  }

  private func zeros(_ shape: Shape) -> Tensor { .zeros(shape, dtype: dtype) }

  /// The gradients with zeros in the rows whose mask is 0, whatever they hold.
  func selecting(_ rows: Tensor) -> LeafRowGradients {
    var copy = self
    copy.products = products.map { $0.selecting(rows) }
    copy.formula = formula?.selecting(rows)
    copy.shared = shared.map { gradients in
      let mask = rows.reshaped(to: Shape([rows.count] + Array(repeating: 1, count: shape.rank)))
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

extension RowProducts {
  /// Whether the diagonal of a triangle is among the entries, and kernels serve.
  fileprivate var hasDiagonal: Bool { left.rows == rows && (mask as? TriangleMask)?.diagonal != nil }
}

extension Tensor {
  /// Whether a square matrix is zero off its diagonal.
  package var isDiagonal: Bool {
    guard rank == 2, shape[0] == shape[1] else { return false }
    let (size, copy) = (shape[0], Storage(like: storage))
    copy.address.copyMemory(from: storage.address, byteCount: copy.byteCount)
    func clear<S: Scalar>(_: S.Type) {
      let x = copy.pointer(to: S.self)
      for i in 0..<size { x[i * size + i] = 0 }
    }
    dtype.withScalar { clear($0) }
    var total = 0.0
    ck_square_rows(dtype.kernel, copy.address, 1, size * size, &total)
    return total == 0
  }

  /// The rows [rows · uses, columns], each multiplied by the factor [rows, 1] of its row.
  func scaledByRow(_ factors: Tensor) -> Tensor {
    let result = Storage(shape: shape, dtype: dtype)
    let rows = factors.rows
    ck_scale_rows(
      dtype.kernel, factors.storage.address, storage.address, rows, rows == 0 ? 0 : count / rows,
      result.address)
    return Tensor(result)
  }
}
