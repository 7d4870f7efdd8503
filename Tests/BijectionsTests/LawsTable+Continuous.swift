import Bijections
import Integration
import Networks
import Randomness
import Tensors
import Verification

/// A network whose last layer does not start at zero, and whose weights stay small.
private let net = MLP(
  hidden: [3], activation: .tanh, weight: .normal(standardDeviation: 0.3),
  lastWeight: .normal(standardDeviation: 0.3))

/// A field at a tenth of its speed. Parameters shifted by 1 make potentials too steep for a few steps.
private struct Slow: VelocityField {
  let field: any VelocityField

  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let (params, velocity) = try field.initialize(key, at: site)
    return (
      params,
      Velocity(
        { 0.1 * velocity.function($0, $1, $2, $3) },
        closedForm: {
          let result = velocity.traced($0, $1, $2, $3)
          return .init(velocity: 0.1 * result.velocity, trace: 0.1 * result.trace)
        })
    )
  }
}

/// Rows where a field of any parameters moves slowly enough for the few steps of a test.
private let rows = Tensor([[0.5, -1.25], [-0.3, 0.4], [1.7, -0.6]], dtype: .float64)

/// Continuous flows with few steps. In discrete mode and with an exact inverse the laws hold for any number.
let continuousRows: [LawsRow] = [
  LawsRow(
    name: "ContinuousFlow, network",
    bijection: ContinuousFlow(
      NetworkField(net, frequencies: 1), solver: .steps(2), logDet: .discrete, exactInverse: true),
    inputDim: 2, inputs: rows[0..<2]),
  LawsRow(
    name: "ContinuousFlow, one number",
    bijection: ContinuousFlow(NetworkField(net, frequencies: 0), solver: .steps(3), exactInverse: true),
    inputDim: 1, inputs: rows.sliced(axis: 1, 0..<1)),
  LawsRow(
    name: "ContinuousFlow, concatsquash, context",
    bijection: ContinuousFlow(
      ConcatSquash(hidden: [2]), solver: .steps(1), logDet: .discrete, exactInverse: true),
    inputDim: 2, contextDim: 1, inputs: rows[0..<2]),
  LawsRow(
    name: "ContinuousFlow, potential, image, context",
    bijection: ContinuousFlow(
      Slow(field: OTFlowPotential(width: 1, rank: 1)), solver: .steps(1), logDet: .discrete,
      exactInverse: true),
    inputDim: [1, 2], contextDim: 1, inputs: rows[0..<2].reshaped(to: [2, 1, 2])),
  // The integral of the trace differs from the log-det of the steps: see `ContinuousFlowTests`.
  LawsRow(
    name: "ContinuousFlow, deep potential, trace",
    bijection: ContinuousFlow(
      Slow(field: OTFlowPotential(width: 2, layers: 3, rank: 1)), solver: .steps(3)),
    inputDim: 2, inputs: rows[0..<2],
    tolerance: .init(roundTrip: 1e-3, logDet: 1e-3, float32: 1e-3)),
  LawsRow(
    name: "ContinuousFlow, network, trace",
    bijection: ContinuousFlow(
      NetworkField(net, frequencies: 1), solver: .steps(3), logDet: .trace, exactInverse: true),
    inputDim: 2, inputs: rows[0..<2], tolerance: .init(logDet: 1e-2)),
  LawsRow(
    name: "ContinuousFlow, training-free score",
    bijection: ContinuousFlow(
      TrainingFreeScore(of: rows, kappa: 0.5), solver: .steps(2), logDet: .discrete, exactInverse: true),
    inputDim: 2, inputs: rows[0..<2]),
  LawsRow(
    name: "ContinuousFlow, training-free score, trace, one number, context",
    bijection: ContinuousFlow(
      TrainingFreeScore(of: rows.sliced(axis: 1, 0..<1), kappa: 0.5), solver: .steps(8), logDet: .trace),
    inputDim: 1, contextDim: 2, inputs: rows.sliced(axis: 1, 0..<1),
    tolerance: .init(roundTrip: 1e-3, logDet: 1e-3, float32: 1e-3)),
]
