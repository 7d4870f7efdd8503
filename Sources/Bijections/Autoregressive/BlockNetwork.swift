import Tensors

/// A block triangular matrix from `inputs` units to `outputs` units of each of `size` features.
struct BlockLayer: Sendable {
  let size, inputs, outputs: Int
  private let isFree, isDiagonal: Tensor

  init(size: Int, inputs: Int, outputs: Int) {
    (self.size, self.inputs, self.outputs) = (size, inputs, outputs)
    func mask(_ holds: (Int, Int) -> Bool) -> Tensor {
      let (rows, columns) = (size * inputs, size * outputs)
      let values = (0..<rows * columns).map { holds($0 / columns / inputs, $0 % columns / outputs) ? 1.0 : 0 }
      return Tensor(values, shape: [rows, columns])
    }
    (isFree, isDiagonal) = (mask { $0 < $1 }, mask { $0 == $1 })
  }

  /// W, and the logarithms of its diagonal blocks [size, outputs, inputs].
  func weights(_ params: Params) -> (weight: Tensor, logDiagonal: Tensor) {
    let (raw, logNorm) = (params["weight"], params["logNorm"])
    let positive = isDiagonal.cast(to: raw.dtype)
    let direction = select(where: positive, exp(raw * positive), raw * isFree.cast(to: raw.dtype))
    let logScale = logNorm - 0.5 * log(square(direction).sum(axis: 0))
    let diagonal = (raw + logScale).reshaped(to: [size, inputs, size, outputs]).permuted(axes: [0, 2, 3, 1])
      .reshaped(to: [size * size, outputs, inputs]).sliced(axis: 0, 0..<size * size, step: size + 1)
    return (direction * exp(logScale), diagonal)
  }
}

/// The network F of `BlockAutoregressive` and its gate, with weights normalized once for all passes.
struct BlockNetwork {
  /// The tensors of each layer. With a context the first bias is its sum with the context's share,
  /// [rows, units].
  private let layers: [(weight: Tensor, logDiagonal: Tensor, bias: Tensor)]
  private let gate: Tensor

  init(_ blocks: [BlockLayer], _ params: Params, _ context: Tensor?) {
    layers = blocks.indices.map { i in
      let layer = params.child(i)
      let (weight, logDiagonal) = blocks[i].weights(layer)
      let shift = i == 0 ? context.map { matmul($0.flattened, layer["context"]) } : nil
      return (weight, logDiagonal, shift.map { $0 + layer["bias"] } ?? layer["bias"])
    }
    gate = params["gate"]
  }

  /// The tensors of the network of the first `count` features, which depend on no others: the leading blocks
  /// of every matrix.
  func leading(_ count: Int) -> [Tensor] {
    let parts = layers.flatMap { layer in
      let (outputs, inputs) = (layer.logDiagonal.shape[1] * count, layer.logDiagonal.shape[2] * count)
      return [
        layer.weight.sliced(axis: 0, 0..<inputs).sliced(axis: 1, 0..<outputs), layer.logDiagonal[0..<count],
        layer.bias.sliced(axis: -1, 0..<outputs),
      ]
    }
    return parts + [gate[0..<count]]
  }

  /// Makes a network from the tensors of `leading`.
  init(_ tensors: [Tensor]) {
    layers = stride(from: 0, to: tensors.count - 1, by: 3).map {
      (tensors[$0], tensors[$0 + 1], tensors[$0 + 2])
    }
    gate = tensors[tensors.count - 1]
  }

  /// y [rows, D], and log ∂yᵢ/∂xᵢ [rows, D].
  func callAsFunction(_ x: Tensor) -> (value: Tensor, logSlope: Tensor) {
    let (rows, size) = (x.rows, x.shape[1])
    var h = x
    var slope = Tensor.zeros([rows, size, 1], dtype: x.dtype)
    for (i, layer) in layers.enumerated() {
      // log Σ_q exp(log W_qp + log ∂h_q/∂x), for each unit p of a number
      slope = (layer.logDiagonal + slope.expanded(axis: 2)).logSumExp(axis: -1)
      h = matmul(h, layer.weight) + layer.bias
      if i < layers.count - 1 {
        slope = slope + logTanhSlope(h).reshaped(to: slope.shape)
        h = tanh(h)
      }
    }
    // log(σ(g) e^ℓ + 1 − σ(g)) = log(1 + e^(g + ℓ)) − log(1 + e^g)
    let logSlope = softplus(gate + slope.reshaped(to: [rows, size])) - softplus(gate)
    return (x + sigmoid(gate) * (h - x), logSlope)
  }
}
