import Bijections
import Randomness
import Tensors

/// The effect of rounding on results, so that a check allows what no algorithm avoids.
///
/// All inputs, learned parameters and contexts change by random amounts of a small multiple of the precision.
/// An algorithm that is stable in the backward sense errs by about the change of the exact results. The
/// changes are computed in float64, relative to each number; where a number may be 0, relative to
/// max(1, |number|).
struct Conditioning {
  let mapping: Mapping
  let params: Params
  let inputs: Tensor
  let context: Tensor?
  /// The largest relative change.
  private let step: Double
  private let key: Key

  /// The conditioning of a float64 mapping, as far as arithmetic in a dtype is concerned.
  init(
    of dtype: DType, _ mapping: Mapping, _ params: Params, _ inputs: Tensor, _ context: Tensor?, _ key: Key
  ) {
    (self.mapping, self.params, self.inputs, self.context) = (mapping, params, inputs, context)
    step = Self.factor * (dtype == .float64 ? 0x1p-53 : 0x1p-24)
    self.key = key
  }

  private static let factor = 128.0
  /// The allowed error of a result of size 1 in float64.
  static let unit = factor * 0x1p-53

  /// The allowed error in each row of results, `[rows, ...]`, that a function computes in float64. It is
  /// infinite where the result near a row is not finite.
  ///
  /// - Parameter groups: the number of equal parts of the results that share an allowance; nil: one per row.
  func allowance(
    groups: Int? = nil,
    _ results: (_ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?) throws -> Tensor
  ) rethrows -> [Double] {
    let isReal = mapping.domain.values == .reals
    let base = try results(mapping, params, inputs, context)
    var largest = [Double](repeating: 0, count: groups ?? inputs.rows)
    if base.count == 0 { return largest }
    // The same change both ways: where a result jumps, one of the two crosses.
    for trial in 0..<6 {
      let (sign, key) = (trial % 2 == 0 ? 1.0 : -1, key.folded(in: trial / 2))
      func moved(_ a: Tensor, _ i: Int, isReal: Bool = true) -> Tensor {
        let noise = key.folded(in: i).normal(a.shape, dtype: a.dtype)
        return a + sign * step * (isReal ? maximum(abs(a), 1) : abs(a)) * noise
      }
      var leaf = 1
      let nearby = params.mapLearned { tensor in
        leaf += 1
        return moved(tensor, leaf)
      }
      let other = try results(
        mapping, nearby, moved(inputs, 0, isReal: isReal), context.map { moved($0, 1) })
      let changes = abs(other - base).reshaped(to: [largest.count, base.count / largest.count])
      for (i, change) in changes.max(axis: 1).doubles.enumerated() {
        largest[i] = max(largest[i], change.isNaN ? .infinity : 2 * change)
      }
    }
    return largest
  }

  /// Marks rows whose outputs rounding changes by more than a thousandth: nothing is known there.
  func undeterminedRows() throws -> [Bool] {
    let y = try mapping.results(params, inputs, context).outputs
    let sizes = abs(y).reshaped(to: [y.rows, max(y.shape.sample.count, 1)]).max(axis: 1).doubles
    let allowances = try allowance { (mapping, params, x, context) throws in
      try mapping.results(params, x, context).outputs
    }
    return zip(allowances, sizes).map { !($0 <= 1e-3 * max(1, $1)) }
  }
}
