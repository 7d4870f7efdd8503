// Makes pairs of latents and rows by training-free scores, and fits a network and a flow to them. In the
// plane it compares draws with fresh rows. For tables it compares held-out densities.
//
//     swift run -c release labels [--set moons] [--pairs 50000] [--steps 6000] [--seed 0] [--json]
//     swift run -c release labels --set timing --pairs 10000 --columns 2 --integration 6
import Arguments
import ExampleSupport
import Flows

let toys = ["moons", "8-gaussians", "pinwheel"]
let tables = ["digits", "breast-cancer"]
let program = Program(
  "labels", "Makes labelled pairs without training, and fits a network and a flow to them.",
  options: [
    .init(
      "set", "NAME", default: "moons", "all, timing, or one of \((toys + tables).joined(separator: ", "))"),
    .init("pairs", "N", default: "50000", "the number of pairs"),
    .init("steps", "N", default: "6000", "the steps of a fit"),
    .init("width", "N", default: "128", "the width of the networks' hidden layers"),
    .init("kappa", "PERMILLE", default: "0", "1000 kappa of the draws; 0: by held-out rows"),
    .init("columns", "N", default: "2", "the columns of the rows that are timed"),
    .init("integration", "N", default: "16", "the steps from a latent to its row"),
  ], output: "labels")
let settings = Settings(
  pairs: program.integer("pairs", in: 100...10_000_000), steps: program.integer("steps"),
  width: program.integer("width", in: 1...4096), kappa: Double(program.integer("kappa", in: 0...999)) / 1000,
  integration: program.integer("integration", in: 1...10_000))
let set = program.choice("set", of: ["all", "timing"] + toys + tables)
var results: [String: [String: Double]] = [:]
if set == "timing" {
  results[set] = try timePairs(columns: program.integer("columns", in: 1...1000), settings, program)
}
for name in toys + tables where set == name || set == "all" {
  let data = try DataSet(name, program.key.folded(in: 0))
  results[name] =
    toys.contains(name)
    ? try comparedDraws(of: data, settings, program) : try comparedDensities(of: data, settings, program)
}
try program.finish(results)
