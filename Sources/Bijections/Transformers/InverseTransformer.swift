import Tensors

/// The inverse of a transformer f: y = f⁻¹(x; θ), with the raw parameters of f in the same order.
///
/// log|det| and both directions are those of f, exchanged.
///
/// `InverseTransformer(Affine(scale: .exponential))` is y = (x − μ) · exp(−α), with all α first, then all
/// μ. This form is used in Papamakarios, Pavlakou & Murray 2017, *Masked autoregressive flow*, arXiv
/// 1705.07057, eqs. 3-4, and in jax-flows.
public struct InverseTransformer: Transformer {
  private let transformer: any Transformer

  /// Makes the inverse of a transformer.
  public init(_ transformer: any Transformer) { self.transformer = transformer }

  public var name: String { "Inverse \(transformer.name)" }
  public var parameterCount: Int { transformer.parameterCount }
  public var traits: Mapping.Traits { transformer.traits }
  public var isElementwise: Bool { transformer.isElementwise }
  public var parameterOrder: ParameterOrder { transformer.parameterOrder }
  public var period: Double? { transformer.period }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    transformer.inverse(x, parameters)
  }
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    transformer.forward(y, parameters)
  }
}
