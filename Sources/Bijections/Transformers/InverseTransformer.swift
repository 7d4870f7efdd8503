import Tensors

/// A transformer run backwards: y = f⁻¹(x; θ), with f's raw parameters in f's order.
///
/// log|det| and both directions are those of f, exchanged.
///
/// `InverseTransformer(Affine(scale: .exponential))` is y = (x − μ) · exp(−α), with all α first, then all μ:
/// the form of Papamakarios, Pavlakou & Murray 2017, *Masked autoregressive flow*, arXiv 1705.07057, eqs.
/// 3-4, and of jax-flows.
public struct InverseTransformer: Transformer {
  private let transformer: any Transformer

  /// A transformer backwards.
  public init(_ transformer: any Transformer) { self.transformer = transformer }

  /// The name of what runs backwards.
  public var name: String { "Inverse \(transformer.name)" }
  /// Those of what runs backwards.
  public var parameterCount: Int { transformer.parameterCount }
  /// Those of what runs backwards.
  public var traits: Mapping.Traits { transformer.traits }
  /// As what runs backwards.
  public var isElementwise: Bool { transformer.isElementwise }
  /// As of what runs backwards.
  public var parameterOrder: ParameterOrder { transformer.parameterOrder }

  /// The inner inverse.
  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    transformer.inverse(x, parameters)
  }
  /// The inner forward direction.
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    transformer.forward(y, parameters)
  }
}
