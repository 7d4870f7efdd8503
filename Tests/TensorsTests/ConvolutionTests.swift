import TestSupport
import Testing

@testable import Tensors

/// Rules of the convolutions over one to three axes, both ways of computing each product, strides and
/// paddings.
let convolutionRows: [PrimitiveRow] = [
  convolutionRow("1 axis", [2, 4, 2], [3, 2, 3]),
  convolutionRow("narrow outputs", [2, 3, 3, 5], [3, 3, 5, 2]),
  convolutionRow("narrow inputs", [1, 3, 4, 1], [2, 3, 1, 4]),
  convolutionRow("pointwise", [2, 2, 2, 3], [1, 1, 3, 2]),
  convolutionRow("stride 2", [1, 5, 4, 2], [3, 2, 2, 2], strides: [2, 2]),
  convolutionRow("valid, strides", [2, 5, 4, 1], [2, 2, 1, 3], strides: [2, 1], padding: .valid),
  convolutionRow("symmetric", [1, 3, 2, 2], [3, 3, 2, 2], padding: .symmetric([2, 1])),
  convolutionRow("3 axes", [1, 2, 3, 2, 2], [2, 2, 3, 2, 2]),
  PrimitiveRow("convolution, transposed, stride 2", [wave([1, 2, 3, 2]), wave([3, 2, 3, 2], phase: 2)]) {
    transposedConvolution($0[0], $0[1], strides: [2, 2])
  },
  PrimitiveRow("convolution, transposed", [wave([2, 3, 4]), wave([3, 2, 4], phase: 2)]) {
    transposedConvolution($0[0], $0[1], padding: .valid)
  },
  layerRow(.identity), layerRow(.relu), layerRow(.softplus),
]

private func convolutionRow(
  _ name: String, _ x: Shape, _ w: Shape, strides: [Int]? = nil, padding: ConvolutionPadding = .same
) -> PrimitiveRow {
  PrimitiveRow("convolution, \(name)", [wave(x), wave(w, phase: 2)]) {
    convolution($0[0], $0[1], strides: strides, padding: padding)
  }
}

private func layerRow(_ activation: Activation) -> PrimitiveRow {
  PrimitiveRow(
    "convolution, bias, \(activation)",
    [wave([2, 3, 3, 2]), wave([2, 2, 2, 2], phase: 2), wave([2], phase: 3)]
  ) { convolution($0[0], $0[1], $0[2], activation) }
}

@Suite struct ConvolutionTests {
  /// y[n, p, q, o] by its definition, with explicit paddings in front.
  private func expected(_ x: Tensor, _ w: Tensor, to shape: Shape, strides: [Int], low: [Int]) -> Tensor {
    let (xs, ws) = (x.elements, w.elements)
    return naive(shape) { index in
      var total = 0.0
      for k in 0..<w.shape[0] {
        for l in 0..<w.shape[1] {
          let (p, q) = (index[1] * strides[0] + k - low[0], index[2] * strides[1] + l - low[1])
          guard (0..<x.shape[1]).contains(p), (0..<x.shape[2]).contains(q) else { continue }
          for i in 0..<w.shape[2] { total += xs([index[0], p, q, i]) * ws([k, l, i, index[3]]) }
        }
      }
      return total
    }
  }

  @Test(arguments: [(1, 6), (6, 1), (3, 3), (4, 2)]) func equalsItsDefinition(_ channels: (Int, Int)) {
    let x = wave([3, 5, 7, channels.0])
    for (window, strides, padding, low, size) in [
      ([3, 3], [1, 1], ConvolutionPadding.same, [1, 1], [5, 7]),
      ([2, 4], [1, 1], .same, [0, 1], [5, 7]),
      ([3, 2], [2, 3], .same, [1, 0], [3, 3]),
      ([3, 3], [2, 2], .valid, [0, 0], [2, 3]),
      ([5, 7], [1, 1], .valid, [0, 0], [1, 1]),
      ([3, 3], [1, 1], .symmetric([3, 0]), [3, 0], [9, 5]),
      ([1, 1], [2, 2], .same, [0, 0], [3, 4]),
    ] {
      let w = wave(Shape(window + [channels.0, channels.1]), phase: 1)
      let y = convolution(x, w, strides: strides, padding: padding)
      let shape = Shape([3] + size + [channels.1])
      #expect(
        isClose(y, expected(x, w, to: shape, strides: strides, low: low), 1e-12), "\(window) \(padding)")
    }
  }

  /// Samples that do not fit one block of windows, and a row's bits alone.
  @Test(arguments: [(2, 9), (9, 2)]) func blocksDoNotShow(_ channels: (Int, Int)) {
    let (x, w) = (
      wave([5, 40, 40, channels.0], dtype: .float32),
      wave([3, 3, channels.0, channels.1], phase: 1, dtype: .float32)
    )
    let y = convolution(x, w)
    for i in 0..<5 { #expect(convolution(x[i..<i + 1], w).isIdentical(to: y[i..<i + 1])) }
    #expect(convolution(x[0..<0], w).shape == [0, 40, 40, channels.1])
  }

  /// ⟨convolution(x), y⟩ = ⟨x, transposed(y)⟩.
  @Test(arguments: [1, 2, 3]) func transposedIsTheAdjoint(_ stride: Int) {
    let (y, w) = (wave([2, 3, 4, 3]), wave([3, 3, 2, 3], phase: 1))
    let back = transposedConvolution(y, w, strides: [stride, stride])
    #expect(back.shape == [2, 3 * stride, 4 * stride, 2])
    let x = wave(back.shape, phase: 5)
    let left = (convolution(x, w, strides: [stride, stride]) * y).sum().item
    #expect(abs(left - (x * back).sum().item) < 1e-12 * max(1, abs(left)))
  }
}
