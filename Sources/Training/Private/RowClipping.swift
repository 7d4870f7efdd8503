import Tensors

/// A rule that bounds the share of each row in the sum of a batch's gradients.
///
/// Every rule bounds the norm of a row's whole share by one number. So the noise of a private fit follows
/// from that number alone.
public struct RowClipping: Sendable, Hashable {
  /// The parameters that are clipped together.
  enum Kind: Sendable, Hashable { case row, unit }
  let kind: Kind
  /// The largest norm of a row's share.
  public let bound: Double
  /// The probability that a unit's gradient is kept in a step.
  var share = 1.0

  /// Scales a row's gradient to a norm of at most `bound`.
  ///
  /// - Precondition: a positive bound.
  public static func perRow(_ bound: Double) -> RowClipping { RowClipping(.row, bound) }

  /// Scales the gradient of each unit of a row to a norm of at most `bound` / √units.
  ///
  /// The parameters of one branch of the tree with one index of the last axis are a unit, such as
  /// those of one output of a layer. Units with small gradients keep them where others are cut.
  ///
  /// - Precondition: a positive bound.
  public static func perUnit(_ bound: Double) -> RowClipping { RowClipping(.unit, bound) }

  private init(_ kind: Kind, _ bound: Double) {
    require(bound > 0 && bound < .infinity, "a clipping needs a positive bound, got \(bound)")
    (self.kind, self.bound) = (kind, bound)
  }

  /// The same rule for a random part of the units, drawn anew in each step: stochastic sparsification.
  ///
  /// The draw does not look at the data. Gradients of the other units are 0 before the norm is taken, and get
  /// no noise. The sum is divided by `share`.
  ///
  /// - Precondition: a share above 0 and at most 1.
  public func keeping(_ share: Double) -> RowClipping {
    require(share > 0 && share <= 1, "a share of units to keep is above 0 and at most 1, got \(share)")
    var rule = self
    rule.share = share
    return rule
  }

  /// The norms that the rule needs.
  var norms: RowNorms { kind == .row && share == 1 ? .ofAll : .ofUnits }

  /// The factors of gradients with norms [rows, units], where units with 0 in `kept` [units] are left out.
  ///
  /// The bound is undercut by 2⁻¹³, since norms in float32 have errors of about 10⁻⁶.
  func factors(_ norms: Tensor, kept: Tensor?) -> Tensor {
    let bound = bound * (1 - 0x1p-13)
    func scale(_ norms: Tensor, to bound: Double) -> Tensor { minimum(bound / maximum(norms, bound), 1) }
    let units = kept.map { max($0.sum().item, 1) } ?? Double(norms.shape[1])
    if kind == .unit {
      let factors = scale(norms, to: bound / units.squareRoot())
      return kept.map { factors * $0 } ?? factors
    }
    guard let kept else { return scale(norms, to: bound) }
    // A norm that is infinite in a unit that is left out still makes the row's gradient void.
    return scale(sqrt((square(norms) * kept).sum(axis: 1, keepDims: true)), to: bound) * kept
  }
}
