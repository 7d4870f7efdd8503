// Fits a flow to a table of mixed columns, draws as many rows, and holds them against held-out ones.
//
//     swift run -c release tables [--set diamonds] [--rows 10000] [--folder tables] [--judge FILE,FILE]
//                            [--private 5]
//
// Both parts of the table and the rows drawn go to the folder, as CSV files. --judge holds rows that another
// program has drawn against the same held-out rows: Benchmarks/tables has one that runs CTGAN and TVAE.
// --private compares private fits with noised marginals instead, with so many sources of noise each.
import Arguments
import ExampleSupport
import Flows
import Foundation

let program = Program(
  "tables", "Fits a flow to a table of mixed columns, and judges the rows that it draws.",
  options: [
    .init("set", "NAME", default: "diamonds", "one of \(Split.names.joined(separator: ", "))"),
    .init("rows", "N", default: "10000", "the most rows to train on; a fifth as many are held out"),
    .init("folder", "NAME", default: "tables", "the folder for the rows"),
    .init("judge", "FILE,FILE", default: "", "rows that other programs have drawn"),
    .init("private", "N", default: "0", "private fits at each of three epsilons, beside noised marginals"),
  ])
let name = program.choice("set", of: Split.names)
let folder = program.text("folder")
let rowCount = program.integer("rows", in: 10...1_000_000)
let split = program.orExit {
  try Split(name, rows: rowCount, program.key.folded(in: 0), folder: folder)
}
print("\(name): \(split.training.rows) rows to train on, \(split.heldOut.rows) held out")

let repeats = program.integer("private", in: 0...1_000)
if repeats > 0 {
  try program.finish(
    PrivateCurve.printTable(name, split, repeats: repeats, program.key.folded(in: 4)))
  exit(0)
}

let (schema, rows) = try TableSchema.infer(from: split.training)
let clock = ContinuousClock()
var result: TableFit?
let time = try clock.measure {
  result = try TableModel.fit(
    schema, to: schema.encode(split.training, rows: rows), key: program.key.folded(in: 1))
}
let model = result!.model
remark("\(decimals(time / .seconds(1), 0)) s of training")
let scores = try model.logLikelihood(of: schema.encode(split.heldOut)).doubles
let mean = scores.reduce(0, +) / Double(scores.count)
let bound = schema.isBound ? "at least " : ""
let densities = schema.columnsWithDensity
print(
  "held-out log-likelihood \(bound)\(decimals(mean, 3)) nats per row"
    + (split.truth.map { "; by the true density \(decimals($0, 3))" } ?? ""))
print(
  "densities: \(densities.isEmpty ? "none" : densities.joined(separator: ", ")); others are probabilities")

let draws = try model.sample(program.key.folded(in: 2), count: split.training.rows)
let path = "\(folder)/\(name)-flow.csv"
try draws.write(to: path)
print("wrote \(path)\n\n\(Judgement.header)")
let judged = program.key.folded(in: 3)
let copies = try Judgement(split.training, of: split, judged)
print(copies.line("the training rows"))
var results: [String: Any] = ["log_likelihood": mean, "the training rows": copies.numbers]
for file in [path] + program.text("judge").split(separator: ",").map(String.init) {
  let judgement = try Judgement(TextTable.read(file), of: split, judged)
  let source = file == path ? "the flow" : URL(filePath: file).lastPathComponent
  results[source] = judgement.numbers
  print(judgement.line(source))
}
try program.finish(results)
