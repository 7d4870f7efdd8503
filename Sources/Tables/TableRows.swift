import Randomness
import Tensors

/// The encoded rows of a table.
public struct TableRows: Sendable {
  /// The code of each column that has codes, [rows, codes] in float64.
  package let codes: Tensor
  /// The low and then the high ends of the cells of real numbers, [rows, 2 · numbers] in float64.
  ///
  /// Equal ends are a number with a density. An absent number has 1 and −1.
  package let intervals: Tensor
  /// The logarithm of the cells' lengths, or of the map's slope, summed per row.
  package let logScale: Tensor

  /// The number of rows.
  public var count: Int { codes.rows }

  /// Some of the rows.
  package func rows(_ indices: [Int]) -> TableRows {
    TableRows(
      codes: codes.rows(indices), intervals: intervals.rows(indices), logScale: logScale.rows(indices))
  }
}

extension TableRows {
  /// Real numbers [rows, n] of cells [rows, 2n]: uniform in each cell, and standard normal for absent ones.
  package static func numbers(_ key: Key, in intervals: Tensor) -> Tensor {
    let n = intervals.shape[1] / 2
    let shape = Shape(intervals.rows, n)
    return numbers(
      in: intervals, uniform: key.folded(in: 0).uniform(shape, dtype: intervals.dtype),
      normal: key.folded(in: 1).normal(shape, dtype: intervals.dtype))
  }

  /// The same numbers with noise that depends on each row alone, so that a row has the same score in all
  /// tables.
  static func numbersByContent(_ key: Key, in intervals: Tensor) -> Tensor {
    let (n, numbers) = (intervals.shape[1] / 2, intervals.doubles)
    var (uniform, normal): ([Double], [Double]) = ([], [])
    for start in stride(from: 0, to: numbers.count, by: 2 * n) {
      // FNV-1a of 64 bits, over the numbers' bit patterns.
      let hash = numbers[start..<start + 2 * n].reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
        ($0 ^ $1.bitPattern) &* 0x100_0000_01b3
      }
      let own = key.folded(in: Int(bitPattern: UInt(hash)))
      uniform += own.folded(in: 0).uniform([n]).doubles
      normal += own.folded(in: 1).normal([n]).doubles
    }
    let shape = Shape(intervals.rows, n)
    return self.numbers(
      in: intervals, uniform: Tensor(uniform, shape: shape, dtype: intervals.dtype),
      normal: Tensor(normal, shape: shape, dtype: intervals.dtype))
  }

  private static func numbers(in intervals: Tensor, uniform: Tensor, normal: Tensor) -> Tensor {
    let n = intervals.shape[1] / 2
    let (low, high) = (intervals.sliced(axis: 1, 0..<n), intervals.sliced(axis: 1, n..<2 * n))
    return select(where: high .< low, normal, low + (high - low) * uniform)
  }

  /// The log-density of the noise in place of absent numbers, summed per row in float64.
  static func logNoise(_ numbers: Tensor, in intervals: Tensor) -> Tensor {
    let n = intervals.shape[1] / 2
    let isAbsent = intervals.sliced(axis: 1, n..<2 * n) .< intervals.sliced(axis: 1, 0..<n)
    let density = -0.5 * square(numbers.cast(to: .float64)) - 0.91893853320467274
    return select(where: isAbsent.cast(to: .float64), density, 0).sumPerRow()
  }
}
