import CKernels

/// The three products on values: the convolution, the transposed convolution, and the derivative by w.
///
/// Each is a matrix product whose rows are the windows of one side, made block by block ("im2col"), or a
/// product whose rows are added to windows. The row of a window has taps · channels numbers, so the side with
/// fewer channels serves where the geometry allows it. The choice depends on shapes alone, and the terms of
/// an element have one order.
struct ConvolutionProducts {
  let geometry: ConvolutionGeometry
  let batch, inputs, outputs: Int
  let dtype: DType

  private var taps: Int { geometry.taps }
  private var isNarrowInside: Bool { geometry.isFlippable && 2 * outputs <= inputs }
  private var isNarrowOutside: Bool { geometry.isFlippable && outputs <= 2 * inputs }

  private func zeros(_ sizes: [Int], _ channels: Int) -> Storage {
    Tensor.zeros(Shape([batch] + sizes + [channels]), dtype: dtype).storage
  }
  private func empty(_ sizes: [Int], _ channels: Int) -> Storage {
    Storage(shape: Shape([batch] + sizes + [channels]), dtype: dtype)
  }
  /// w[k, i, o] with reversed taps and permuted axes.
  private func turned(_ w: Storage, _ axes: [Int]) -> Storage {
    Tensor(w).reshaped(to: [taps, inputs, outputs]).flipped(axis: 0).permuted(axes: axes).storage
  }

  /// f(convolution + bias).
  func small(_ x: Storage, _ w: Storage, bias: Storage?, _ activation: ck_epilogue) -> Tensor {
    let width = taps * inputs
    if geometry.isPointwise {
      let y = empty(geometry.smallSizes, outputs)
      gemm(false, false, batch * geometry.smallCount, outputs, inputs, x, w, into: y, bias: bias, activation)
      return Tensor(y)
    }
    if isNarrowInside {
      let y = zeros(geometry.smallSizes, outputs)
      let (weight, flipped) = (turned(w, [1, 0, 2]), geometry.flipped)
      geometry.blocks(of: batch * geometry.largeCount, columns: taps * outputs, dtype) { range, patches in
        gemm(
          false, false, range.count, taps * outputs, inputs, x.rows(range, width: inputs), weight,
          into: patches)
        flipped.scatter(patches, channels: outputs, range, addingTo: y)
      }
      return activation(bias.map { Tensor(y) + Tensor($0) } ?? Tensor(y))
    }
    let y = empty(geometry.smallSizes, outputs)
    geometry.blocks(of: batch * geometry.smallCount, columns: width, dtype) { range, patches in
      geometry.gather(x, channels: inputs, range, into: patches)
      let rows = y.rows(range, width: outputs)
      gemm(false, false, range.count, outputs, width, patches, w, into: rows, bias: bias, activation)
    }
    return Tensor(y)
  }

  /// The transposed convolution.
  func large(_ g: Storage, _ w: Storage) -> Tensor {
    if geometry.isPointwise {
      let x = empty(geometry.largeSizes, inputs)
      gemm(false, true, batch * geometry.largeCount, inputs, outputs, g, w, into: x)
      return Tensor(x)
    }
    if isNarrowOutside {
      let x = empty(geometry.largeSizes, inputs)
      let (weight, flipped) = (turned(w, [0, 2, 1]), geometry.flipped)
      geometry.blocks(of: batch * geometry.largeCount, columns: taps * outputs, dtype) { range, patches in
        flipped.gather(g, channels: outputs, range, into: patches)
        gemm(
          false, false, range.count, inputs, taps * outputs, patches, weight,
          into: x.rows(range, width: inputs))
      }
      return Tensor(x)
    }
    let x = zeros(geometry.largeSizes, inputs)
    geometry.blocks(of: batch * geometry.smallCount, columns: taps * inputs, dtype) { range, patches in
      gemm(false, true, range.count, taps * inputs, outputs, g.rows(range, width: outputs), w, into: patches)
      geometry.scatter(patches, channels: inputs, range, addingTo: x)
    }
    return Tensor(x)
  }

  /// The derivative by w, [taps · inputs, outputs].
  func weight(_ x: Storage, _ g: Storage) -> Tensor {
    if isNarrowInside && !geometry.isPointwise {
      let flipped = geometry.flipped
      let total = summed(
        batch * geometry.largeCount, rows: inputs, columns: taps * outputs, outputs, flipped, g
      ) {
        (x.rows($0, width: inputs), $1)
      }
      // [inputs, reversed taps, outputs]
      let turned = total.reshaped(to: [inputs, taps, outputs]).permuted(axes: [1, 0, 2]).flipped(axis: 0)
      return turned.reshaped(to: [taps * inputs, outputs])
    }
    return summed(batch * geometry.smallCount, rows: taps * inputs, columns: outputs, inputs, geometry, x) {
      ($1, g.rows($0, width: outputs))
    }
  }

  /// The sum of leftᵀ right over blocks, in rising order.
  private func summed(
    _ positions: Int, rows: Int, columns: Int, _ channels: Int, _ geometry: ConvolutionGeometry,
    _ side: Storage, _ factors: (_ range: Range<Int>, _ patches: Storage) -> (left: Storage, right: Storage)
  ) -> Tensor {
    var total: Tensor?
    geometry.blocks(of: positions, columns: taps * channels, dtype) { range, patches in
      geometry.gather(side, channels: channels, range, into: patches)
      let (left, right) = factors(range, patches)
      let part = Storage(shape: [rows, columns], dtype: dtype)
      gemm(true, false, rows, columns, range.count, left, right, into: part)
      total = total.map { $0 + Tensor(part) } ?? Tensor(part)
    }
    return total ?? .zeros([rows, columns], dtype: dtype)
  }
}
