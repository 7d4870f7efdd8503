import Tensors

// Rounding can put a number on the end of the open set that a layer maps to, or beyond it. The layer then
// returns the nearest number of the dtype inside, so that no layer refuses its own outputs. Unit vectors need
// none: their set has a tolerance.

extension Domain {
  /// Replaces numbers outside the set by the nearest ones inside. The derivative stays that of the outputs.
  package func nearest(_ outputs: Tensor) -> Tensor {
    if values == .reals || outputs.count == 0 { return outputs }
    let raw = outputs.detached
    guard values.isOfSingleNumbers else {
      // A graph leaves such rounding as it is.
      if raw.isSymbolic { return outputs }
      return moved(raw.doubles, raw.dtype).map { replacing(outputs, by: $0) } ?? outputs
    }
    let (least, greatest) = values.ends(raw.dtype)
    if !raw.isSymbolic, ((raw .< least) + (raw .> greatest)).sum().item == 0 { return outputs }
    return replacing(outputs, by: minimum(maximum(raw, least), greatest))
  }

  /// Moves numbers that are exactly on an end of the open set to the nearest number inside.
  package func opened(_ x: Tensor) -> Tensor {
    if values == .reals || !values.isOfSingleNumbers || x.count == 0 { return x }
    let (raw, (least, greatest)) = (x.detached, values.ends(x.dtype))
    let isEnd = (raw .== x.dtype.nextDown(least)) + (raw .== x.dtype.nextUp(greatest))
    if !raw.isSymbolic, isEnd.sum().item == 0 { return x }
    return replacing(x, by: select(where: isEnd, minimum(maximum(raw, least), greatest), raw))
  }

  /// The numbers of `inside` with the derivative of `outputs`. Numbers that do not change keep their bits.
  private func replacing(_ outputs: Tensor, by inside: Tensor) -> Tensor {
    let raw = outputs.detached
    let isMoved = (inside .< raw) + (inside .> raw)
    let isInfinite = (raw .== .infinity) + (raw .== -.infinity)
    // The difference is 0. It carries the derivative.
    let finite = select(where: isInfinite, 0, outputs)
    return select(where: isMoved, (finite - finite.detached) + inside, outputs)
  }

  /// The nearest samples of a set that restricts whole vectors; nil if all are allowed.
  private func moved(_ numbers: [Double], _ dtype: DType) -> Tensor? {
    let width = max(shape[-1], 1)
    var (moved, isMoved) = (numbers, false)
    func move(_ i: Int, to number: Double) {
      moved[i] = number
      isMoved = true
    }
    for i in numbers.indices {
      switch values {
      case .ordered:
        if i % width > 0, moved[i] <= moved[i - 1] { move(i, to: dtype.nextUp(moved[i - 1])) }
      case .simplex:
        if numbers[i] <= 0 { move(i, to: dtype.nextUp(0)) }
      case .correlationCholesky:
        // Squares of smaller numbers vanish even if they are scaled.
        let isDiagonal = i % width == i / width % width
        if isDiagonal, numbers[i] < dtype.leastNormal { move(i, to: dtype.leastNormal) }
      default: break
      }
    }
    return isMoved
      ? Tensor(moved, shape: shape.batched(numbers.count / max(shape.count, 1)), dtype: dtype) : nil
  }

  /// A body whose outputs lie in this set.
  func holding(_ body: @escaping Mapping.Body) -> Mapping.Body {
    if values == .reals { return body }
    return { (params, x, context) throws(FlowError) in
      let (outputs, logDet) = try body(params, x, context)
      return (nearest(outputs), logDet)
    }
  }

  /// The same set with ends that the dtype has.
  func rounded(to dtype: DType) -> Domain { Domain(shape, values.rounded(to: dtype)) }
}

extension Domain.Values {
  /// The same set with ends that the dtype has.
  func rounded(to dtype: DType) -> Domain.Values {
    guard case .interval(let a, let b) = self else { return self }
    return .interval(dtype.rounded(a), dtype.rounded(b))
  }

  /// The least and the greatest finite number of a dtype in a set that restricts each number by itself.
  func ends(_ dtype: DType) -> (least: Double, greatest: Double) {
    let all = dtype.greatestFinite
    switch self {
    case .positive: return (dtype.nextUp(0), all)
    case .nonNegative: return (0, all)
    case .unitInterval: return (dtype.nextUp(0), dtype.nextDown(1))
    case .interval(let a, let b): return (max(dtype.nextUp(a), -all), min(dtype.nextDown(b), all))
    default: return (-all, all)
    }
  }
}
