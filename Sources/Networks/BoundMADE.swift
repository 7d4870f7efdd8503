import Tensors

/// A masked network with its parameters, on numbers in the order of their degrees.
package struct BoundMADE {
  struct Layer {
    let weight: Tensor
    let bias: Tensor
    /// Which weights exist; nil where the others are zeros already.
    let stairs: Staircase?
  }

  let activation: Activation
  let isResidual: Bool
  let degrees: [[Double]]
  let layers: [Layer]
  let order: Tensor?

  /// Numbers [rows, D] in the order of their degrees.
  package func sorted(_ x: Tensor) -> Tensor { order.map { x.gathered($0) } ?? x }
  /// Numbers [rows, D], or what belongs to them [rows, D, count], back in their own order.
  package func restored(_ x: Tensor) -> Tensor {
    order.map { x.gathered($0.inversePermutation, axis: 1) } ?? x
  }

  /// Outputs [rows, D · count] from all numbers but the last, sorted [rows, D − 1], and the context [rows,
  /// contexts].
  package func callAsFunction(_ x: Tensor, _ context: Tensor?) -> Tensor {
    let x = context.map { concatenate([$0, x], axis: -1) } ?? x
    return isResidual ? residual(x) : plain(x)
  }

  private func plain(_ x: Tensor) -> Tensor {
    var h = x
    for i in layers.indices.dropLast() { h = run(i, h, activation) }
    return run(layers.count - 1, h, .identity)
  }

  private func residual(_ x: Tensor) -> Tensor {
    var h = run(0, x, .identity)
    for i in stride(from: 1, to: layers.count - 1, by: 2) {
      h = h + run(i + 1, run(i, activation(h), activation), .identity)
    }
    return run(layers.count - 1, h, .identity)
  }

  private func run(_ i: Int, _ x: Tensor, _ activation: Activation) -> Tensor {
    let layer = layers[i]
    let y =
      layer.stairs.map { dense(x, layer.weight, layer.bias, activation.epilogue, within: $0) }
      ?? dense(x, layer.weight, layer.bias, activation.epilogue)
    return activation.rest?(y) ?? y
  }
}
