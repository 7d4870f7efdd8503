import Tensors

extension Domain {
  /// How far a sum or a length may be from 1: data in float32 are sums of many rounded numbers.
  private static let tolerance = 1e-4

  /// The position of the first number that does not fit those beside it, where values are allowed as vectors or as
  /// matrices only. NaN fits: it stays in its row.
  func firstMisplaced(_ numbers: [Double]) -> Int? {
    let width = max(shape[-1], 1)
    let starts = stride(from: 0, to: numbers.count, by: width)
    func firstOff(_ measure: (ArraySlice<Double>) -> Double) -> Int? {
      starts.first { abs(measure(numbers[$0..<$0 + width]) - 1) > Domain.tolerance }
    }
    switch values {
    case .ordered:
      return numbers.indices.first { $0 % width > 0 && numbers[$0] <= numbers[$0 - 1] }
    case .simplex:
      return firstOff { $0.reduce(0, +) }
    case .correlationCholesky:
      let wrong = numbers.indices.first { position in
        let (row, column) = (position / width % width, position % width)
        return column > row && numbers[position] != 0 && !numbers[position].isNaN
          || column == row && numbers[position] <= 0
      }
      return wrong ?? firstOff { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    default:
      return nil
    }
  }
}
