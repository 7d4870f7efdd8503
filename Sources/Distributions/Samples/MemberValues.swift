import Tensors

/// The values of a function at every member of a set of parameters: their mean, and a band around it.
///
/// ```swift
/// let shares = try samples.evaluate { params in
///   try binShares(of: sample(Key(1), params, count: 100_000), edges: edges)
/// }
/// let (lower, upper) = shares.band(0.68)
/// ```
///
/// All members count by their weights. Where a posterior's draws are the members, a band holds the posterior
/// probability of each value by itself.
public struct MemberValues: Sendable {
  /// The values, `[members]` + the shape of one.
  public let values: Tensor
  /// The weights of the members.
  public let weights: [Double]

  /// Σ w v, in float64.
  public var mean: Tensor { weighted(values.cast(to: .float64)) }
  /// Σ w (v − mean)², in float64: the epistemic variance. NaN where a value is infinite.
  public var variance: Tensor { weighted(square(values.cast(to: .float64) - mean)) }
  /// The square root of the variance.
  public var deviation: Tensor { sqrt(variance) }

  /// The value below which a share of the members' weight lies, for each element, in float64.
  ///
  /// Member k in rising order stands at the middle of its weight. Between two members the value is
  /// interpolated, outside it is that of the end. Of equal weights this is Hazen's rule. NaN gives NaN.
  ///
  /// - Precondition: a share in 0...1.
  public func quantile(_ share: Double) -> Tensor {
    require((0...1).contains(share), "a quantile takes a share in 0...1, got \(share)")
    let (count, size) = (weights.count, values.shape.sample.count)
    let all = values.doubles
    let result = (0..<size).map { element -> Double in
      let own = (0..<count).map { all[$0 * size + element] }
      return own.contains(where: \.isNaN) ? .nan : quantile(share, of: own)
    }
    return Tensor(doubles: result, shape: values.shape.sample)
  }

  /// The central band that holds a share of the members' weight: the quantiles at (1 ± share) / 2.
  ///
  /// - Precondition: a share in 0...1.
  public func band(_ share: Double) -> (lower: Tensor, upper: Tensor) {
    (quantile((1 - share) / 2), quantile((1 + share) / 2))
  }

  private func quantile(_ share: Double, of values: [Double]) -> Double {
    var (below, last) = (0.0, (place: -Double.infinity, value: -Double.infinity))
    for k in values.indices.sorted(by: { values[$0] < values[$1] }) {
      let place = below + weights[k] / 2
      if place >= share {
        let part = (share - last.place) / (place - last.place)
        // At an infinite distance or an equal value there is nothing to interpolate.
        guard last.place.isFinite, values[k] != last.value else { return values[k] }
        return part >= 1 ? values[k] : last.value + part * (values[k] - last.value)
      }
      (below, last) = (below + weights[k], (place, values[k]))
    }
    return last.value
  }

  private func weighted(_ values: Tensor) -> Tensor {
    weights.indices.dropFirst().reduce(weights[0] * values[0]) { $0 + weights[$1] * values[$1] }
  }
}

extension ParameterSamples {
  /// Evaluates a function of the parameters at every member.
  ///
  /// - Throws: the errors of the function; `FlowError.mismatch` for values of different shapes.
  public func evaluate(_ function: (_ params: Params) throws -> Tensor) throws -> MemberValues {
    let values = try members.map(function)
    for value in values where value.shape != values[0].shape || value.dtype != values[0].dtype {
      throw FlowError.mismatch(
        who: "evaluate", what: "values of all members", expected: "of one shape and dtype",
        got: "\(values[0].shape) \(values[0].dtype) and \(value.shape) \(value.dtype)")
    }
    return MemberValues(values: stack(values), weights: weights)
  }
}
