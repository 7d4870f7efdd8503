extension LogDetCheck {
  /// The result of a check: the worst sample of each direction at each set of parameters.
  public struct Report: Sendable, CustomStringConvertible {
    /// The result for a direction at a set of parameters.
    public struct Entry: Sendable {
      /// The direction, `forward` or `inverse`, and the parameters.
      public let label: String
      /// The row with the largest error.
      public let worstRow: Int
      /// The log-determinant that the layer claims for this row.
      public let claimed: Double
      /// The log|det| of the Jacobian for this row.
      public let jacobian: Double
      /// The error |claimed − Jacobian's| / max(1, |Jacobian's|).
      public let error: Double
      /// The reason why a check was impossible, or nil.
      public let refusal: String?
    }
    /// The entries, one per direction and set of parameters.
    public let entries: [Entry]
    /// The largest error that passes.
    public let tolerance: Double

    /// Whether all comparisons were possible and within the tolerance.
    public var passes: Bool { entries.allSatisfy { $0.refusal == nil && $0.error <= tolerance } }
    /// The maximum of the entries' errors.
    public var largestError: Double { entries.map(\.error).max() ?? .nan }

    /// The report as text, one line per entry.
    public var description: String {
      entries.map { entry in
        if let refusal = entry.refusal { return "\(entry.label): refused: \(refusal)" }
        return "\(entry.label): \(entry.error <= tolerance ? "ok" : "WRONG"), worst row \(entry.worstRow): "
          + "claimed \(entry.claimed), Jacobian \(entry.jacobian), error \(entry.error)"
      }.joined(separator: "\n")
    }
  }
}
