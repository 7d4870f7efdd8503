/// A masked network on numbers in the order of their degrees.
package struct SortedMADE: Sendable {
  private let made: MADE
  private let degrees: [Tensor]
  /// Masks that follow from the widths alone; nil where degrees stand in the tree.
  private let masks: [Tensor?]

  init(_ made: MADE, degrees: [Tensor]) {
    self.made = made
    self.degrees = degrees
    masks = degrees.indices.dropLast().map { i in
      made.hiddenDegrees == .random ? nil : Self.mask(degrees[i], degrees[i + 1])
    }
  }

  /// 1 where a unit of the first layer may feed one of the second.
  private static func mask(_ a: Tensor, _ b: Tensor) -> Tensor { a.expanded(axis: 1) .<= b }

  /// The network with its masks applied to weights, once for any number of passes.
  package func bound(to params: Params) -> Bound {
    // Any values in a tree's degrees make an autoregressive network: the ends do not come from the tree.
    let own = degrees.indices.map { i -> Tensor in
      let layer = made.isResidual ? 0 : i - 1
      let isHidden = i > 0 && i < degrees.count - 1
      return isHidden && made.isDrawn(layer) ? params.child(layer)["degrees"] : degrees[i]
    }
    let layers = masks.indices.map { i -> (weight: Tensor, bias: Tensor) in
      let layer = params.child(i)
      return (layer["weight"] * (masks[i] ?? Self.mask(own[i], own[i + 1])), layer["bias"])
    }
    return Bound(
      activation: made.activation, isResidual: made.isResidual, layers: layers,
      order: made.order == .random ? params["order"] : nil)
  }

  /// A masked network with its parameters.
  package struct Bound {
    let activation: Activation
    let isResidual: Bool
    let layers: [(weight: Tensor, bias: Tensor)]
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
      let y = dense(x, layers[i].weight, layers[i].bias, activation.epilogue)
      return activation.rest?(y) ?? y
    }
  }
}
