import Tensors

/// The masked layers of a `MADE` for certain sizes, on numbers in the order of their degrees.
///
/// `bound(to:)` gives it the parameters for any number of passes.
package struct MaskedNetwork: Sendable {
  struct Layer {
    let weight: Tensor
    let bias: Tensor
    /// The weights that exist; nil if the others are zeros already.
    let stairs: Staircase?
    /// The mask of the units behind the layer, [rows, units], in a fit with dropout.
    let mask: Tensor?
  }

  /// The units of a network whose dependencies are a graph.
  struct Sets: Sendable {
    /// The numbers, parents first.
    let order: Tensor
    /// The set of each unit of each layer.
    let sets: [[Set<Int>]]
    /// The mask of each layer's weights.
    let masks: [Tensor]

    init(order: [Int], sets: [[Set<Int>]]) {
      (self.order, self.sets) = (Tensor(ints: order), sets)
      masks = zip(sets, sets.dropFirst()).map { Dependencies.mask($0, $1) }
    }
  }

  let made: MADE
  private let graph: Sets?
  /// The degrees of the inputs, of each hidden layer, and of the outputs.
  private(set) var degrees: [[Double]]
  /// The weights of each layer that exist, if the widths alone determine them.
  private let stairs: [Staircase]?
  private(set) var layers: [Layer] = []
  private var order: Tensor?

  init(_ made: MADE, degrees: [[Double]], graph: Sets? = nil) {
    self.made = made
    self.degrees = degrees
    self.graph = graph
    stairs = graph != nil || made.hiddenDegrees == .random ? nil : Self.stairs(degrees)
  }

  /// The stairs of each layer; nil if the degrees of some layer do not rise.
  private static func stairs(_ degrees: [[Double]]) -> [Staircase]? {
    let stairs = zip(degrees, degrees.dropFirst()).compactMap { Staircase(from: $0, to: $1) }
    return stairs.count == degrees.count - 1 ? stairs : nil
  }

  /// The network with its parameters.
  package func bound(to params: Params) -> MaskedNetwork {
    var result = self
    // Only hidden degrees come from the tree, so any degrees in a tree give an autoregressive map.
    for i in degrees.indices.dropFirst().dropLast() {
      let layer = made.isResidual ? 0 : i - 1
      if made.isDrawn(layer) { result.degrees[i] = params.child(layer)["degrees"].doubles }
    }
    let (own, stairs) = (result.degrees, graph == nil ? stairs ?? Self.stairs(result.degrees) : nil)
    result.layers = own.indices.dropLast().map { i in
      let (weight, bias) = (params.child(i)["weight"], params.child(i)["bias"])
      let units = made.drops(i) ? DropoutMask.mask(params.child(i)[DropoutMask.label]) : nil
      if let mask = graph?.masks[i] {
        let weight = weight * mask.cast(to: weight.dtype)
        return Layer(weight: weight, bias: bias, stairs: nil, mask: units)
      }
      if let stairs { return Layer(weight: weight, bias: bias, stairs: stairs[i], mask: units) }
      let (from, to) = (Tensor(own[i], dtype: weight.dtype), Tensor(own[i + 1], dtype: weight.dtype))
      return Layer(weight: weight * (from.expanded(axis: 1) .<= to), bias: bias, stairs: nil, mask: units)
    }
    result.order = graph?.order ?? (made.order == .random ? params["order"] : nil)
    return result
  }

  /// Numbers [rows, D] in the order of their degrees.
  package func sorted(_ x: Tensor) -> Tensor { order.map { x.gathered($0) } ?? x }
  /// The inverse of `sorted`, for numbers [rows, D] or groups of outputs [rows, D, count].
  package func restored(_ x: Tensor) -> Tensor {
    order.map { x.gathered($0.inversePermutation, axis: 1) } ?? x
  }

  /// Outputs [rows, D · count] from the sorted numbers but the last, [rows, D − 1], and a context.
  package func callAsFunction(_ x: Tensor, _ context: Tensor?) -> Tensor {
    let (features, activation) = (made.features(x), made.activation)
    let x = context.map { concatenate([$0, features], axis: -1) } ?? features
    var h: Tensor
    if made.isResidual {
      h = run(0, x, .identity)
      for i in stride(from: 1, to: layers.count - 1, by: 2) {
        let inner = run(i, activation(h), activation)
        h = h + run(i + 1, layers[i].mask.map { inner * $0 } ?? inner, .identity)
      }
    } else {
      h = x
      for i in layers.indices.dropLast() { h = run(i, h, activation) }
    }
    return run(layers.count - 1, h, .identity)
  }

  private func run(_ i: Int, _ x: Tensor, _ activation: Activation) -> Tensor {
    let layer = layers[i]
    return layer.stairs.map { dense(x, layer.weight, layer.bias, activation, within: $0) }
      ?? dense(x, layer.weight, layer.bias, activation)
  }
}
