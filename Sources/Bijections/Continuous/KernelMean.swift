import CKernels
import Tensors

/// The mean of points xⱼ weighted by Gaussian kernels around y, row by row.
///
/// With lⱼ = −½ ‖y − rate xⱼ‖² and weights wⱼ = exp(lⱼ) / Σ exp(lⱼ), the results are the mean m = Σ wⱼ xⱼ
/// [rows, D], log Σ exp(lⱼ) [rows], and the mean square q = Σ wⱼ ‖y − rate xⱼ‖² [rows]. The inputs are
/// y [rows, D], rate [rows] and the points x [J, D].
///
/// The kernel costs 4D operations and one exponential per row and point, and keeps no matrix of weights.
package struct KernelMean: FusedPrimitive {
  package init() {}

  package func value(_ inputs: Operands) -> Operands {
    let (y, rate, points) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let (rows, columns) = (y.shape[0], y.shape[1])
    let (mean, logSum, square) = (Storage(like: y), Storage(like: rate), Storage(like: rate))
    let scratch = Storage(shape: [columns * 128 / y.dtype.byteCount], dtype: y.dtype)
    ck_kernel_mean(
      y.dtype.kernel, rows, columns, points.shape[0], y.address, rate.address, points.address, mean.address,
      logSum.address, square.address, scratch.address)
    return Operands(Tensor(mean), Tensor(logSum), Tensor(square))
  }

  package func composed(_ inputs: Operands) -> Operands {
    let (y, rate, points) = (inputs[0], inputs[1].expanded(axis: 1), inputs[2])
    let products = matmul(y, points, transposeB: true)
    let squares = Tensors.square(y).sumPerRow().expanded(axis: 1) - 2 * rate * products
    let distances = squares + Tensors.square(rate) * Tensors.square(points).sumPerRow()
    let weights = (-0.5 * distances).softmax(axis: 1)
    return Operands(
      matmul(weights, points), (-0.5 * distances).logSumExp(axis: 1), (weights * distances).sumPerRow())
  }

  package func cotangent(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands {
    if g.optional(0) != nil || g.optional(2) != nil || wanted[2] { return ofComposed(g, inputs, wanted) }
    // ∂ logSum / ∂y = −(y − rate m). By (y − rate x)·x = ((y − rate x)·y − ‖y − rate x‖²) / rate, the
    // derivative by the rate is ((y − rate m)·y − q) / rate.
    let (y, rate, along) = (inputs[0], inputs[1], g[1])
    let offset = y - rate.expanded(axis: 1) * outputs[0]
    return Operands(
      wanted[0] ? -along.expanded(axis: 1) * offset : nil,
      wanted[1] ? along * ((offset * y).sumPerRow() - outputs[2]) / rate : nil, nil)
  }

  /// The cotangents by the composed form.
  private func ofComposed(_ g: Operands, _ inputs: Operands, _ wanted: Wanted) -> Operands {
    Operands(
      (0..<3).map { i in
        guard wanted[i] else { return nil }
        return gradient(at: inputs[i]) { x in
          let results = composed(
            Operands(i == 0 ? x : inputs[0], i == 1 ? x : inputs[1], i == 2 ? x : inputs[2]))
          return (0..<3).compactMap { k in g.optional(k).map { ($0 * results[k]).sum() } }.reduce(
            Tensor(0, dtype: x.dtype), +)
        }
      })
  }
}
