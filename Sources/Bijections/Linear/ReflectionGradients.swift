import Tensors

/// The gradients of the rows' losses by the vectors of a product of reflections.
struct ReflectionGradients: RowFormula {
  /// Rows before and after the product, and the cotangents after it, [rows · positions, D].
  private(set) var x, y, g: Tensor
  /// The steps z and w, [rows · positions, n].
  private(set) var steps, back: Tensor
  private let vectors: Tensor
  private let isReversed: Bool
  let rows: Int

  init(
    x: Tensor, y: Tensor, g: Tensor, steps: Tensor, back: Tensor, vectors: Tensor, isReversed: Bool, rows: Int
  ) {
    (self.x, self.y, self.g, self.steps, self.back) = (x, y, g, steps, back)
    (self.vectors, self.isReversed, self.rows) = (vectors, isReversed, rows)
  }

  /// The share of the parts by which a square is raised, so that rounding does not make it too small where
  /// they cancel.
  static func margin(_ dtype: DType) -> Double { dtype == .float64 ? 0x1p-50 : 0x1p-22 }

  func addSquares(common: Tensor?, to totals: inout [Double]) -> Bool {
    if common != nil || x.rows != rows { return false }
    func dot(_ a: Tensor, _ b: Tensor) -> [Double] {
      (a.cast(to: .float64) * b.cast(to: .float64)).sum(axis: 1).doubles
    }
    let (ofG, ofY, ofBoth) = (dot(g, g), dot(y, y), dot(g, y))
    let (ofSteps, ofBack, mixed) = (dot(steps, steps), dot(back, back), dot(steps, back))
    for i in 0..<rows {
      let parts = ofSteps[i] * ofG[i] + ofBack[i] * ofY[i]
      totals[i] += max(parts + 2 * mixed[i] * ofBoth[i], 0) + Self.margin(x.dtype) * parts
    }
    return true
  }

  func sum(weightedBy factors: Tensor) -> Tensor { sum(weightedBy: Optional(factors)) }

  // With M_ij = zᵢ wⱼ for the reflections j from i on and wᵢ zⱼ for those before, V̄ = −zᵀ g − wᵀ x + M V.
  func sum(weightedBy factors: Tensor?) -> Tensor {
    let (g, back) =
      factors.map { (weighted(self.g, by: $0), weighted(self.back, by: $0)) } ?? (self.g, self.back)
    let later = matmul(steps, back, transposeA: true)
    let mixed =
      isReversed
      ? later.triangle(.lower) + later.transposed().triangle(.strictlyUpper)
      : later.triangle(.upper) + later.transposed().triangle(.strictlyLower)
    return matmul(mixed, vectors) - matmul(steps, g, transposeA: true) - matmul(back, x, transposeA: true)
  }

  func multipliedOut() -> Tensor { stack((0..<rows).map { row($0).sum(weightedBy: nil) }) }

  /// The gradient of one row's loss.
  func row(_ row: Int) -> ReflectionGradients {
    let uses = x.rows / rows
    func part(_ t: Tensor) -> Tensor { t[row * uses..<(row + 1) * uses] }
    return ReflectionGradients(
      x: part(x), y: part(y), g: part(g), steps: part(steps), back: part(back), vectors: vectors,
      isReversed: isReversed, rows: 1)
  }

  func selecting(_ rows: Tensor) -> any RowFormula { selecting(only: rows) }

  func selecting(only rows: Tensor) -> ReflectionGradients {
    var copy = self
    (copy.x, copy.y, copy.g) = (selected(x, rows), selected(y, rows), selected(g, rows))
    (copy.steps, copy.back) = (selected(steps, rows), selected(back, rows))
    return copy
  }

  /// A matrix [rows · positions, n] with a factor [rows, 1] for each row.
  func weighted(_ t: Tensor, by factors: Tensor) -> Tensor {
    (t.reshaped(to: [rows, t.count / rows]) * factors).reshaped(to: t.shape)
  }

  /// A matrix [rows · positions, n] with zeros in the rows whose mask is 0.
  func selected(_ t: Tensor, _ mask: Tensor) -> Tensor {
    select(where: mask.expanded(axis: 1), t.reshaped(to: [rows, t.count / rows]), 0).reshaped(to: t.shape)
  }
}
