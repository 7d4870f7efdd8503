import Tensors

/// The product H₁ ⋯ Hₙ in compact form: I − Vᵀ T V with the vectors as rows of V and T upper triangular.
///
/// T⁻¹ is the strict upper triangle of V Vᵀ plus half its diagonal. Proof by induction: let Q = I − Vᵀ T V
/// be the product so far and H = I − τ v vᵀ, τ = 2 / vᵀv, the next factor. Then
/// Q H = I − Vᵀ T V − τ v vᵀ + τ Vᵀ T (V v) vᵀ, which is the same form with T′ = [[T, −τ T V v], [0, τ]], and
/// T′⁻¹ = [[T⁻¹, V v], [0, 1/τ]].
struct Reflections {
  private let vectors: Tensor

  /// Makes the product of the reflections along the rows of a matrix.
  init(_ vectors: Tensor) { self.vectors = vectors }

  /// Computes x H₁ ⋯ Hₙ.
  func apply(to x: Tensor) -> Tensor { product(x, isReversed: false) }
  /// Computes x Hₙ ⋯ H₁.
  func undo(in x: Tensor) -> Tensor { product(x, isReversed: true) }

  private func product(_ x: Tensor, isReversed: Bool) -> Tensor {
    Tensors.apply(ReflectionProduct(isReversed: isReversed), Operands(x, vectors))[0]
  }
}
