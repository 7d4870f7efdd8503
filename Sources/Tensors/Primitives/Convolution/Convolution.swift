/// The convolution of x [batch, positions..., in] with w [window..., in, out]: the trilinear form's derivative by g.
///
/// The three derivatives of a trilinear form are bilinear, and each one's own derivatives are the other two.
struct Convolution: Primitive {
  let geometry: ConvolutionGeometry

  func value(_ inputs: Operands) -> Operands {
    let (x, w) = (inputs.storage(0), inputs.storage(1))
    return Operands(geometry.products(w, x).small(x, w, bias: nil, .identity))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    bilinear(self, tangents, inputs)
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let g = cotangents[0]
    return Operands(
      wanted[0] ? TransposedConvolution(geometry: geometry)(g, inputs[1]) : nil,
      wanted[1] ? WindowProducts(geometry: geometry)(inputs[0], g) : nil)
  }
}

/// The derivative by x: g [batch, positions..., out] with w [window..., in, out].
struct TransposedConvolution: Primitive {
  let geometry: ConvolutionGeometry

  func value(_ inputs: Operands) -> Operands {
    let (g, w) = (inputs.storage(0), inputs.storage(1))
    return Operands(geometry.products(w, g).large(g, w))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    bilinear(self, tangents, inputs)
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let x = cotangents[0]
    return Operands(
      wanted[0] ? Convolution(geometry: geometry)(x, inputs[1]) : nil,
      wanted[1] ? WindowProducts(geometry: geometry)(x, inputs[0]) : nil)
  }
}

/// The derivative by w: x [batch, positions..., in] with g [batch, positions..., out].
struct WindowProducts: Primitive {
  let geometry: ConvolutionGeometry

  func value(_ inputs: Operands) -> Operands {
    let (x, g) = (inputs.storage(0), inputs.storage(1))
    let products = ConvolutionProducts(
      geometry: geometry, batch: x.shape[0], inputs: x.shape[-1], outputs: g.shape[-1], dtype: x.dtype)
    let shape = Shape(geometry.windowSizes + [x.shape[-1], g.shape[-1]])
    return Operands(products.weight(x, g).reshaped(to: shape))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    bilinear(self, tangents, inputs)
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let w = cotangents[0]
    return Operands(
      wanted[0] ? TransposedConvolution(geometry: geometry)(inputs[1], w) : nil,
      wanted[1] ? Convolution(geometry: geometry)(inputs[0], w) : nil)
  }
}

/// f(convolution + bias) in one pass over the result.
struct ConvolutionLayer: FusedPrimitive {
  let geometry: ConvolutionGeometry
  let epilogue: Epilogue

  func value(_ inputs: Operands) -> Operands {
    let (x, w, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    return Operands(geometry.products(w, x).small(x, w, bias: bias, epilogue))
  }
  func composed(_ inputs: Operands) -> Operands {
    Operands(epilogue(Convolution(geometry: geometry)(inputs[0], inputs[1]) + inputs[2]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let g = epilogue.pullback(cotangents[0], outputs[0])
    return Operands(
      wanted[0] ? TransposedConvolution(geometry: geometry)(g, inputs[1]) : nil,
      wanted[1] ? WindowProducts(geometry: geometry)(inputs[0], g) : nil,
      wanted[2] ? g.sum(over: 0..<g.rank - 1).reshaped(to: [g.shape[-1]]) : nil)
  }
}

private func bilinear(_ product: some Primitive, _ tangents: Operands, _ inputs: Operands) -> Operands {
  let first = tangents.optional(0).map { product($0, inputs[1]) }
  let second = tangents.optional(1).map { product(inputs[0], $0) }
  guard let first, let second else { return Operands(first ?? second) }
  return Operands(first + second)
}

extension ConvolutionGeometry {
  fileprivate func products(_ w: Storage, _ rows: Storage) -> ConvolutionProducts {
    ConvolutionProducts(
      geometry: self, batch: rows.shape[0], inputs: w.shape[-2], outputs: w.shape[-1], dtype: w.dtype)
  }
}
