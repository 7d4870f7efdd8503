// Measures the optimization step, log-density and sampling of flows, on workloads shared with other
// libraries.
//
//     swift run -c release benchmarks [--workload realnvp-2d] [--threads 2] [--json]
//     swift run -c release benchmarks --workload nsf-8d --rows 1000000 --repetitions 3 --what logPDF
//     swift run -c release benchmarks --workload memory --depth 64 --reversible
//     swift run -c release benchmarks --workload chunks --rows 10000000 --what sample
//     swift run -c release benchmarks --workload trace --rows 256
//     swift run -c release benchmarks --workload fine-tune --threads 2
//     swift run -c release benchmarks --workload nsf-8d --device pjrt_plugin.so
//     swift run -c release benchmarks --workload gzip --file table.csv.gz
//     swift run -c release benchmarks --count
//     swift run -c release benchmarks --workload scale --kind spline --depth 4 --dimension 64 --rows 512
import Arguments
import Flows

let names = Workload.names
let options = Arguments.orExit(
  "benchmarks", "Measures steps, log-densities and samples.",
  options: [
    .init(
      "workload", "NAME", default: "all",
      "all, memory, chunks, trace, fine-tune, scale, gzip, or one of \(names.joined(separator: ", "))"),
    .init("what", "NAME", default: "all", "all, or one of step, rowStep, privateStep, logPDF, sample"),
    .init("threads", "N", default: "1", "the most threads"),
    .init("repetitions", "N", default: "30", "how often each thing is measured"),
    .init("rows", "N", default: "0", "the batch; 0: the workload's own"),
    .init(flag: "json", "one object a line"),
    .init(flag: "count", "run the hot paths that Benchmarks/counts counts"),
    .init("device", "FILE", "a PJRT plugin, to measure on its first device"),
    .init("file", "FILE", "gzip: the file to expand"),
    .init(
      "seconds", "N", default: "0",
      "the most seconds of the repetitions of one thing; 0: any, 5 on a device"),
    .init(
      "kind", "NAME", default: "affine",
      "scale: \(Workload.Kind.allCases.map(\.rawValue).joined(separator: ", "))"),
    .init("depth", "N", default: "8", "memory, scale: the number of layers"),
    .init("dimension", "N", default: "16", "scale: the numbers of a row"),
    .init("hidden", "N", default: "64", "scale: the units of a hidden layer"),
    .init("model", "NAME", default: "realnvp", "memory: realnvp, glow or ot-flow"),
    .init(flag: "reversible", "memory: recover activations"),
  ])
let (workload, what, threads, repetitions, rows, depth, dimension, hidden, model, kind, seconds) =
  Arguments.orExit {
    () throws(UsageError) in
    (
      try options.choice(
        "workload", of: ["all", "memory", "chunks", "trace", "fine-tune", "scale", "gzip"] + names),
      try options.choice("what", of: ["all"] + Benchmark.Part.allCases.map(\.rawValue)),
      try options.integer("threads", in: 1...1024), try options.integer("repetitions", in: 1...1_000_000),
      try options.integer("rows", in: 0...1_000_000_000), try options.integer("depth", in: 1...10_000),
      try options.integer("dimension", in: 1...100_000), try options.integer("hidden", in: 1...100_000),
      try options.choice("model", of: ["realnvp", "glow", "ot-flow"]),
      try options.choice("kind", of: Workload.Kind.allCases.map(\.rawValue)),
      try options.number("seconds", in: 0...600)
    )
  }

if options.has("count") {
  try Parallelism.$threads.withValue(1) { try CountedPath.runAll() }
} else if let path = options.value("device") {
  let device = try PJRTPlugin(path).firstDevice
  for each in Workload.all + Workload.byName
  where workload == each.name || workload == "all" && DeviceBenchmark.names.contains(each.name) {
    try DeviceBenchmark(
      workload: each, device: device, seconds: seconds > 0 ? seconds : 5, isJSON: options.has("json")
    ).run(what)
  }
} else if workload == "memory" {
  try MemoryWorkload(
    model: model, depth: depth, isReversible: options.has("reversible"), threads: threads,
    repetitions: repetitions, isJSON: options.has("json")
  ).run()
} else if workload == "chunks" {
  try ChunksWorkload(rows: rows > 0 ? rows : 10_000_000, threads: threads, isJSON: options.has("json")).run(
    what)
} else if workload == "gzip" {
  try GzipWorkload(
    path: options.value("file") ?? CountedPath.diamonds, repetitions: repetitions, isJSON: options.has("json")
  ).run()
} else if workload == "fine-tune" {
  try FineTuneWorkload(
    histories: rows > 0 ? rows : 2_000, threads: threads, repetitions: repetitions,
    isJSON: options.has("json")
  ).run()
} else if workload == "trace" {
  try TraceWorkload(
    rows: rows > 0 ? rows : 256, dimension: 43, width: 256, threads: threads, repetitions: repetitions
  ).run()
} else {
  var chosen = Workload.all.filter { [$0.name, "all"].contains(workload) }
  if chosen.isEmpty {
    let scale = Workload.scale(
      Workload.Kind(rawValue: kind)!, dimension: dimension, depth: depth, hidden: hidden)
    chosen = (Workload.byName + [scale]).filter { $0.name == workload }
  }
  try Parallelism.$threads.withValue(threads) {
    let peak = options.has("json") ? nil : MachineSpeed(threads: threads)
    for each in chosen {
      let benchmark = try Benchmark(each, rows: rows > 0 ? rows : each.batch)
      for part in Benchmark.Part.allCases
      where what == part.rawValue || what == "all" && ![.rowStep, .privateStep].contains(part) {
        let result = try benchmark.measured(
          part, repetitions: repetitions, seconds: seconds > 0 ? seconds : .infinity)
        print(peak.map(result.text) ?? result.json(threads: threads))
      }
    }
  }
}
