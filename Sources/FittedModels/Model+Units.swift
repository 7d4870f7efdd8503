import Tensors

/// Parameters in the data's units.
extension Model {
  /// The parameters for standardized rows, with a standardization that changes nothing.
  package func innerParams() throws(FlowError) -> Params {
    try Model.replacing(
      params, count: members.count, isStandardized, mean: .zeros([width], dtype: dtype),
      deviation: .ones([width], dtype: dtype))
  }

  /// The parameters of a mixture of `count` flows with another standardization, if there is one.
  package static func replacing(
    _ params: Params, count: Int, _ isStandardized: Bool, mean: Tensor, deviation: Tensor
  ) throws(FlowError) -> Params {
    if !isStandardized { return params }
    var params = params
    for place in standardizations(count) {
      params = try params.replacing(place + "/mean", by: .frozen(mean))
      params = try params.replacing(place + "/deviation", by: .frozen(deviation))
    }
    return params
  }

  /// The standardization in a tree; nil if the members differ in it, or its numbers are none.
  package static func standardization(in params: Params, count: Int) -> Scales? {
    let all = standardizations(count).map { place in
      Scales(
        mean: params[path: place + "/mean"]?.value?.doubles ?? [.nan],
        deviation: params[path: place + "/deviation"]?.value?.doubles ?? [.nan])
    }
    return all.allSatisfy { $0 == all[0] } ? all[0] : nil
  }

  /// The paths of the members' standardizations.
  private static func standardizations(_ count: Int) -> [String] {
    (0..<count).map { (count == 1 ? "" : "components/\($0)/") + "bijection/0" }
  }
}

extension Scales {
  /// Rows rounded to a decimal place, seven digits or more below each column's deviation.
  package func rounded(_ rows: Tensor) -> Tensor {
    let factors = deviation.indices.map { i -> Double in
      // A log's column has no place of its own.
      let digits = 7 - exponentOfTen(deviation[i])
      return logs[i] || digits > 300 || digits < -300 ? 0 : powerOfTen(digits)
    }
    if factors.allSatisfy({ $0 == 0 }) { return rows }
    let (width, numbers) = (factors.count, rows.doubles)
    let result = numbers.indices.map { i -> Double in
      let (number, factor) = (numbers[i], factors[i % width])
      let scaled = number * factor
      guard factor > 0, scaled.isFinite else { return number }
      // A power of ten above 1 is exact up to 10²², so the quotient is the decimal number nearest to it.
      return factor >= 1 ? scaled.rounded() / factor : (scaled.rounded() * (1 / factor)).rounded()
    }
    return Tensor(doubles: result, shape: rows.shape)
  }
}

/// The exponent n of the largest power 10ⁿ that is at most a positive number.
private func exponentOfTen(_ number: Double) -> Int {
  var (n, power) = (0, 1.0)
  while power * 10 <= number, n < 308 { (n, power) = (n + 1, power * 10) }
  while power > number, n > -308 { (n, power) = (n - 1, power / 10) }
  return n
}

private func powerOfTen(_ n: Int) -> Double {
  let power = (0..<abs(n)).reduce(1.0) { product, _ in product * 10 }
  return n < 0 ? 1 / power : power
}
