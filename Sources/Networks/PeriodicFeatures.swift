import Randomness
import Tensors

/// A network that sees the sines and cosines of angles, so that its outputs have their period.
///
/// Some inputs x on the last axis become sin(2π x / period) and cos(2π x / period), in pairs. The others
/// stay. So the network receives one number more per angle.
///
/// Couplings of a circular transformer use it by themselves. In a sample with angles and other numbers, state
/// the angles among the numbers that pass:
///
/// ```swift
/// let net = PeriodicFeatures(MLP(hidden: [64]), features: 0..<1)
/// let layer = Coupling(net, Affine(), split: .mask([true, true, false]))
/// ```
///
/// Parameters and errors: those of the network.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, section 2.2.
public struct PeriodicFeatures: Network {
  /// The network behind the sines and cosines.
  public let network: any Network
  /// The period of the angles.
  public let period: Double
  /// The inputs that are angles; nil for all.
  public let features: Range<Int>?

  /// Makes a network of angles, by default of all inputs.
  ///
  /// - Precondition: The period is positive and finite.
  public init(_ network: any Network, period: Double = 2 * .pi, features: Range<Int>? = nil) {
    require(period > 0 && period.isFinite, "a period is positive and finite, got \(period)")
    (self.network, self.period, self.features) = (network, period, features)
  }

  /// Initial parameters and the function. Throws for angles beyond the inputs.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (count, period) = (inputDim[-1], period)
    let angles = features ?? 0..<count
    guard angles.upperBound <= count else {
      throw .mismatch(
        who: "PeriodicFeatures", what: "inputs", expected: "at least \(angles.upperBound)", got: "\(inputDim)"
      )
    }
    let (params, apply) = try network(
      key, inputDim: inputDim.replacing(-1, by: count + angles.count), outputDim: outputDim, dtype: dtype)
    if angles.isEmpty { return (params, apply) }
    return (
      params,
      { params, x in
        if angles.count == count { return apply(params, x.onCircle(period: period)) }
        let seen = [
          x.sliced(axis: -1, 0..<angles.lowerBound), x.sliced(axis: -1, angles).onCircle(period: period),
          x.sliced(axis: -1, angles.upperBound..<count),
        ]
        return apply(params, concatenate(seen.filter { $0.shape[-1] > 0 }, axis: -1))
      }
    )
  }
}

extension Tensor {
  /// The sine and the cosine of each angle, in pairs on the last axis.
  func onCircle(period: Double) -> Tensor {
    let angles = (2 * .pi / period * self).expanded(axis: rank)
    return concatenate([sin(angles), cos(angles)], axis: rank)
      .reshaped(to: shape.replacing(-1, by: 2 * shape[-1]))
  }
}
