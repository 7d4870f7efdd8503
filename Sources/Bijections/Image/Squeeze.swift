import Randomness
import Tensors

/// Positions become channels: half as many of them along each axis, 2ⁿ times the channels for n axes of positions.
///
/// Map: what `SqueezePattern` says, for samples [positions..., channels] with one to four axes of positions. Channels of the
/// outcome count in the order (bit of the first axis, ..., bit of the last axis, old channel).
///
/// log|det J| = 0: a permutation, or an orthogonal transform for wavelets. Inverse: `Unsqueeze`. O(D), for a filter of length
/// l O(l D) an axis.
///
/// No parameters. Domain: all reals. Errors: `mismatch` for a sample without positions or with an odd number of them.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, section 3.6.
public struct Squeeze: Bijection {
  /// Which positions meet in one.
  public let pattern: SqueezePattern

  /// A squeeze, by default of neighbours (RealNVP's and Glow's).
  public init(_ pattern: SqueezePattern = .checkerboard) { self.pattern = pattern }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try pattern.layer("Squeeze", large: site.inputDim, isSqueeze: true, at: site)
  }
}

/// Channels become positions: the inverse of `Squeeze`.
///
/// Map: twice as many positions along each axis, 2⁻ⁿ times the channels. log|det J| = 0. Inverse: `Squeeze`. Cost: its.
///
/// No parameters. Domain: all reals. Errors: `mismatch` when the channels are no multiple of 2ⁿ.
public struct Unsqueeze: Bijection {
  /// Where channels go.
  public let pattern: SqueezePattern

  /// An unsqueeze.
  public init(_ pattern: SqueezePattern = .checkerboard) { self.pattern = pattern }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (sizes, parts) = (site.inputDim.sizes.dropLast(), 1 << (site.inputDim.rank - 1))
    if sizes.isEmpty || site.channels % parts != 0 {
      throw .mismatch(
        who: "Unsqueeze", what: "a sample [positions..., channels] with",
        expected: "a multiple of \(parts) channels",
        got: "\(site.inputDim)")
    }
    let large = Shape(sizes.map { 2 * $0 } + [site.channels / parts])
    return try pattern.layer("Unsqueeze", large: large, isSqueeze: false, at: site)
  }
}

/// Which positions a squeeze puts together.
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
  /// Numbers in row-major order, cut anew: no number moves.
  public static let column = SqueezePattern(rule: .column)
  /// Averages and differences of neighbours, orthonormal: the Haar wavelet.
  public static let haar = wavelet(.haar)
  /// One level of an orthogonal wavelet transform, periodic at the borders: low-pass and high-pass parts of each axis.
  public static func wavelet(_ wavelet: Wavelet) -> SqueezePattern { SqueezePattern(rule: .wavelet(wavelet)) }
}

extension SqueezePattern {
  /// Both directions, for the shape before a squeeze.
  fileprivate func layer(
    _ name: String, large: Shape, isSqueeze: Bool, at site: Site
  ) throws(FlowError) -> Initialized {
    let sizes = large.sizes.dropLast()
    if sizes.isEmpty || sizes.contains(where: { $0 % 2 != 0 }) {
      throw .mismatch(
        who: name, what: "a sample [positions..., channels] with", expected: "even numbers of positions",
        got: "\(large)")
    }
    let small = Shape(sizes.map { $0 / 2 } + [large[-1] << sizes.count])
    let (down, up): (Site.Function, Site.Function) = (
      { _, x, _ in squeezed(x) }, { _, y, _ in unsqueezed(y) }
    )
    return isSqueeze
      ? site.volumePreserving(name, to: Domain(small), forward: down, inverse: up)
      : site.volumePreserving(name, to: Domain(large), forward: up, inverse: down)
  }

  /// A batch [rows, positions..., channels] squeezed. Axis by axis, the last one first: [.., 2n, .., c] to [.., n, .., 2c].
  package func squeezed(_ x: Tensor) -> Tensor {
    let shape = x.shape.sample
    let axes = shape.rank - 1
    if rule == .column {
      return x.reshaped(
        to: Shape([x.rows] + shape.sizes.dropLast().map { $0 / 2 } + [shape[-1] << axes]))
    }
    return (1...axes).reversed().reduce(x) { x, axis in
      let halves = halves(of: x, axis: axis)
      return concatenate(halves.low, halves.high, axis: -1)
    }
  }

  /// The other way.
  package func unsqueezed(_ y: Tensor) -> Tensor {
    let shape = y.shape.sample
    let axes = shape.rank - 1
    if rule == .column {
      return y.reshaped(to: Shape([y.rows] + shape.sizes.dropLast().map { 2 * $0 } + [shape[-1] >> axes]))
    }
    return (1...axes).reduce(y) { y, axis in
      let width = y.shape[-1] / 2
      return joined(y.sliced(axis: -1, 0..<width), y.sliced(axis: -1, width..<2 * width), axis: axis)
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

/// Entries 2i from one tensor and 2i + 1 from another.
func interleaved(_ even: Tensor, _ odd: Tensor, axis: Int) -> Tensor {
  let (shape, inner) = (even.shape, even.shape.sizes[(axis + 1)...].reduce(1, *))
  let flat = Shape([even.count / max(shape[axis] * inner, 1) * shape[axis], 1, inner])
  let both = concatenate([even.reshaped(to: flat), odd.reshaped(to: flat)], axis: 1)
  return both.reshaped(to: shape.replacing(axis, by: 2 * shape[axis]))
}
