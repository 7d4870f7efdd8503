import Randomness
import Tensors

/// A bijection of some neighbouring channels; the others pass.
///
/// Map, on the last axis: (a, b, c) ↦ (a, f(b), c) with b the channels of the range. log|det J| and inverse:
/// f's.
///
/// Parameters: those of f, unwrapped. The context reaches f, and so do data for a start, cut to the range. f
/// may change the number of its channels. Domain: f's for b, all reals for the rest. Errors: f's; `mismatch`
/// for a range beyond the channels.
public struct OnChannels: Bijection {
  private let range: Range<Int>
  private let bijection: any Bijection

  /// A bijection on a range of the channels.
  ///
  /// - Precondition: a range with at least one channel, from 0 on.
  public init(_ range: Range<Int>, _ bijection: any Bijection) {
    require(!range.isEmpty && range.lowerBound >= 0, "OnChannels: a range of channels, got \(range)")
    (self.range, self.bijection) = (range, bijection)
  }

  public var members: [any Bijection] { [bijection] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let channels = site.channels
    try site.expect(
      range.upperBound <= channels, "OnChannels", "channels", "at least \(range.upperBound)")
    return try site.split(
      "OnChannels",
      [
        (Serial(), key, nil, [0..<range.lowerBound]), (bijection, key, nil, [range]),
        (Serial(), key, nil, [range.upperBound..<channels]),
      ])
  }
}

/// One bijection for both halves of the channels: a pair of tensors, concatenated on the last axis, goes
/// through it alike.
///
/// Map: (a, b) ↦ (f(a), f(b)). log|det J| = the sum of both. Inverse: (f⁻¹(a), f⁻¹(b)). Cost: twice f's.
///
/// Parameters: those of f, shared, unwrapped; a start from data sees the rows of both halves. Domain: f's.
/// Errors: f's; `mismatch` for an odd number of channels.
public struct BothHalves: Bijection {
  /// The bijection of each half.
  public let bijection: any Bijection

  /// A bijection for each half.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  public var members: [any Bijection] { [bijection] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let half = site.channels / 2
    try site.expect(site.channels % 2 == 0, "BothHalves", "channels", "an even number")
    return try site.split("BothHalves", [(bijection, key, nil, [0..<half, half..<2 * half])])
  }
}
