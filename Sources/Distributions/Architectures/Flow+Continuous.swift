import Bijections
import Integration
import Networks
import Tensors

/// Preset continuous flows for vectors. Their parameters do not depend on the solver: train with few steps,
/// then judge and sample with a preset of more.
extension Flow {
  /// Makes an OT-Flow: the motion along the gradient of a potential, by equal steps.
  ///
  /// Train it by the objective `.otFlow()`. Standardize the data. Onken et al. 2021, arXiv 2006.00104; the
  /// width and the steps are those of its two-dimensional examples.
  public static func otFlow(
    width: Int = 32, layers: Int = 2, steps: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    Flow(
      ContinuousFlow(OTFlowPotential(width: width, layers: layers), solver: .steps(steps)), prior: prior)
  }

  /// Makes an OT-Flow with settings of the paper's experiments, by the given number of equal steps.
  public static func otFlow(
    _ settings: OTFlowSettings, steps: Int? = nil, prior: any Distribution = Normal()
  ) -> Flow {
    otFlow(width: settings.width, steps: steps ?? settings.trainingSteps, prior: prior)
  }

  /// Makes a continuous normalizing flow along a network of the position and of sines and cosines of the
  /// time.
  ///
  /// Chen et al. 2018, arXiv 1806.07366. Network, features and tolerances are those of zuko's `CNF`. Its
  /// tolerance bounds the maximum over a batch, and this one a mean over a row.
  public static func cnf(
    hidden: [Int] = [64, 64], activation: Activation = .elu, frequencies: Int = 3,
    solver: Solver = .tolerance(relative: 1e-5, absolute: 1e-6), prior: any Distribution = Normal()
  ) -> Flow {
    let network = MLP(hidden: hidden, activation: activation)
    return Flow(
      ContinuousFlow(NetworkField(network, frequencies: frequencies), solver: solver), prior: prior)
  }

  /// Makes a FFJORD: motions along fields of gated layers, one after the other.
  ///
  /// Train it by the objective `.ffjord`, or by `.rnode()` with equal steps. Grathwohl et al. 2018, arXiv
  /// 1810.01367. The tolerances are those of the paper's code.
  ///
  /// - Precondition: `stages`, the number of fields, is positive.
  public static func ffjord(
    hidden: [Int] = [64, 64, 64], activation: Activation = .tanh, stages: Int = 1,
    solver: Solver = .tolerance(relative: 1e-6, absolute: 1e-8), prior: any Distribution = Normal()
  ) -> Flow {
    require(stages > 0, "a FFJORD has at least one field, got \(stages)")
    return stacked(stages, prior) {
      [ContinuousFlow(ConcatSquash(hidden: hidden, activation: activation), solver: solver)]
    }
  }
}
