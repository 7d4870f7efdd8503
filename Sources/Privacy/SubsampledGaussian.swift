/// The Poisson-subsampled Gaussian mechanism: one step of private training.
///
/// Each row joins the step with probability `rate`, independently. Each joining row adds a vector of norm at
/// most C to a sum, and Gaussian noise of standard deviation `noiseMultiplier` · C is added per coordinate.
/// Two tables are adjacent if one has one row more. The hardest case has one dimension: with C = 1 and σ the
/// multiplier, the outputs are P = (1 − q) N(0, σ²) + q N(1, σ²) with the row and Q = N(0, σ²) without it.
public struct SubsampledGaussian: Sendable, Hashable {
  /// The probability q that a row joins a step.
  public let rate: Double
  /// The noise's standard deviation σ, as a multiple of the clipping norm.
  public let noiseMultiplier: Double

  /// The least noise that is accounted for. Below it, ε is in the hundreds even for a single unsampled step.
  public static let leastNoise = 0.05
  static let mostNoise = 1e6

  /// Makes a mechanism from its sampling rate and noise.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a rate outside [0, 1], and for noise below 0.05 or above 1e6.
  public init(rate: Double, noiseMultiplier: Double) throws(PrivacyError) {
    try check(rate >= 0 && rate <= 1, "SubsampledGaussian", "a rate", "from 0 to 1", rate)
    try check(
      noiseMultiplier >= Self.leastNoise && noiseMultiplier <= Self.mostNoise, "SubsampledGaussian",
      "a noise multiplier", "from \(Self.leastNoise) to \(Self.mostNoise), since less noise protects nobody",
      noiseMultiplier)
    (self.rate, self.noiseMultiplier) = (rate, noiseMultiplier)
  }

  /// The Gaussian mechanism without subsampling.
  init(unsampled noiseMultiplier: Double) { (rate, self.noiseMultiplier) = (1, noiseMultiplier) }
}

/// The steps that read private rows, as a list of mechanisms with their counts. Accountants turn it into ε or
/// δ.
public struct PrivacyLedger: Sendable, Hashable {
  /// A mechanism and the number of times that it ran.
  public struct Entry: Sendable, Hashable {
    /// The mechanism of these steps.
    public let mechanism: SubsampledGaussian
    /// The number of steps.
    public internal(set) var steps: Int
  }

  /// The charged steps. Each mechanism occurs once, and none without privacy loss does.
  public private(set) var entries: [Entry] = []

  /// An empty ledger, for which ε is 0.
  public init() {}

  /// A ledger of equal steps.
  ///
  /// - Throws: `PrivacyError.outOfRange` for fewer than 0 or more than 10⁹ steps.
  public init(_ mechanism: SubsampledGaussian, steps: Int) throws(PrivacyError) {
    self = try PrivacyLedger().charging(mechanism, steps: steps)
  }

  /// The ledger after further steps. Different mechanisms compose in any order.
  ///
  /// - Throws: `PrivacyError.outOfRange` for fewer than 0 or more than 10⁹ steps.
  public func charging(_ mechanism: SubsampledGaussian, steps: Int) throws(PrivacyError) -> PrivacyLedger {
    try check((0...Self.most).contains(steps), "PrivacyLedger", "steps", "from 0 to \(Self.most)", steps)
    var ledger = self
    if steps == 0 || mechanism.rate == 0 { return ledger }
    if let place = entries.firstIndex(where: { $0.mechanism == mechanism }) {
      let sum = entries[place].steps + steps
      try check(sum <= Self.most, "PrivacyLedger", "steps", "from 0 to \(Self.most)", sum)
      ledger.entries[place].steps = sum
    } else {
      ledger.entries.append(Entry(mechanism: mechanism, steps: steps))
    }
    return ledger
  }

  private static let most = 1_000_000_000

  /// The ledger with all steps of rate 1 merged. They are one Gaussian mechanism with 1/σ² = Σ 1/σᵢ².
  var merged: PrivacyLedger {
    let precision = entries.reduce(0) { sum, entry in
      let noise = entry.mechanism.noiseMultiplier
      return entry.mechanism.rate == 1 ? sum + Double(entry.steps) / (noise * noise) : sum
    }
    let noise = (1 / precision).squareRoot()
    guard precision > 0, noise >= SubsampledGaussian.leastNoise else { return self }
    var ledger = self
    ledger.entries.removeAll { $0.mechanism.rate == 1 }
    ledger.entries.append(Entry(mechanism: SubsampledGaussian(unsampled: noise), steps: 1))
    return ledger
  }

  /// The number of all steps.
  public var steps: Int { entries.reduce(0) { $0 + $1.steps } }
}
