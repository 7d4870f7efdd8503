import Networks
import Randomness
import Tensors

/// A convolution with periodic borders, inverted frequency by frequency.
///
/// Map: y[p] = Σ x[p + k] w[k] over a window that wraps around the image's edges. The Fourier transform turns
/// it into one matrix per frequency, ŷ[f] = x̂[f] ŵ[f] with ŵ[f] = Σ w[k] e^{2πi f·k / size}.
///
/// log|det J| = Σ log|det ŵ[f]| over all frequencies; O(positions · channels³).
///
/// Inverse: x̂[f] = ŷ[f] ŵ[f]⁻¹. Complex matrices are stored as real ones of twice the size, [[Re, Im], [−Im,
/// Re]], with determinant |det ŵ|². Cost: O(positions · channels³) once, and O(positions² · channels) per row
/// for the transforms. These are products with matrices of cosines and sines, for small images.
///
/// Parameters: `weight` [size, size, channels, channels], a rotation at the middle tap and normal with
/// deviation 0.01 elsewhere.
///
/// Domain: all reals. Training can reach weights that are singular at a frequency; the log-determinant is −∞
/// there. Errors: `mismatch` for samples that are not [height, width, channels].
///
/// Hoogeboom, van den Berg & Welling 2019, *Emerging convolutions for generative normalizing flows*, arXiv
/// 1901.11137, section 3.3.
public struct PeriodicConvolution: Bijection {
  private let size: Int

  /// Makes a periodic convolution with a window of a size.
  ///
  /// - Precondition: The size is odd.
  public init(size: Int = 3) {
    require(size > 0 && size % 2 == 1, "PeriodicConvolution: an odd size, got \(size)")
    self.size = size
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.checkImage(who: "PeriodicConvolution")
    let (channels, size) = (site.channels, size)
    let middle = Initializer.orthogonal()(key.folded(in: 0), [channels, channels])
    let others = 0.01 * key.folded(in: 1).normal([size * size - 1, channels, channels])
    let half = size * size / 2
    let weight = concatenate([others[0..<half], middle.expanded(axis: 0), others[half..<2 * half]], axis: 0)
    let params: Params = [
      "weight": .leaf(weight.reshaped(to: [size, size, channels, channels]).cast(to: site.dtype))
    ]
    let spectrum = Spectrum(height: site.inputDim[0], width: site.inputDim[1], size: size, site.dtype)

    return site.layer("PeriodicConvolution", params) { params, x, _ in
      spectrum.convolved(x, params["weight"])
    } logDet: { params, _, _ in
      let terms = spectrum.matrices(params["weight"]).map { 0.5 * logAbsDeterminant($0) }
      return terms.dropFirst().reduce(terms[0]) { $0 + $1 }
    } inverse: { params, y, _ in
      spectrum.undone(y, spectrum.matrices(params["weight"]))
    }
  }
}

/// The discrete Fourier transform of images of one size, as matrices.
private struct Spectrum: Sendable {
  let height, width, size: Int
  /// cos and sin of 2π f·p / size, [positions, positions].
  let cosines, sines: Tensor
  /// The same for the window's taps, [positions, taps].
  let tapCosines, tapSines: Tensor

  init(height: Int, width: Int, size: Int, _ dtype: DType) {
    (self.height, self.width, self.size) = (height, width, size)
    let positions = (0..<height * width).map { ($0 / width, $0 % width) }
    let taps = (0..<size * size).map { ($0 / size - size / 2, $0 % size - size / 2) }
    func angles(_ places: [(Int, Int)]) -> Tensor {
      Tensor(
        positions.flatMap { f in
          places.map { p in
            2 * Double.pi * (Double(f.0 * p.0) / Double(height) + Double(f.1 * p.1) / Double(width))
          }
        }, shape: [positions.count, places.count], dtype: .float64)
    }
    let (grid, window) = (angles(positions), angles(taps))
    (cosines, sines) = (cos(grid).cast(to: dtype), sin(grid).cast(to: dtype))
    (tapCosines, tapSines) = (cos(window).cast(to: dtype), sin(window).cast(to: dtype))
  }

  /// The matrix [[Re, Im], [−Im, Re]] of ŵ for each frequency, [2 channels, 2 channels]. The row (Re x, Im x)
  /// times it is (Re, Im) of x ŵ.
  func matrices(_ weight: Tensor) -> [Tensor] {
    let (positions, channels) = (height * width, weight.shape[-1])
    let flat = weight.reshaped(to: [size * size, channels * channels])
    let re = matmul(tapCosines, flat).reshaped(to: [positions, channels, channels])
    let im = matmul(tapSines, flat).reshaped(to: [positions, channels, channels])
    let all = concatenate(concatenate(re, im, axis: 2), concatenate(-im, re, axis: 2), axis: 1)
    return (0..<positions).map { all[$0] }
  }

  /// Pads an image periodically by half a window, and convolves it.
  func convolved(_ x: Tensor, _ weight: Tensor) -> Tensor {
    let reach = size / 2
    func continued(_ length: Int) -> Tensor {
      Tensor(ints: (0..<length + 2 * reach).map { (($0 - reach) % length + length) % length })
    }
    let wide = x.gathered(continued(height), axis: 1).gathered(continued(width), axis: 2)
    return convolution(wide, weight, padding: .valid)
  }

  /// Inverts the convolution: ŷ[f] = x̂[f] ŵ[f] with x̂[f] = Σ x[p] e^{−2πi f·p / size}.
  func undone(_ y: Tensor, _ matrices: [Tensor]) -> Tensor {
    let (rows, positions, channels) = (y.rows, height * width, y.shape[3])
    // [positions, rows · channels], frequencies in front.
    let flat = y.reshaped(to: [rows, positions, channels]).swappingAxes(0, 1).reshaped(
      to: [positions, rows * channels])
    let re = matmul(cosines, flat).reshaped(to: [positions, rows, channels])
    let im = -matmul(sines, flat).reshaped(to: [positions, rows, channels])
    let both = concatenate(re, im, axis: 2)
    let solved = (0..<positions).map { solve(matrices[$0].transposed(), both[$0].transposed()).transposed() }
    let all = stack(solved)  // [positions, rows, 2 channels]
    func part(_ range: Range<Int>) -> Tensor {
      all.sliced(axis: 2, range).reshaped(to: [positions, rows * channels])
    }
    // The inverse transform's real part: Σ_f (Re cos − Im sin) / positions.
    let x =
      (matmul(cosines, part(0..<channels), transposeA: true)
        - matmul(sines, part(channels..<2 * channels), transposeA: true)) / Double(positions)
    return x.reshaped(to: [positions, rows, channels]).swappingAxes(0, 1).reshaped(to: y.shape)
  }
}
