import CKernels
import Tensors

/// y = x Q R for the packed factors of `QRLinear`.
///
/// The results are y, q = x Q, the steps and the core of `ReflectionProduct`, the vectors and R. Ordinary
/// fits run the composed form.
///
/// The gradient of a row by R is q gᵀ. That by the vectors is the one of `ReflectionProduct`, restricted to
/// the entries behind the 1 of each vector. Reflection k changes numbers from k on alone. So it keeps the
/// products of x and of g over the numbers from k on. Numbers before k are final. With the cotangent
/// h = g Rᵀ,
///
///     ‖v̄ₖ‖² over i > k is Σ_{i>k} (zₖ hᵢ + wₖ qᵢ)²,
///
/// which takes running sums from the last number on, O(D) per row.
struct QRProduct: FusedPrimitive {
  static var servesRowsAlone: Bool { true }

  func value(_ inputs: Operands) -> Operands { composed(inputs) }

  func composed(_ inputs: Operands) -> Operands {
    let factors = inputs[1]
    let size = factors.shape[0]
    let below = factors.triangle(.strictlyLower) + .identity(size, dtype: factors.dtype)
    let vectors = below.transposed()
    let r = factors.triangle(.strictlyUpper) + exp(factors.diagonal()).diagonalMatrix()
    let turned = Tensors.apply(ReflectionProduct(isReversed: false), Operands(inputs[0], vectors))
    return Operands([matmul(turned[0], r), turned[0], turned[1], turned[2], vectors, r])
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let rows = reflected(g[0], inputs, outputs)
    return Operands(rows.toInput, wanted[1] ? rows.gradients.sum(weightedBy: nil) : nil)
  }

  private func reflected(
    _ g: Tensor, _ inputs: Operands, _ outputs: Operands
  ) -> (toInput: Tensor, gradients: QRGradients) {
    let (q, vectors, r) = (outputs[1], outputs[4], outputs[5])
    let turned = matmul(g, r, transposeB: true)
    let (toInput, reflections) = ReflectionProduct(isReversed: false).reflected(
      turned, Operands(inputs[0], vectors), Operands(q, outputs[2], outputs[3]))
    return (
      toInput, QRGradients(reflections: reflections, g: g.reshaped(to: reflections.y.shape), r: r.diagonal())
    )
  }
}

extension QRProduct: RowRule {
  func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    if (1..<6).contains(where: { g.optional($0) != nil }) || inputs[0].rows != rows { return nil }
    let (toInput, gradients) = reflected(g[0], inputs, outputs)
    return [.blocks(toInput), wanted[1] ? .formula(gradients) : nil]
  }
}

/// The gradients of the rows' losses by packed factors Q and R.
struct QRGradients: RowFormula {
  private var reflections: ReflectionGradients
  /// The cotangents of x Q R, [rows · positions, D].
  private var g: Tensor
  /// The diagonal of R, whose logarithm is a parameter.
  private let r: Tensor

  init(reflections: ReflectionGradients, g: Tensor, r: Tensor) {
    (self.reflections, self.g, self.r) = (reflections, g, r)
  }

  func addSquares(common: Tensor?, to totals: inout [Double]) -> Bool {
    if g.rows != reflections.rows || common.map({ !$0.isDiagonal }) ?? false { return false }
    let shift = common?.diagonal()
    withUnsafeTemporaryAllocation(byteCount: 64 * r.count, alignment: 64) { scratch in
      ck_square_triangle(
        g.dtype.kernel, false, r.count, reflections.y.storage.address, g.storage.address, r.storage.address,
        shift?.storage.address, nil, g.rows, &totals, scratch.baseAddress)
    }
    func add<S: Scalar>(_: S.Type) {
      let storages = [reflections.steps, reflections.back, reflections.g, reflections.y].map(\.storage)
      let (z, w): (UnsafeMutablePointer<S>, _) = (storages[0].pointer(), storages[1].pointer(to: S.self))
      let (h, q): (UnsafeMutablePointer<S>, _) = (storages[2].pointer(), storages[3].pointer(to: S.self))
      let (size, margin) = (r.count, ReflectionGradients.margin(g.dtype))
      for row in 0..<g.rows {
        var (ofH, ofQ, mixed, total) = (0.0, 0.0, 0.0, 0.0)
        for k in (row * size..<(row + 1) * size).reversed() {
          let (a, b, c, d) = (Double(z[k]), Double(w[k]), Double(h[k]), Double(q[k]))
          let parts = a * a * ofH + b * b * ofQ
          total += max(parts + 2 * a * b * mixed, 0) + margin * parts
          (ofH, ofQ, mixed) = (ofH + c * c, ofQ + d * d, mixed + c * d)
        }
        totals[row] += total
      }
    }
    g.dtype.withScalar { add($0) }
    return true
  }

  func sum(weightedBy factors: Tensor) -> Tensor { sum(weightedBy: Optional(factors)) }

  func sum(weightedBy factors: Tensor?) -> Tensor {
    let below = reflections.sum(weightedBy: factors).transposed().triangle(.strictlyLower)
    let weighted = factors.map { reflections.weighted(g, by: $0) } ?? g
    let above = matmul(reflections.y, weighted, transposeA: true)
    return below + above.triangle(.strictlyUpper) + (above.diagonal() * r).diagonalMatrix()
  }

  func multipliedOut() -> Tensor {
    let uses = g.rows / reflections.rows
    return stack(
      (0..<reflections.rows).map { row in
        QRGradients(reflections: reflections.row(row), g: g[row * uses..<(row + 1) * uses], r: r)
          .sum(weightedBy: nil)
      })
  }

  func selecting(_ rows: Tensor) -> any RowFormula {
    var copy = self
    (copy.g, copy.reflections) = (reflections.selected(g, rows), reflections.selecting(only: rows))
    return copy
  }
}
