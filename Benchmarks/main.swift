// Measures an optimization step, the log-density and sampling of flows that other libraries are measured on too.
//
//     swift run -c release benchmarks [--workload realnvp-2d] [--threads 2] [--repetitions 30] [--json]
import Flows
import Foundation

if let memory = MemoryWorkload(arguments: CommandLine.arguments) {
  try memory.run()
  exit(0)
}

if let glow = GlowWorkload(arguments: CommandLine.arguments) {
  try glow.run()
  exit(0)
}

var arguments = CommandLine.arguments.dropFirst()
var (chosen, threads, repetitions, isJSON) = (String?.none, 1, 30, false)
while let name = arguments.popFirst() {
  switch name {
  case "--workload": chosen = arguments.popFirst()
  case "--threads": threads = arguments.popFirst().flatMap(Int.init) ?? 1
  case "--repetitions": repetitions = arguments.popFirst().flatMap(Int.init) ?? 30
  case "--json": isJSON = true
  default: fatalError("unknown option \(name); known: --workload, --threads, --repetitions, --json")
  }
}

@MainActor func report(_ workload: Workload, _ what: String, params: Int, _ time: Measurement) {
  if isJSON {
    print(
      "{\"workload\": \"\(workload.name)\", \"what\": \"\(what)\", \"threads\": \(threads), "
        + "\"batch\": \(workload.batch), \"params\": \(params), \"median_ms\": \(time.median), "
        + "\"min_ms\": \(time.least), \"max_ms\": \(time.greatest)}")
  } else {
    print(
      "\(workload.name) \(what): \(time.median) ms (\(time.least) to \(time.greatest)), \(params) parameters")
  }
}

for workload in Workload.all where chosen == nil || chosen == workload.name {
  try Parallelism.$threads.withValue(threads) {
    let (initial, logPDF, sample) = try workload.flow(Key(0), inputDim: [workload.dimension])
    let batch = Key(1).normal([workload.batch, workload.dimension])
    let optimizer = Adam(learningRate: 1e-4)
    var (params, state) = (initial, optimizer.initialize(initial))

    let step = try Measurement(repetitions: repetitions) {
      let (_, gradient) = try valueAndGradient(at: params, over: batch) { params, rows in
        try -logPDF(params, rows)
      }
      (params, state) = try optimizer.update(gradient, state, params)
    }
    report(workload, "step", params: params.learnedCount, step)
    let density = try Measurement(repetitions: repetitions) { _ = try logPDF(params, batch) }
    report(workload, "logPDF", params: params.learnedCount, density)
    let draws = try Measurement(repetitions: repetitions) {
      _ = try sample(Key(2), params, count: workload.batch)
    }
    report(workload, "sample", params: params.learnedCount, draws)
  }
}
