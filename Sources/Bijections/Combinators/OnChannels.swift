import Randomness
import Tensors

/// Applies a bijection to a range of channels. The other channels pass unchanged.
///
/// Map, on the last axis: (a, b, c) ↦ (a, f(b), c) with b the channels of the range. log|det J| and inverse:
/// those of f, which may change the number of its channels.
///
/// Parameters: those of f. The context reaches f, and so does the range's part of data for initial
/// parameters. Domain: that of f for b, and all reals for the rest. Errors: those of f; `mismatch` for a
/// range beyond the channels.
public struct OnChannels: Bijection {
  private let range: Range<Int>
  private let bijection: any Bijection

  /// Applies a bijection to a range of the channels.
  ///
  /// - Precondition: The range contains at least one channel, and none below 0.
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

/// Applies one bijection to both halves of the channels, for a pair of tensors concatenated on the last axis.
///
/// Map: (a, b) ↦ (f(a), f(b)). log|det J| = the sum of both. Inverse: (f⁻¹(a), f⁻¹(b)). Cost: twice that of
/// f.
///
/// Parameters: those of f, which both halves share. Initial parameters from data see the rows of both halves.
/// Domain: that of f. Errors: those of f; `mismatch` for an odd number of channels.
public struct BothHalves: Bijection {
  /// The bijection of each half.
  public let bijection: any Bijection

  /// Applies a bijection to each half.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  public var members: [any Bijection] { [bijection] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let half = site.channels / 2
    try site.expect(site.channels % 2 == 0, "BothHalves", "channels", "an even number")
    return try site.split("BothHalves", [(bijection, key, nil, [0..<half, half..<2 * half])])
  }
}
