import Distributions

/// A distribution of a flow's latents that a command line can name.
package enum LatentPrior: String, CaseIterable {
  case normal, student, logistic, laplace

  /// The distribution, without parameters.
  package var distribution: any Distribution {
    switch self {
    case .normal: Normal()
    case .student: StudentT(degreesOfFreedom: 4)
    case .logistic: Logistic()
    case .laplace: Laplace()
    }
  }

  /// A flow with these latents; the flow itself for normal ones.
  package func flow(_ flow: Flow) -> Flow {
    self == .normal ? flow : Flow(flow.bijection, prior: distribution)
  }
}
