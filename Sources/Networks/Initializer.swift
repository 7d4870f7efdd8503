import Randomness
import Tensors

/// A rule for drawing initial weights.
///
/// The last two axes of a shape are inputs and outputs. The axes of a convolution's window come before them
/// and multiply both fans. Draws are made in float32, so that a float64 layer starts as the same function.
public struct Initializer: Sendable {
  /// Draws a float32 tensor of a shape from a key.
  public let draw: @Sendable (Key, Shape) -> Tensor

  /// An initializer from a closure.
  public init(draw: @escaping @Sendable (Key, Shape) -> Tensor) { self.draw = draw }

  /// A draw converted to a dtype.
  public func callAsFunction(_ key: Key, _ shape: Shape, dtype: DType = .float32) -> Tensor {
    draw(key, shape).cast(to: dtype)
  }

  /// Zeros.
  public static let zeros = constant(0)
  /// Ones.
  public static let ones = constant(1)
  /// One value everywhere.
  public static func constant(_ value: Double) -> Initializer {
    Initializer { _, shape in .full(shape, value) }
  }
  /// Uniform on an interval.
  public static func uniform(_ range: Range<Double>) -> Initializer {
    Initializer { key, shape in key.uniform(shape, in: range) }
  }
  /// Normal with mean 0.
  public static func normal(standardDeviation: Double) -> Initializer {
    Initializer { key, shape in key.normal(shape) * standardDeviation }
  }

  /// Uniform with variance 2 / (in + out). Glorot & Bengio 2010, eq. 16.
  public static let glorotUniform = uniform { inputs, outputs in 6 / (inputs + outputs) }
  /// Normal with variance 2 / (in + out). Glorot & Bengio 2010.
  public static let glorotNormal = normal { inputs, outputs in 2 / (inputs + outputs) }
  /// Uniform with variance 2 / in, for relu. He et al. 2015, arXiv 1502.01852, eq. 10.
  public static let heUniform = uniform { inputs, _ in 6 / inputs }
  /// Normal with variance 2 / in, for relu. He et al. 2015, arXiv 1502.01852, eq. 10.
  public static let heNormal = normal { inputs, _ in 2 / inputs }
  /// Normal with variance 1 / in. LeCun et al. 1998.
  public static let lecunNormal = normal { inputs, _ in 1 / inputs }
  /// A uniformly random matrix with orthonormal columns, or orthonormal rows if it is wide.
  ///
  /// Axes before the last count as rows. Saxe et al. 2013, arXiv 1312.6120.
  public static func orthogonal(gain: Double = 1) -> Initializer {
    Initializer { key, shape in
      let columns = shape[-1]
      let rows = shape.count / max(columns, 1)
      if rows >= columns { return (qr(key.normal([rows, columns])).q * gain).reshaped(to: shape) }
      return (qr(key.normal([columns, rows])).q.transposed() * gain).reshaped(to: shape)
    }
  }

  /// Uniform on ±√b, where b depends on the numbers of inputs and outputs.
  private static func uniform(squaredBound: @escaping @Sendable (Double, Double) -> Double) -> Initializer {
    Initializer { key, shape in
      let bound = squaredBound(fans(of: shape).inputs, fans(of: shape).outputs).squareRoot()
      return key.uniform(shape, in: -bound..<bound)
    }
  }

  /// Normal with a variance that depends on the numbers of inputs and outputs.
  private static func normal(variance: @escaping @Sendable (Double, Double) -> Double) -> Initializer {
    Initializer { key, shape in
      key.normal(shape) * variance(fans(of: shape).inputs, fans(of: shape).outputs).squareRoot()
    }
  }

  /// The numbers of inputs and outputs that a weight connects, at least 1 each.
  private static func fans(of shape: Shape) -> (inputs: Double, outputs: Double) {
    guard shape.rank >= 2 else { return (Double(max(shape.count, 1)), Double(max(shape.count, 1))) }
    let window = shape.sizes.dropLast(2).reduce(1, *)
    return (Double(max(window * shape[-2], 1)), Double(max(window * shape[-1], 1)))
  }
}
