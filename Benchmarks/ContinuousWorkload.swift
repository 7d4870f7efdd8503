import Flows

/// A continuous flow whose weights a formula gives, so that other libraries solve the same equation.
///
/// Its solver is the loosest of a ladder of tolerances whose log-densities err by at most 10⁻³ nats in the
/// mean. The same tolerance means another error in another library.
struct ContinuousWorkload {
  private static let allowed = 1e-3
  private static let hidden = [64, 64]
  private static let frequencies = 3

  /// The flow with its solver, the parameters, the rows, and the error of the log-densities.
  let flow: Flow, params: Params, rows: Tensor, error: Double

  /// Makes the workload for rows of `size` numbers.
  init(size: Int, rows count: Int) throws {
    let inputDim = Shape([size])
    rows = 1.5 * Self.noise(100, [count, size])
    let few = rows[0..<min(count, 64)]
    let (initial, exact, _) = try Self.flow(.steps(128))(Key(0), inputDim: inputDim, dtype: .float64)
    let widths = [size + 2 * Self.frequencies] + Self.hidden + [size]
    var purpose = -1
    let own = initial.map { leaf in
      purpose += 1
      let noise = Self.noise(purpose, leaf.shape)
      return leaf.rank == 2 ? 2 / Double(leaf.shape[0]).squareRoot() * noise : 0.5 * noise
    }
    precondition(purpose == 2 * widths.count - 3, "the field has a weight and a bias per layer")
    let wanted = try exact(own, few)
    var (solver, error) = (Solver.steps(1), Double.infinity)
    for step in 2...12 where error > Self.allowed {
      let tolerance = pow(Tensor(10, dtype: .float64), -Double(step) / 2).item
      solver = .tolerance(relative: tolerance, absolute: tolerance)
      let (_, logPDF, _) = try Self.flow(solver)(Key(0), inputDim: inputDim)
      error =
        abs(try logPDF(own.cast(to: .float32), few.cast(to: .float32)).cast(to: .float64) - wanted)
        .mean().item
    }
    (flow, params, self.error) = (Self.flow(solver), own.cast(to: .float32), error)
  }

  private static func flow(_ solver: Solver) -> Flow {
    .cnf(hidden: hidden, frequencies: frequencies, solver: solver)
  }

  /// Numbers between -1 and 1 by a formula.
  private static func noise(_ purpose: Int, _ shape: Shape) -> Tensor {
    let places = Tensor(
      (0..<shape.count).map { 12.9898 * Double($0) + 78.233 * Double(purpose) }, dtype: .float64)
    let x = 43758.5453 * sin(places)
    return (2 * (x - floor(x)) - 1).reshaped(to: shape)
  }
}
