import ExampleSupport
import Flows

/// A row of the table: a flow, its objective and the steps of its training.
struct Model {
  let name: String
  /// The velocity field; nil for a flow that is not continuous.
  var field: (any VelocityField)?
  /// The solver in training.
  var solver = Solver.steps(8)
  var objective: any Objective = .maximumLikelihood
  var learningRate = 5e-3
  var steps = 2_000
  var batchSize = 512

  static let names = ["ot-flow", "cnf", "rnode", "flow-matching", "spline"]

  /// The model of a name for a data set, with settings that were chosen on validation rows.
  init(_ name: String, for data: DataSet) {
    self.name = name
    let size = data.training.shape[1]
    let toy = ToySet(rawValue: data.name)
    let isSmall = data.training.rows < 2_000
    steps = isSmall ? 600 : 1_500
    batchSize = isSmall ? 128 : 512
    let hidden = toy != nil ? [64, 64, 64] : [128, 128]
    switch name {
    case "ot-flow":
      field = OTFlowPotential(width: toy != nil ? 32 : 64)
      solver = .steps(toy?.settings.trainingSteps ?? 8)
      objective = .otFlow(likelihood: toy != nil ? 50 : 1_000, optimality: 1)
      learningRate = toy != nil ? 0.05 : 0.03
      steps = toy != nil ? 4_000 : 2 * steps
    case "cnf":
      field = ConcatSquash(hidden: hidden, activation: .tanh)
      solver = .tolerance(relative: 1e-5, absolute: 1e-5)
      objective = .ffjord
      steps = min(steps, 750)
    case "rnode":
      field = ConcatSquash(hidden: hidden, activation: .tanh)
      solver = .steps(8)
      objective = .rnode()
    case "flow-matching":
      field = NetworkField(
        MLP(hidden: size == 2 ? hidden : [256, 256], activation: .softplus), frequencies: 3)
      objective = FlowMatching(.optimalTransport)
      (batchSize, steps) = (min(batchSize, 256), 4 * steps)
    default:
      learningRate = 2e-3
    }
  }

  /// The flow behind a standardization of the columns, with the solver that is asked for.
  func flow(_ rows: Tensor, solver: Solver, logDet: ContinuousFlow.LogDet = .trace) -> Flow {
    guard let field else {
      let spline = Flow.splineMixture(hidden: [64, 64])
      return Flow(Serial(Standardize(of: rows), spline.bijection), prior: spline.prior)
    }
    return Flow(Serial(Standardize(of: rows), ContinuousFlow(field, solver: solver, logDet: logDet)))
  }
}
