import Tensors

extension Domain {
  /// The allowed difference of a sum or a length from 1: in float32 many rounded numbers add up.
  private static let tolerance = 1e-4

  /// The position of the first number that breaks a condition on a whole vector or matrix, such as a sum of
  /// 1. NaN counts as allowed: it stays in its row.
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
    case .unitVectors:
      return firstOff { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    case .positiveDefinite:
      let rows = Tensor(numbers, shape: shape.batched(numbers.count / max(shape.count, 1)), dtype: .float64)
      return misplaced(rows).doubles.firstIndex { $0 > 0 }
    default:
      return nil
    }
  }

  /// Marks rows with a value that is not allowed by 1, others by 0. Returns nil if all rows are allowed. NaN
  /// counts as allowed.
  func rowsOutside(_ x: Tensor) -> Tensor? {
    if values.isOfSingleNumbers {
      let isExcluded = values.excluded(x.detached)
      if x.isSymbolic { return isExcluded.sumPerRow() .> 0 }
      return isExcluded.sum().item == 0 ? nil : isExcluded.sumPerRow() .> 0
    }
    if x.isSymbolic { return misplaced(x.detached).sumPerRow() .> 0 }
    let (numbers, size) = (x.detached.doubles, max(shape.count, 1))
    func isOutside(_ row: ArraySlice<Double>) -> Bool {
      row.contains(where: values.excludes) || firstMisplaced(Array(row)) != nil
    }
    if !isOutside(numbers[...]) { return nil }
    let rows = stride(from: 0, to: numbers.count, by: size).map {
      isOutside(numbers[$0..<$0 + size]) ? 1.0 : 0
    }
    return Tensor(rows, dtype: x.dtype)
  }

  /// The same conditions on whole vectors or matrices for a graph: a number above 0 for each that is broken.
  private func misplaced(_ x: Tensor) -> Tensor {
    let (last, width) = (x.rank - 1, shape[-1])
    func isOff(_ measure: Tensor) -> Tensor { abs(measure - 1) .> Domain.tolerance }
    switch values {
    case .ordered:
      return width < 2
        ? .zeros(x.shape, dtype: x.dtype)
        : x.sliced(axis: last, 1..<width) .<= x.sliced(axis: last, 0..<width - 1)
    case .simplex: return isOff(x.sum(axis: last, keepDims: true)) + (x .<= 0)
    case .correlationCholesky:
      let above = Triangle.strictlyUpper.mask(width, width, dtype: x.dtype) * (x .!= 0) * (x .== x)
      let diagonal = Tensor.identity(width, dtype: x.dtype) * (x .<= 0)
      return isOff(square(x).sum(axis: last, keepDims: true)) + above + diagonal
    case .unitVectors: return isOff(square(x).sum(axis: last, keepDims: true))
    case .positiveDefinite:
      let mirrored = x.transposed()
      let isSkew = abs(x - mirrored) .> Domain.tolerance * (abs(x) + abs(mirrored))
      let pivots = CholeskyColumns(of: x).pivots
      return isSkew + (pivots .<= 0).expanded(axis: 1) * .ones([1, width, 1], dtype: x.dtype)
    default: return .zeros(x.shape, dtype: x.dtype)
    }
  }

  /// One allowed sample.
  func member(dtype: DType) -> Tensor {
    let width = shape[-1]
    return switch values {
    case .reals, .nonNegative: .zeros(shape, dtype: dtype)
    case .positive: .ones(shape, dtype: dtype)
    case .unitInterval: .full(shape, 0.5, dtype: dtype)
    case .interval(let a, let b):
      .full(
        shape,
        a == -.infinity ? b - max(1, abs(b)) : b == .infinity ? a + max(1, abs(a)) : a / 2 + b / 2,
        dtype: dtype)
    case .ordered: Tensor((0..<width).map(Double.init), dtype: dtype).broadcast(to: shape)
    case .simplex: .full(shape, 1 / Double(width), dtype: dtype)
    case .correlationCholesky, .positiveDefinite: .identity(width, dtype: dtype)
    case .unitVectors: Tensor((0..<width).map { $0 == 0 ? 1 : 0 }, dtype: dtype).broadcast(to: shape)
    }
  }
}

extension Domain.Values {
  /// Marks numbers that are not allowed by 1 or more, others by 0, in a set of single numbers.
  fileprivate func excluded(_ x: Tensor) -> Tensor {
    switch self {
    case .positive: x .<= 0
    case .nonNegative: x .< 0
    case .unitInterval: (x .<= 0) + (x .>= 1)
    case .interval(let a, let b): (x .<= a) + (x .>= b)
    default: .zeros(x.shape, dtype: x.dtype)
    }
  }
}
