import ExampleSupport
import Flows

/// The models of one data set.
struct Comparison {
  private let data: DataSet
  private let results: [(model: Model, course: Course, judgement: Judgement)]

  /// Trains and judges the models, and prints a line for each. Times go to standard error.
  init(_ data: DataSet, models: [String], key: Key) throws {
    self.data = data
    let names = ["parameters", "test nats", "evaluations", "inverse error", "trace gap"]
    print(column("", 16) + names.map { column($0, 15) }.joined())
    results = try models.map { name in
      let model = Model(name, for: data)
      let course = try Course(model, data, key)
      let judgement = try Judgement(model, course, data)
      let cells = [
        "\(judgement.parameters)", decimals(judgement.loss, 3),
        judgement.evaluations.map { "\($0)" } ?? "-", scientific(judgement.inverseError),
        scientific(judgement.traceGap),
      ]
      print(column(name, 16) + cells.map { column($0, 15) }.joined())
      remark(
        "\(data.name), \(name): validation loss \(decimals(course.validationLoss, 3)), "
          + "\(decimals(course.seconds, 1)) s of training, "
          + "\(decimals(judgement.seconds, 3)) s for \(data.test.rows) densities")
      return (model, course, judgement)
    }
    remarkRatios()
  }

  /// The losses on the test rows, by model.
  var losses: [String: Double] {
    Dictionary(uniqueKeysWithValues: results.map { ($0.model.name, $0.judgement.loss) })
  }

  /// Writes the times of OT-Flow and the CNF to the same validation loss to standard error.
  private func remarkRatios() {
    guard let ours = results.first(where: { $0.model.name == "ot-flow" }),
      let cnf = results.first(where: { $0.model.name == "cnf" })
    else { return }
    let loss = max(ours.course.validationLoss, cnf.course.validationLoss)
    guard let short = ours.course.seconds(until: loss), let long = cnf.course.seconds(until: loss) else {
      return
    }
    let densities = cnf.judgement.seconds / ours.judgement.seconds
    remark(
      "\(data.name): to a validation loss of \(decimals(loss, 3)) nats, OT-Flow \(decimals(short, 1)) s and "
        + "the CNF \(decimals(long, 1)) s, ratio \(decimals(long / short, 1)); time of densities, ratio "
        + decimals(densities, 1))
  }

  /// Writes a picture of each model's density with draws, and one of OT-Flow's paths.
  func draw(_ program: Program) throws {
    let reach = 1.1 * abs(data.test).doubles.max()!
    let grid = DensityPlot.Grid(x: -reach...reach, y: -reach...reach)
    for (model, course, _) in results {
      let flow = model.flow(data.training, solver: .steps(32))
      let (_, logPDF, sample) = try flow(Key(0), inputDim: 2)
      let density = exp(try logPDF(course.params, grid.points()))
      let draws = try sample(program.key.folded(in: 2), course.params, count: 300)
      let prefix = "\(program.text("output"))-\(data.name)-\(model.name)"
      program.write(
        DensityPlot("\(data.name): \(model.name)", density: density, on: grid, samples: draws),
        to: "\(prefix).svg")
      if model.name == "ot-flow", let field = model.field {
        let standardize = Standardize(of: data.training)
        let bound = try standardize(Key(0), inputDim: 2)
        let rows = try bound.forward(bound.params, data.test[0..<200]).outputs
        let motion = ContinuousFlow(field, solver: .steps(4))
        let own = course.params.child("bijection").child(1)
        program.write(
          PathPlot("\(data.name): paths of OT-Flow", paths: try motion.trajectories(own, rows)),
          to: "\(prefix)-paths.svg")
      }
    }
  }
}
