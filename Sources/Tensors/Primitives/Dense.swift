import CKernels

/// What a dense layer does to its sums. Those with a case of their own are fused into the product.
public enum Epilogue: Sendable, Hashable {
  /// x.
  case identity
  /// max(x, 0).
  case relu
  /// The hyperbolic tangent.
  case tanh
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  /// log(1 + eˣ).
  case softplus

  var kernel: ck_epilogue {
    switch self {
    case .identity: CK_IDENTITY_EPILOGUE
    case .relu: CK_RELU_EPILOGUE
    case .tanh: CK_TANH_EPILOGUE
    case .sigmoid: CK_SIGMOID_EPILOGUE
    case .softplus: CK_SOFTPLUS_EPILOGUE
    }
  }

  /// The function.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: Tensors.relu(x)
    case .tanh: Tensors.tanh(x)
    case .sigmoid: Tensors.sigmoid(x)
    case .softplus: Tensors.softplus(x)
    }
  }

  /// g · f'(x) from y = f(x) alone.
  func pullback(_ g: Tensor, _ y: Tensor) -> Tensor {
    switch self {
    case .identity: g
    case .relu: Elementwise.relu.chain(g, y, y)
    case .tanh: Elementwise.tanh.chain(g, y, y)
    case .sigmoid: Elementwise.sigmoid.chain(g, y, y)
    case .softplus: g * -expm1(-y)  // sigmoid(x) = 1 - e^(-softplus(x))
    }
  }
}

/// f(xW + b) in one pass over the result.
struct Dense: FusedPrimitive {
  let epilogue: Epilogue

  func value(_ inputs: Operands) -> Operands {
    let (x, weight, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let (m, k, n) = (x.shape[0], x.shape[1], weight.shape[1])
    let y = Storage(shape: [m, n], dtype: x.dtype)
    gemm(false, false, m, n, k, x, weight, bias: bias, epilogue.kernel, y)
    return Operands(Tensor(y))
  }

  func composed(_ inputs: Operands) -> Operands {
    Operands(epilogue(matmul(inputs[0], inputs[1]) + inputs[2]))
  }

  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let g = epilogue.pullback(cotangents[0], outputs[0])
    return Operands(
      wanted[0] ? matmul(g, inputs[1], transposeB: true) : nil,
      wanted[1] ? matmul(inputs[0], g, transposeA: true) : nil,
      wanted[2] ? g.sum(axis: 0) : nil)
  }
}

/// f(xW + b) for x [..., in], W [in, out], b [out].
///
/// - Precondition: sizes and dtypes agree.
public func dense(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue = .identity) -> Tensor {
  require(
    x.rank >= 2 && weight.rank == 2 && x.shape[-1] == weight.shape[0] && bias.rank == 1
      && bias.rows == weight.shape[1] && x.dtype == weight.dtype && x.dtype == bias.dtype,
    "dense of \(x.shape) \(x.dtype), weight \(weight.shape) \(weight.dtype), bias \(bias.shape) \(bias.dtype)"
  )
  let primitive = Dense(epilogue: epilogue)
  if x.rank == 2 { return primitive(x, weight, bias) }
  let matrix = x.reshaped(to: [x.shape.count(of: 0..<x.rank - 1), x.shape[-1]])
  return primitive(matrix, weight, bias).reshaped(to: x.shape.replacing(-1, by: weight.shape[1]))
}
