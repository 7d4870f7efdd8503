// Fits OT-Flow, a CNF, RNODE, flow matching and a spline flow to the same rows, prints a table, and draws
// densities and the paths of OT-Flow. With --set all it goes over all data sets.
//
//     swift run -c release continuous [--set moons] [--models all] [--seed 0] [--output continuous]
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "continuous", "Fits continuous flows and a spline flow to the same rows, and compares them.",
  options: [
    .init("set", "NAME", default: "moons", "all, or one of \(DataSet.names.joined(separator: ", "))"),
    .init("models", "NAME", default: "all", "all, or one of \(Model.names.joined(separator: ", "))"),
  ], output: "continuous")
let set = program.choice("set", of: ["all"] + DataSet.names)
let models = program.choice("models", of: ["all"] + Model.names)
var results: [String: [String: Double]] = [:]
for name in set == "all" ? DataSet.names : [set] {
  let data = try DataSet(name, program.key.folded(in: 0))
  let truth = data.trueLoss.map { "; by the true density \(decimals($0, 3))" } ?? ""
  print("\(name): \(data.training.rows) rows of \(data.training.shape[1])\(truth)")
  let table = try Comparison(
    data, models: models == "all" ? Model.names : [models], key: program.key.folded(in: 1))
  results[name] = table.losses
  if data.training.shape[1] == 2 { try table.draw(program) }
}
try program.finish(results)
