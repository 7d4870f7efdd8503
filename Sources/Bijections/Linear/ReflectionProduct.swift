import Tensors

/// y = x Q or x Qᵀ for a product of reflections Q = H₁ ⋯ Hₙ along the rows vᵢ of V.
///
/// The results are y = x − z V, the steps z, and the core T⁻¹ of `Reflections`. Ordinary fits run the
/// composed form. Gradients by row have rules here, since one row's gradient takes n D numbers while its norm
/// follows from 2n.
///
/// Let x⁽ⁱ⁾ and g⁽ⁱ⁾ be a row and its cotangent after reflection i. With aᵢ = x⁽ⁱ⁻¹⁾·vᵢ, bᵢ = g⁽ⁱ⁾·vᵢ and
/// τᵢ = 2 / ‖vᵢ‖² the steps are zᵢ = τᵢ aᵢ and wᵢ = τᵢ bᵢ, the latter those of g Qᵀ, and
///
///     v̄ᵢ = −(zᵢ g⁽ⁱ⁾ + wᵢ x⁽ⁱ⁻¹⁾) + zᵢ wᵢ vᵢ.
///
/// Its square is τᵢ² ‖aᵢ g⁽ⁱ⁾ + bᵢ x⁽ⁱ⁻¹⁾‖² − 2τᵢ³ aᵢ² bᵢ². A reflection keeps ‖x‖, ‖g‖ and x·g, and
/// x⁽ⁱ⁻¹⁾·g⁽ⁱ⁾ = x·g + τᵢ aᵢ bᵢ where both are taken after reflection i. So ‖v̄ᵢ‖ = ‖zᵢ g + wᵢ y‖ for
/// the last y and g. The norm of all takes O(n) per row beside the products of the two passes.
struct ReflectionProduct: FusedPrimitive {
  let isReversed: Bool

  static var servesRowsAlone: Bool { true }

  func value(_ inputs: Operands) -> Operands { composed(inputs) }

  func composed(_ inputs: Operands) -> Operands {
    let (x, vectors) = (inputs[0], inputs[1])
    let gram = matmul(vectors, vectors, transposeB: true)
    let half = 0.5 * gram.diagonal()
    // A vector of zeros has no direction. With a 1 on the diagonal it gives no reflection instead of
    // infinity.
    let core = gram.triangle(.strictlyUpper) + select(where: half .> 0, half, 1).diagonalMatrix()
    let steps = Self.steps(x, vectors, core, isReversed: isReversed)
    return Operands(x - matmul(steps, vectors), steps, core)
  }

  /// z with z T⁻¹ = x Vᵀ, or z T⁻ᵀ = x Vᵀ for the opposite order.
  private static func steps(_ x: Tensor, _ vectors: Tensor, _ core: Tensor, isReversed: Bool) -> Tensor {
    matmul(x, vectors, transposeB: true).mappingColumns {
      triangularSolve(core, $0, lower: false, transposed: !isReversed)
    }
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let rows = reflected(g[0], inputs, outputs)
    return Operands(
      rows.toInput, wanted[1] && hasDirections(inputs) ? rows.gradients.sum(weightedBy: nil) : nil)
  }

  /// Whether vectors have directions, on which alone the map depends. Of one number they have none.
  private func hasDirections(_ inputs: Operands) -> Bool { inputs[1].shape[1] > 1 }

  /// The cotangents of x, and the parts of those of V.
  func reflected(
    _ g: Tensor, _ inputs: Operands, _ outputs: Operands
  ) -> (toInput: Tensor, gradients: ReflectionGradients) {
    let (x, vectors) = (inputs[0], inputs[1])
    let back = Self.steps(g, vectors, outputs[2], isReversed: !isReversed)
    func flat(_ t: Tensor) -> Tensor { t.reshaped(to: [t.count / t.shape[-1], t.shape[-1]]) }
    return (
      g - matmul(back, vectors),
      ReflectionGradients(
        x: flat(x), y: flat(outputs[0]), g: flat(g), steps: flat(outputs[1]), back: flat(back),
        vectors: vectors, isReversed: isReversed, rows: x.rows)
    )
  }
}

extension ReflectionProduct: RowRule {
  func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    if g.optional(1) != nil || g.optional(2) != nil || inputs[0].rows != rows { return nil }
    let (toInput, gradients) = reflected(g[0], inputs, outputs)
    return [.blocks(toInput), wanted[1] && hasDirections(inputs) ? .formula(gradients) : nil]
  }
}
