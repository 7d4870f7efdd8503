extension ConvolutionProduct: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (a, b) = (inputs[0], inputs[1])
    let (axes, ones) = (geometry.presentAxes, geometry.presentAxes.map { _ in 1 })
    let strides = axes.map(\.stride)
    switch derivative {
    case .byOutput:
      return graph.convolution(
        a, b, ("b", "f", "i", "o", "b", "f"), shape: [a.shape[0]] + axes.map(\.small) + [b.shape[-1]],
        strides: strides, dilation: (ones, ones), padding: axes.map { ($0.padding, $0.end) })
    case .byInput:
      // The taps in reverse order meet the outputs, between which there are `stride` − 1 zeros.
      let turned = (1...axes.count).reduce(b) { w, i in w.flipped(axis: i - 1) }
      return graph.convolution(
        a, turned, ("b", "f", "o", "i", "b", "f"), shape: [a.shape[0]] + axes.map(\.large) + [b.shape[-2]],
        strides: ones, dilation: (strides, ones),
        padding: axes.map {
          let low = $0.window - 1 - $0.padding
          return (low, $0.large - ($0.small - 1) * $0.stride + $0.window - 2 - low)
        })
    case .byWeight:
      // The sum is over samples and positions. The channels take the place of samples.
      return graph.convolution(
        a, b, ("f", "b", "i", "o", "b", "f"), shape: axes.map(\.window) + [a.shape[-1], b.shape[-1]],
        strides: ones, dilation: (ones, strides), padding: axes.map { ($0.padding, $0.end) },
        isWeight: true)
    }
  }
}

extension ConvolutionGeometry {
  fileprivate var presentAxes: [Axis] { Array([axes.0, axes.1, axes.2].suffix(rank)) }
}

extension ConvolutionGeometry.Axis {
  /// The zeros behind the last position of the large side.
  fileprivate var end: Int { (small - 1) * stride + window - large - padding }
}

extension Graph {
  /// A convolution. The labels are those of the outer axes of both sides and the result, in order.
  fileprivate func convolution(
    _ a: Tensor, _ b: Tensor, _ labels: (String, String, String, String, String, String), shape: [Int],
    strides: [Int], dilation: (left: [Int], right: [Int]), padding: [(Int, Int)], isWeight: Bool = false
  ) -> Operands {
    let places = strides.indices.map(String.init)
    func axes(_ parts: [String]) -> String { "[\(parts.joined(separator: ", "))]" }
    // A weight has its positions first, and its channels last.
    let right = isWeight ? [labels.2] + places + [labels.3] : places + [labels.2, labels.3]
    let result = isWeight ? places + [labels.4, labels.5] : [labels.4] + places + [labels.5]
    let numbers =
      "#stablehlo.conv<\(axes([labels.0] + places + [labels.1]))x\(axes(right))->\(axes(result))>"
    let edges = padding.map { "[\($0.0), \($0.1)]" }.joined(separator: ", ")
    let attributes = [
      "window_strides = \(list(strides))", "padding = dense<[\(edges)]> : tensor<\(places.count)x2xi64>",
      "lhs_dilation = \(list(dilation.left))", "rhs_dilation = \(list(dilation.right))",
      "dimension_numbers = \(numbers)", "feature_group_count = 1 : i64", "batch_group_count = 1 : i64",
      "precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]",
    ]
    let value = operation(
      "stablehlo.convolution", [a, b].map(value), attributes.joined(separator: ", "),
      Kind(Shape(shape), a.dtype))
    return Operands(tensor(value))
  }
}
