import Randomness
import Tensors

/// An invertible convolution: the product of two masked ones. The first sees earlier positions in row-major
/// order, and the second later ones.
///
/// Map: y = F(E(x)), each y[p] = Σ x[p + k] w[k] over taps k at or before the position in row-major order (at
/// or after it for F). The tap at the position itself is triangular in the channels: w[0] = strictly upper
/// triangle + diagonal of exp(logScale). Together they see a window of (2 size − 1) positions per axis, with
/// zeros around the image.
///
/// log|det J| = positions · Σ logScale of both; O(channels).
///
/// Inverse: position by position, x[p] = (y[p] − Σ earlier x[p + k] w[k]) w[0]⁻¹, one triangular solve each:
/// as many steps as there are positions. Forward: two convolutions.
///
/// Parameters, of `back` and `ahead`: `taps` [taps before the own, channels, channels], normal with deviation
/// 0.01; `triangle` [channels (channels − 1) / 2], zeros; `logScale` [channels], zeros.
///
/// Domain: all reals. Errors: `mismatch` for samples that are not [height, width, channels].
///
/// Hoogeboom, van den Berg & Welling 2019, *Emerging convolutions for generative normalizing flows*, arXiv
/// 1901.11137, sections 3.1-3.2.
public struct EmergingConvolution: Bijection {
  private let size: Int

  /// Makes a convolution of two masked windows of a size.
  ///
  /// - Precondition: The size is odd.
  public init(size: Int = 3) {
    require(size > 0 && size % 2 == 1, "EmergingConvolution: an odd size, got \(size)")
    self.size = size
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.checkImage(who: "EmergingConvolution")
    let (masked, positions) = (MaskedConvolution(size: size, channels: site.channels), Double(site.positions))
    func initial(_ key: Key) -> Params {
      let taps = 0.01 * key.normal([masked.before.count, site.channels, site.channels])
      return [
        "taps": .leaf(taps.cast(to: site.dtype)),
        "triangle": .leaf(.zeros([masked.triangle.count], dtype: site.dtype)),
        "logScale": .leaf(.zeros([site.channels], dtype: site.dtype)),
      ]
    }
    // The convolution of later positions is that of earlier ones on the image turned by 180 degrees.
    @Sendable func turned(_ x: Tensor) -> Tensor { x.flipped(axis: 1).flipped(axis: 2) }
    return site.layer(
      "EmergingConvolution", ["back": initial(key.folded(in: 0)), "ahead": initial(key.folded(in: 1))]
    ) { params, x, _ in
      let inside = masked.apply(params.child("back"), x)
      return turned(masked.apply(params.child("ahead"), turned(inside)))
    } logDet: { params, _, _ in
      (params.child("back")["logScale"].sum() + params.child("ahead")["logScale"].sum()) * positions
    } inverse: { params, y, _ in
      let inside = turned(masked.undo(params.child("ahead"), turned(y)))
      return masked.undo(params.child("back"), inside)
    }
  }
}

/// A masked convolution that sees earlier positions only.
private struct MaskedConvolution: Sendable {
  let size: Int
  /// The offsets (rows, columns) of the taps before the position itself, in row-major order.
  let before: [(Int, Int)]
  let triangle: StrictTriangle

  init(size: Int, channels: Int) {
    self.size = size
    triangle = StrictTriangle(size: channels)
    let half = size / 2
    before = (0..<size * size / 2).map { ($0 / size - half, $0 % size - half) }
  }

  /// The upper triangular matrix that rows of channels are multiplied by. Output j sees channels up to j.
  private func own(_ params: Params) -> Tensor {
    triangle(params["triangle"]).transposed() + exp(params["logScale"]).diagonalMatrix()
  }

  func apply(_ params: Params, _ x: Tensor) -> Tensor {
    let (channels, taps) = (x.shape[-1], params["taps"])
    let behind = Tensor.zeros([size * size - before.count - 1, channels, channels], dtype: x.dtype)
    let weight = concatenate([taps, own(params).expanded(axis: 0), behind], axis: 0)
    return convolution(x, weight.reshaped(to: [size, size, channels, channels]))
  }

  func undo(_ params: Params, _ y: Tensor) -> Tensor {
    let (rows, height, width, channels) = (y.rows, y.shape[1], y.shape[2], y.shape[3])
    let (own, taps) = (own(params), params["taps"])
    let pixels = y.reshaped(to: [rows, height * width, channels])
    var known: [Tensor] = []
    for p in 0..<height * width {
      var rest = pixels.sliced(axis: 1, p..<p + 1).reshaped(to: [rows, channels])
      for (k, (down, right)) in before.enumerated() {
        let (i, j) = (p / width + down, p % width + right)
        if (0..<height).contains(i) && (0..<width).contains(j) {
          rest = rest - matmul(known[i * width + j], taps[k])
        }
      }
      // x W = r, transposed: Wᵀ xᵀ = rᵀ.
      known.append(rest.mappingColumns { triangularSolve(own, $0, lower: false, transposed: true) })
    }
    return stack(known, axis: 1).reshaped(to: y.shape)
  }
}
