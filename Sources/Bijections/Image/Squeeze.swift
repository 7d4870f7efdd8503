import Randomness
import Tensors

/// Turns positions into channels. Each axis of positions halves, and n axes give 2ⁿ times the channels.
///
/// Map: by the `SqueezePattern`, for samples [positions..., channels] with one to four axes of positions. The
/// new channels are ordered by (bit of the first axis, ..., bit of the last axis, old channel).
///
/// log|det J| = 0: a permutation, or an orthogonal transform for wavelets. Inverse: `Unsqueeze`. O(D),
/// or O(l D) per axis for a filter of length l.
///
/// No parameters. Domain: all reals. Errors: `mismatch` for a sample without positions or with an odd number
/// of them.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, section 3.6.
public struct Squeeze: Bijection {
  /// The pattern of the positions that are joined.
  public let pattern: SqueezePattern

  /// Makes a squeeze, by default of neighbours as in RealNVP and Glow.
  public init(_ pattern: SqueezePattern = .checkerboard) { self.pattern = pattern }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let sizes = site.inputDim.sizes.dropLast()
    try site.expect(
      !sizes.isEmpty && sizes.allSatisfy { $0 % 2 == 0 }, "Squeeze",
      "a sample [positions..., channels] with", "even numbers of positions")
    let pattern = pattern
    return site.volumePreserving("Squeeze", to: Domain(SqueezePattern.halved(site.inputDim))) { _, x, _ in
      pattern.squeezed(x)
    } inverse: { _, y, _ in
      pattern.unsqueezed(y)
    }
  }
}

/// Turns channels into positions: the inverse of `Squeeze`.
///
/// Map: twice as many positions along each axis, 2⁻ⁿ times the channels. log|det J| = 0. Inverse: `Squeeze`.
/// Cost: its.
///
/// No parameters. Domain: all reals. Errors: `mismatch` when the channels are no multiple of 2ⁿ.
public struct Unsqueeze: Bijection {
  /// The pattern of the positions that are separated.
  public let pattern: SqueezePattern

  /// Makes the inverse of a squeeze.
  public init(_ pattern: SqueezePattern = .checkerboard) { self.pattern = pattern }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (axes, parts) = (site.inputDim.rank - 1, 1 << (site.inputDim.rank - 1))
    try site.expect(
      axes > 0 && site.channels % parts == 0, "Unsqueeze", "a sample [positions..., channels] with",
      "a multiple of \(parts) channels")
    var inner = site
    inner.inputDim = SqueezePattern.doubled(site.inputDim)
    let (params, squeeze, unsqueeze) = try Squeeze(pattern).initialize(key, at: inner)
    return (params, unsqueeze.named("Unsqueeze"), squeeze.named("Unsqueeze"))
  }
}

/// The pattern of positions that a squeeze joins into one.
public struct SqueezePattern: Sendable, Hashable {
  enum Rule: Sendable, Hashable {
    case checkerboard, patch, column
    case wavelet(Wavelet)
  }
  let rule: Rule

  /// Neighbours: positions 2i and 2i + 1 of each axis.
  public static let checkerboard = SqueezePattern(rule: .checkerboard)
  /// Quadrants: positions i and i + size/2 of each axis.
  public static let patch = SqueezePattern(rule: .patch)
  /// A reshape: the numbers keep their row-major order.
  public static let column = SqueezePattern(rule: .column)
  /// Averages and differences of neighbours, orthonormal: the Haar wavelet.
  public static let haar = wavelet(.haar)
  /// One level of an orthogonal wavelet transform, periodic at the borders: low-pass and high-pass parts of
  /// each axis.
  public static func wavelet(_ wavelet: Wavelet) -> SqueezePattern { SqueezePattern(rule: .wavelet(wavelet)) }
}

extension SqueezePattern {
  /// The shape of a sample after a squeeze.
  static func halved(_ shape: Shape) -> Shape {
    Shape(shape.sizes.dropLast().map { $0 / 2 } + [shape[-1] << (shape.rank - 1)])
  }

  /// The shape of a sample before a squeeze.
  static func doubled(_ shape: Shape) -> Shape {
    Shape(shape.sizes.dropLast().map { 2 * $0 } + [shape[-1] >> (shape.rank - 1)])
  }

  /// Squeezes a batch [rows, positions..., channels], axis by axis, the last one first: [.., 2n, .., c] to
  /// [.., n, .., 2c].
  package func squeezed(_ x: Tensor) -> Tensor {
    let shape = x.shape.sample
    if rule == .column { return x.reshaped(to: SqueezePattern.halved(shape).batched(x.rows)) }
    return (1..<shape.rank).reversed().reduce(x) { x, axis in
      let halves = halves(of: x, axis: axis)
      return concatenate(halves.low, halves.high, axis: -1)
    }
  }

  /// Unsqueezes a batch.
  package func unsqueezed(_ y: Tensor) -> Tensor {
    let shape = y.shape.sample
    if rule == .column { return y.reshaped(to: SqueezePattern.doubled(shape).batched(y.rows)) }
    return (1..<shape.rank).reduce(y) { y, axis in
      joined(y.block(0, of: 2), y.block(1, of: 2), axis: axis)
    }
  }

  private func halves(of x: Tensor, axis: Int) -> (low: Tensor, high: Tensor) {
    let size = x.shape[axis]
    switch rule {
    case .checkerboard, .column:
      return (x.sliced(axis: axis, 0..<size, step: 2), x.sliced(axis: axis, 1..<size, step: 2))
    case .patch: return (x.sliced(axis: axis, 0..<size / 2), x.sliced(axis: axis, size / 2..<size))
    case .wavelet(let wavelet): return wavelet.analysis(x, axis: axis)
    }
  }

  private func joined(_ low: Tensor, _ high: Tensor, axis: Int) -> Tensor {
    switch rule {
    case .checkerboard, .column: interleaved(low, high, axis: axis)
    case .patch: concatenate(low, high, axis: axis)
    case .wavelet(let wavelet): wavelet.synthesis(low, high, axis: axis)
    }
  }
}

/// Interleaves two tensors along an axis: entries 2i from `even`, and 2i + 1 from `odd`.
func interleaved(_ even: Tensor, _ odd: Tensor, axis: Int) -> Tensor {
  let (shape, inner) = (even.shape, even.shape.sizes[(axis + 1)...].reduce(1, *))
  let flat = Shape([even.count / max(shape[axis] * inner, 1) * shape[axis], 1, inner])
  let both = concatenate([even.reshaped(to: flat), odd.reshaped(to: flat)], axis: 1)
  return both.reshaped(to: shape.replacing(axis, by: 2 * shape[axis]))
}
