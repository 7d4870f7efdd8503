import CKernels

/// One of the three products of a convolution.
///
/// The trilinear form Σ x[p · stride + k − padding, i] w[k, i, o] g[p, o] has a derivative by each of its
/// factors. Each derivative is a product of the other two factors. The derivatives of a product are again
/// such products.
struct ConvolutionProduct: BilinearPrimitive {
  /// The factor by which the form is differentiated, and the two factors of the product.
  enum Derivative {
    /// The convolution of x [batch, positions..., in] with w [window..., in, out].
    case byOutput
    /// The transposed convolution of g [batch, positions..., out] with w [window..., in, out].
    case byInput
    /// The products of the windows of x [batch, positions..., in] with g [batch, positions..., out].
    case byWeight
  }

  let derivative: Derivative
  let geometry: ConvolutionGeometry

  func value(_ inputs: Operands) -> Operands {
    let (a, b) = (inputs.storage(0), inputs.storage(1))
    switch derivative {
    case .byOutput: return Operands(geometry.products(b, a).small(a, b, bias: nil, CK_IDENTITY_EPILOGUE))
    case .byInput: return Operands(geometry.products(b, a).large(a, b))
    case .byWeight:
      let (rows, ins, outs) = (a.shape[0], a.shape[-1], b.shape[-1])
      let products = ConvolutionProducts(
        geometry: geometry, batch: rows, inputs: ins, outputs: outs, dtype: a.dtype)
      return Operands(products.weight(a, b).reshaped(to: Shape(geometry.windowSizes + [ins, outs])))
    }
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, a, b) = (g[0], inputs[0], inputs[1])
    func product(_ i: Int, _ derivative: Derivative, _ x: Tensor, _ y: Tensor) -> Tensor? {
      wanted[i] ? ConvolutionProduct(derivative: derivative, geometry: geometry)(x, y) : nil
    }
    switch derivative {
    case .byOutput: return Operands(product(0, .byInput, g, b), product(1, .byWeight, a, g))
    case .byInput: return Operands(product(0, .byOutput, g, b), product(1, .byWeight, g, a))
    case .byWeight: return Operands(product(0, .byInput, b, g), product(1, .byOutput, a, g))
    }
  }
}

/// f(convolution + bias) in one pass over the result.
struct ConvolutionLayer: FusedPrimitive {
  let geometry: ConvolutionGeometry
  let activation: ck_epilogue

  private var convolution: ConvolutionProduct {
    ConvolutionProduct(derivative: .byOutput, geometry: geometry)
  }

  func value(_ inputs: Operands) -> Operands {
    let (x, w, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    return Operands(geometry.products(w, x).small(x, w, bias: bias, activation))
  }
  func composed(_ inputs: Operands) -> Operands {
    Operands(activation(convolution(inputs[0], inputs[1]) + inputs[2]))
  }
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let g = activation.pullback(g[0], outputs[0])
    let products = convolution.cotangent(Operands(g), inputs, outputs, wanted: wanted)
    return Operands(
      products.optional(0), products.optional(1),
      wanted[2] ? g.sum(over: 0..<g.rank - 1).reshaped(to: [g.shape[-1]]) : nil)
  }
}

extension ConvolutionGeometry {
  fileprivate func products(_ w: Storage, _ rows: Storage) -> ConvolutionProducts {
    ConvolutionProducts(
      geometry: self, batch: rows.shape[0], inputs: w.shape[-2], outputs: w.shape[-1], dtype: w.dtype)
  }
}
