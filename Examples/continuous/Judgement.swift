import ExampleSupport
import Flows

/// A trained model on test rows.
struct Judgement {
  /// The loss of the test rows in nats, and the number of parameters.
  let loss: Double, parameters: Int
  /// The evaluations of the field that a density takes; nil for a flow that is not continuous.
  var evaluations: Int?
  /// The mean distance of inverse(forward(x)) from x, and of the log-det from log|det| of the steps that run.
  var inverseError = 0.0, traceGap = 0.0
  /// The seconds of all test rows' densities.
  let seconds: Double

  /// The mean error of a log-density, in nats, that all solvers are allowed.
  static let allowed = 0.01

  /// Finds the least number of steps whose validation densities err by no more than is allowed, then judges
  /// the test rows.
  init(_ model: Model, _ course: Course, _ data: DataSet) throws {
    let size = data.training.shape.sample
    func functions(_ steps: Int, _ logDet: ContinuousFlow.LogDet = .trace) throws -> (LogPDF, Sampler) {
      let (_, logPDF, sample) = try model.flow(data.training, solver: .steps(steps), logDet: logDet)(
        Key(0), inputDim: size)
      return (logPDF, sample)
    }
    var steps = 1
    if model.field != nil {
      let exact = try functions(128).0(course.params, data.validation)
      for candidate in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] {
        steps = candidate
        let error = abs(try functions(steps).0(course.params, data.validation) - exact).mean().item
        if error <= Judgement.allowed { break }
      }
      evaluations = 5 * steps + 1
    }
    let (logPDF, _) = try functions(steps)
    let clock = ContinuousClock()
    let start = clock.now
    let densities = try logPDF(course.params, data.test)
    seconds = (clock.now - start) / .seconds(1)
    loss = -densities.mean().item
    parameters = course.params.learnedCount
    let few = data.test[0..<min(data.test.rows, 200)]
    let (_, forward, inverse) = try model.flow(data.training, solver: .steps(steps)).bijection(
      Key(0), inputDim: size)
    let own = course.params.child("bijection")
    let back = try inverse(own, try forward(own, few).outputs).outputs
    inverseError = abs(back - few).mean().item
    if model.field != nil {
      let discrete = try functions(steps, .discrete).0(course.params, few)
      traceGap = abs(discrete - densities[0..<few.rows]).mean().item
    }
  }
}
