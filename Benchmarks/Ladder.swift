import Flows

/// Flows with the same parameters, from loose to fine: the error of log-densities chooses one.
///
/// A formula gives the parameters, so that other libraries compute the same flow. Chosen is the first flow
/// whose log-densities err by at most 10⁻³ nats in the mean. The same tolerance or number of steps means
/// another error in another flow or library.
struct Ladder: Sendable {
  private static let allowed = 1e-3

  /// The flows, and the one that counts as exact.
  let flows: [Flow], exact: Flow

  /// A flow with its parameters, rows of data, and the error of its log-densities.
  typealias Choice = (flow: Flow, params: Params, rows: Tensor, error: Double)

  /// Chooses a flow by the first 64 of some rows.
  func choice(_ inputDim: Shape, rows count: Int) throws -> Choice {
    let rows = 1.5 * Self.noise(100, inputDim.batched(count))
    let few = rows[0..<min(count, 64)]
    let (initial, logPDF, _) = try exact(Key(0), inputDim: inputDim, dtype: .float64)
    var purpose = -1
    let params = initial.mapLearned { leaf in
      purpose += 1
      let noise = Self.noise(purpose, leaf.shape)
      return leaf.rank == 2 ? 2 / Double(leaf.shape[0]).squareRoot() * noise : 0.5 * noise
    }
    let wanted = try logPDF(params, few)
    var error = Double.infinity
    let flow = try flows.first { flow in
      let (_, logPDF, _) = try flow(Key(0), inputDim: inputDim)
      let own = try logPDF(params.cast(to: .float32), few.cast(to: .float32)).cast(to: .float64)
      error = abs(own - wanted).mean().item
      return error <= Self.allowed
    }
    guard let flow else { fatalError("no flow of the ladder is near the exact one: \(error) nats") }
    return (flow, params.cast(to: .float32), rows.cast(to: .float32), error)
  }

  /// Numbers between -1 and 1 by a formula.
  private static func noise(_ purpose: Int, _ shape: Shape) -> Tensor {
    let places = (0..<shape.count).map { 12.9898 * Double($0) + 78.233 * Double(purpose) }
    let x = 43758.5453 * sin(Tensor(places, dtype: .float64))
    return (2 * (x - floor(x)) - 1).reshaped(to: shape)
  }

  /// A continuous flow along a network, by tolerances.
  static let cnf: Ladder = {
    func flow(_ solver: Solver) -> Flow { .cnf(hidden: [64, 64], frequencies: 3, solver: solver) }
    let tolerances = (2...12).map { pow(Tensor(10, dtype: .float64), -Double($0) / 2).item }
    return Ladder(
      flows: tolerances.map { flow(.tolerance(relative: $0, absolute: $0)) }, exact: flow(.steps(128)))
  }()

  /// Couplings with transformers that integrate by some number of steps or nodes.
  static func couplings(_ counts: [Int], exact: Int, _ transformer: (Int) -> any Transformer) -> Ladder {
    func flow(_ count: Int) -> Flow {
      let layer = Coupling(MLP(hidden: [64, 64]), transformer(count))
      return Flow(Serial(layer, Reverse(), layer, Reverse(), layer, Reverse(), layer))
    }
    return Ladder(flows: counts.map(flow), exact: flow(exact))
  }
}
