import Randomness
import Tensors

/// The variance of an observable under a set of parameters, by the law of total variance.
///
/// Var f = E[Var(f | θ)] + Var(E[f | θ]): the variance of the data as the members see them, and the variance
/// of the members' means. More data make only the second one smaller.
public struct VarianceParts: Sendable {
  /// The mean of the observable, in float64.
  public let mean: Tensor
  /// The mean of the members' variances.
  public let aleatoric: Tensor
  /// The variance of the members' means.
  public let epistemic: Tensor
  /// The variance of the observable under the mixture of the members.
  public var total: Tensor { aleatoric + epistemic }
}

extension ParameterSamples {
  /// The variance of an observable of draws, split into aleatoric and epistemic variance.
  ///
  /// All members draw with one key. So the error of a finite number of draws is much the same for all, and
  /// hardly counts as epistemic. Both parts have errors of order 1 / draws.
  ///
  /// - Parameters:
  ///   - sample: the sampler that takes a member's parameters.
  ///   - key: the key of the draws.
  ///   - draws: the number of draws of each member.
  ///   - context: one row of context, for a conditional distribution.
  ///   - observable: maps draws to one value per draw, `[draws]` + shape; nil for the draws themselves.
  /// - Throws: the errors of the sampler; `FlowError.mismatch` for an observable without a value per draw.
  /// - Precondition: at least one draw.
  public func variance(
    of sample: Sampler, key: Key, draws: Int = 10_000, given context: Tensor? = nil,
    _ observable: ((_ draws: Tensor) throws -> Tensor)? = nil
  ) throws -> VarianceParts {
    require(draws > 0, "variance needs draws, got \(draws)")
    var (means, variances): ([Tensor], [Tensor]) = ([], [])
    for member in members {
      let x = try sample(key, member, count: draws, given: context)
      let values = try (observable.map { try $0(x) } ?? x).cast(to: .float64)
      if values.rank == 0 || values.rows != draws {
        throw FlowError.mismatch(
          who: "variance", what: "an observable", expected: "with \(draws) values", got: "\(values.shape)")
      }
      means.append(values.mean(axis: 0))
      variances.append(square(values - means[means.count - 1]).mean(axis: 0))
    }
    let (mean, spread) = (
      MemberValues(values: stack(means), weights: weights),
      MemberValues(values: stack(variances), weights: weights)
    )
    return VarianceParts(mean: mean.mean, aleatoric: spread.mean, epistemic: mean.variance)
  }
}
