import CKernels

/// A function of each element that follows a layer of a network.
///
/// Some activations are fused: a dense layer or a convolution applies them in the same pass over its result.
public struct Activation: Sendable, CustomStringConvertible {
  /// The name, for summaries.
  public let description: String
  /// The part that is fused into the product before it.
  package let fused: ck_epilogue
  /// The part that runs afterwards.
  package let rest: (@Sendable (Tensor) -> Tensor)?

  private init(_ name: String, fused: ck_epilogue) { (description, self.fused, rest) = (name, fused, nil) }

  /// An activation from any elementwise function.
  public init(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    (description, fused, rest) = (name, CK_IDENTITY_EPILOGUE, function)
  }

  /// Applies the function.
  public func callAsFunction(_ x: Tensor) -> Tensor { finished(fused(x)) }

  /// Applies the part that is not fused.
  @inline(__always)
  package func finished(_ x: Tensor) -> Tensor { rest?(x) ?? x }

  /// x.
  public static let identity = Activation("identity", fused: CK_IDENTITY_EPILOGUE)
  /// max(x, 0).
  public static let relu = Activation("relu", fused: CK_RELU_EPILOGUE)
  /// The hyperbolic tangent.
  public static let tanh = Activation("tanh", fused: CK_TANH_EPILOGUE)
  /// 1 / (1 + e⁻ˣ).
  public static let sigmoid = Activation("sigmoid", fused: CK_SIGMOID_EPILOGUE)
  /// log(1 + eˣ).
  public static let softplus = Activation("softplus", fused: CK_SOFTPLUS_EPILOGUE)
  /// x where positive, slope · x elsewhere.
  public static func leakyReLU(_ slope: Double = 0.01) -> Activation {
    Activation("leakyReLU(\(slope))") { x in select(where: x .> 0, x, slope * x) }
  }
  /// x where positive, eˣ − 1 elsewhere.
  public static let elu = Activation("elu") { x in select(where: x .> 0, x, expm1(minimum(x, 0))) }
  /// x · sigmoid(x), also called swish.
  public static let silu = Activation("silu") { x in x * Tensors.sigmoid(x) }
  /// x · Φ(x) with the normal distribution function Φ.
  public static let gelu = Activation("gelu") { x in Elementwise.gelu(x) }
}

extension ck_epilogue {
  private var function: Elementwise? {
    switch self {
    case CK_RELU_EPILOGUE: .relu
    case CK_TANH_EPILOGUE: .tanh
    case CK_SIGMOID_EPILOGUE: .sigmoid
    case CK_SOFTPLUS_EPILOGUE: .softplus
    default: nil
    }
  }

  /// Applies the function.
  package func callAsFunction(_ x: Tensor) -> Tensor { function?(x) ?? x }

  /// g · f′(x) for values, computed from y = f(x) alone, since a layer does not keep x.
  ///
  /// Where tanh or sigmoid are near a limit, y has lost the digits of f′ (for sigmoid: near 1). There the
  /// error is within some ulps of |g|, not of the result.
  package func pullback(_ g: Tensor, _ y: Tensor) -> Tensor {
    switch self {
    case CK_TANH_EPILOGUE: saturatingStep(CK_D_TANH, g, y)
    case CK_SIGMOID_EPILOGUE: saturatingStep(CK_D_SIGMOID, g, y)
    case CK_SOFTPLUS_EPILOGUE: g * -expm1(-y)  // sigmoid(x) = 1 − e^(−softplus(x))
    default: function?.chain(g, y, y) ?? g
    }
  }
}
