import Tensors

/// A masked network on numbers in the order of their degrees.
package struct SortedMADE: Sendable {
  private let made: MADE
  /// Degrees of the inputs, of each hidden layer's units, and of the outputs.
  private let degrees: [[Double]]
  /// Which weights exist, where that follows from the widths alone; nil where degrees stand in the tree.
  private let stairs: [Staircase]?

  init(_ made: MADE, degrees: [[Double]]) {
    self.made = made
    self.degrees = degrees
    stairs = made.hiddenDegrees == .random ? nil : Self.stairs(degrees)
  }

  /// Nil for degrees that do not rise.
  private static func stairs(_ degrees: [[Double]]) -> [Staircase]? {
    let stairs = zip(degrees, degrees.dropFirst()).compactMap { Staircase(from: $0, to: $1) }
    return stairs.count == degrees.count - 1 ? stairs : nil
  }

  /// The network with its parameters, for any number of passes.
  package func bound(to params: Params) -> BoundMADE {
    // Any values in a tree's degrees make an autoregressive network: the ends do not come from the tree.
    let own = degrees.indices.map { i -> [Double] in
      let layer = made.isResidual ? 0 : i - 1
      let isHidden = i > 0 && i < degrees.count - 1
      return isHidden && made.isDrawn(layer) ? params.child(layer)["degrees"].doubles : degrees[i]
    }
    let stairs = stairs ?? Self.stairs(own)
    let layers = own.indices.dropLast().map { i -> BoundMADE.Layer in
      let (weight, bias) = (params.child(i)["weight"], params.child(i)["bias"])
      if let stairs { return .init(weight: weight, bias: bias, stairs: stairs[i]) }
      let (from, to) = (Tensor(own[i], dtype: weight.dtype), Tensor(own[i + 1], dtype: weight.dtype))
      return .init(weight: weight * (from.expanded(axis: 1) .<= to), bias: bias, stairs: nil)
    }
    return BoundMADE(
      activation: made.activation, isResidual: made.isResidual, degrees: own, layers: layers,
      order: made.order == .random ? params["order"] : nil)
  }
}
