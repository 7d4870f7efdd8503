#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An accountant: turns a ledger into a guarantee (ε, δ) for adding or removing one row.
public protocol PrivacyAccountant: Sendable {
  /// An ε that holds for certain at this δ.
  func safeEpsilon(of ledger: PrivacyLedger, delta: Double) throws(PrivacyError) -> Double
}

/// The accountant of Rényi differential privacy (Mironov 2017; Mironov, Talwar and Zhang 2019,
/// arXiv:1908.10530).
///
/// The divergence of a step of order α is log E_Q[(P/Q)^α] / (α − 1), and those of all steps add. It is exact
/// at whole and fractional orders. The cost is a tenth of a second at most, for any number of steps.
public struct RDPAccountant: PrivacyAccountant {
  /// A rule that turns a Rényi divergence into ε.
  public enum Conversion: Sendable {
    /// R + log(1 − 1/α) − log(δα) / (α − 1) (Balle and others 2020; Canonne, Kamath and Steinke 2020).
    case tight
    /// R + log(1/δ) / (α − 1) (Mironov 2017), which is larger.
    case classic
  }

  /// The orders that ε is minimized over, all above 1.
  public let orders: [Double]
  /// The conversion to ε.
  public let conversion: Conversion

  /// 1.1, 1.2, ..., 10.9, 11, 12, ..., 63, 128, 256, 512 and 1024.
  public static let defaultOrders =
    (1..<100).map { 1 + Double($0) / 10 } + (11..<64).map(Double.init) + [128, 256, 512, 1024]

  /// An accountant with the default orders.
  public init(conversion: Conversion = .tight) {
    (orders, self.conversion) = (Self.defaultOrders, conversion)
  }

  /// An accountant with orders of one's own.
  ///
  /// - Throws: `PrivacyError.outOfRange` for no orders, and for one that is not above 1 and at most 10⁴.
  public init(orders: [Double], conversion: Conversion = .tight) throws(PrivacyError) {
    try check(!orders.isEmpty, "RDPAccountant", "orders", "one at least", "none")
    for order in orders {
      try check(order > 1 && order <= 1e4, "RDPAccountant", "orders", "above 1 and at most 10000", order)
    }
    (self.orders, self.conversion) = (orders, conversion)
  }

  /// The Rényi divergence of all steps, for each order.
  public func divergences(of ledger: PrivacyLedger) -> [Double] {
    orders.map { order in
      ledger.entries.reduce(0) { $0 + Double($1.steps) * $1.mechanism.logMoment(order) } / (order - 1)
    }
  }

  /// The least ε over the orders, and the order that gives it.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a δ outside (0, 1).
  public func epsilon(
    of ledger: PrivacyLedger, delta: Double
  ) throws(PrivacyError) -> (epsilon: Double, order: Double) {
    try checkDelta(delta, "RDPAccountant")
    if ledger.entries.isEmpty { return (0, orders[0]) }
    var best = (epsilon: Double.infinity, order: orders[0])
    for (order, divergence) in zip(orders, divergences(of: ledger)) {
      var epsilon = divergence - log(delta) / (order - 1)
      if conversion == .tight { epsilon += log1p(-1 / order) - log(order) / (order - 1) }
      // The total variation is at most √(1 − e^(−R)), by Bretagnolle and Huber; it is δ at ε = 0.
      if delta * delta >= -expm1(-divergence) { epsilon = 0 }
      if epsilon < best.epsilon { best = (epsilon, order) }
    }
    return (max(0, best.epsilon), best.order)
  }

  public func safeEpsilon(of ledger: PrivacyLedger, delta: Double) throws(PrivacyError) -> Double {
    try epsilon(of: ledger, delta: delta).epsilon
  }

  /// The least δ over the orders, at most 1.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a negative or infinite ε.
  public func delta(of ledger: PrivacyLedger, epsilon: Double) throws(PrivacyError) -> Double {
    try check(epsilon >= 0 && epsilon.isFinite, "RDPAccountant", "an epsilon", "of at least 0", epsilon)
    if ledger.entries.isEmpty { return 0 }
    var least = 0.0
    for (order, divergence) in zip(orders, divergences(of: ledger)) {
      var logDelta = (order - 1) * (divergence - epsilon)
      if conversion == .tight { logDelta += (order - 1) * log1p(-1 / order) - log(order) }
      least = min(least, logDelta, 0.5 * log(-expm1(-divergence)))
    }
    return exp(least)
  }
}
