import Tensors

/// A function between the layers of a network, as a value.
public struct Activation: Sendable, CustomStringConvertible {
  /// The name, for summaries.
  public let description: String
  /// The part that is fused into the dense layer before it.
  let epilogue: Epilogue
  /// The rest, if any.
  let rest: (@Sendable (Tensor) -> Tensor)?

  private init(_ name: String, fused epilogue: Epilogue) {
    (description, self.epilogue, rest) = (name, epilogue, nil)
  }

  /// Any function of each element.
  public init(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    (description, epilogue, rest) = (name, .identity, function)
  }

  /// The function.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = epilogue(x)
    return rest?(y) ?? y
  }

  /// x.
  public static let identity = Activation("identity", fused: .identity)
  /// max(x, 0).
  public static let relu = Activation("relu", fused: .relu)
  /// The hyperbolic tangent.
  public static let tanh = Activation("tanh", fused: .tanh)
  /// 1 / (1 + e⁻ˣ).
  public static let sigmoid = Activation("sigmoid", fused: .sigmoid)
  /// log(1 + eˣ).
  public static let softplus = Activation("softplus", fused: .softplus)
  /// x where positive, slope · x elsewhere.
  public static func leakyReLU(_ slope: Double = 0.01) -> Activation {
    Activation("leakyReLU(\(slope))") { x in select(where: x .> 0, x, slope * x) }
  }
  /// x where positive, eˣ − 1 elsewhere.
  public static let elu = Activation("elu") { x in select(where: x .> 0, x, expm1(minimum(x, 0))) }
  /// x · sigmoid(x), also called swish.
  public static let silu = Activation("silu") { x in x * Tensors.sigmoid(x) }
  /// x · Φ(x) with the normal distribution function Φ.
  public static let gelu = Activation("gelu") { x in x * (0.5 * (1 + erf(x * 0.5.squareRoot()))) }
}
