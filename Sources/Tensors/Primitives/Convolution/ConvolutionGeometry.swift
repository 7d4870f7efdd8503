/// The positions of the taps of a convolution.
///
/// Along each axis, output position p and tap k meet input position p · stride + k − padding. "Large" is the
/// side of the input and "small" that of the output; a transposed convolution goes from small to large. There
/// are always three axes. Missing ones come first and have size 1.
struct ConvolutionGeometry: Sendable {
  /// One axis.
  struct Axis: Sendable {
    let large, small, window, stride, padding: Int

    static let absent = Axis(large: 1, small: 1, window: 1, stride: 1, padding: 0)

    /// The taps of an output position that lie within the input.
    @inline(__always) func taps(at position: Int) -> Range<Int> {
      let first = position * stride - padding
      let lower = min(max(0, -first), window)
      return lower..<max(lower, min(window, large - first))
    }

    var isFlippable: Bool { stride == 1 && padding < window && padding >= 0 }
    /// The axis with small and large exchanged.
    ///
    /// Input position q meets output position q + k′ − padding′ for the tap k′ = window − 1 − k, where
    /// padding′ = window − 1 − padding.
    var flipped: Axis {
      Axis(large: small, small: large, window: window, stride: 1, padding: window - 1 - padding)
    }
  }

  let axes: (Axis, Axis, Axis)
  /// The number of axes that the tensors have.
  let rank: Int

  init(_ present: [Axis]) {
    let padded = [Axis](repeating: .absent, count: 3 - present.count) + present
    axes = (padded[0], padded[1], padded[2])
    rank = present.count
  }

  private var present: [Axis] { Array([axes.0, axes.1, axes.2].suffix(rank)) }
  var largeSizes: [Int] { present.map(\.large) }
  var smallSizes: [Int] { present.map(\.small) }
  var windowSizes: [Int] { present.map(\.window) }

  var largeCount: Int { axes.0.large * axes.1.large * axes.2.large }
  var smallCount: Int { axes.0.small * axes.1.small * axes.2.small }
  /// The number of taps of a window.
  var taps: Int { axes.0.window * axes.1.window * axes.2.window }

  /// Whether each position meets only itself, so that the convolution is a product with a matrix.
  var isPointwise: Bool {
    taps == 1 && present.allSatisfy { $0.stride == 1 && $0.padding == 0 && $0.large == $0.small }
  }
  /// Whether large and small can be exchanged by reversing the taps.
  var isFlippable: Bool { present.allSatisfy(\.isFlippable) }
  var flipped: ConvolutionGeometry { ConvolutionGeometry(present.map(\.flipped)) }

  /// Visits some output positions, which are numbered through all samples.
  ///
  /// It calls `clip` for a position with taps outside the input, then `run` for each run of taps that meet
  /// neighbouring input positions.
  @inline(__always)
  func visit(
    _ positions: Range<Int>, clip: (_ row: Int) -> Void,
    run: (_ row: Int, _ tap: Int, _ position: Int, _ count: Int) -> Void
  ) {
    let (a, b, c) = axes
    if positions.isEmpty { return }
    let (line, slab) = (c.small, c.small * b.small)
    let first = positions.lowerBound
    var (p, q, r) = (first % line, first / line % b.small, first / slab % a.small)
    var sample = first / (slab * a.small)
    for row in 0..<positions.count {
      let (slabs, lines, cells) = (a.taps(at: r), b.taps(at: q), c.taps(at: p))
      if slabs.count < a.window || lines.count < b.window || cells.count < c.window { clip(row) }
      if !cells.isEmpty {
        for i in slabs {
          let slab = sample * a.large + r * a.stride + i - a.padding
          for j in lines {
            let line = slab * b.large + q * b.stride + j - b.padding
            run(
              row, (i * b.window + j) * c.window + cells.lowerBound,
              line * c.large + p * c.stride + cells.lowerBound - c.padding, cells.count)
          }
        }
      }
      p += 1
      if p == c.small { (p, q) = (0, q + 1) }
      if q == b.small { (q, r) = (0, r + 1) }
      if r == a.small { (r, sample) = (0, sample + 1) }
    }
  }
}
