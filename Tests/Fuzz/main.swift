// Hands mutated files to every parser of the library, in release mode.
//
//     swift run -c release fuzz [--count 10000] [--seed 0] [--format csv|npy|npz|safetensors|all]
//
// It ends with 0 when every file was read or refused with an error that says where. A crash or a hang is a
// finding: the same seed makes the same files again. It stands beside the tests, which run the same fuzzer on
// fewer files in debug mode; benchmarks measure speed, and this does not.
import Arguments
import FuzzSupport

let arguments = Arguments.orExit(
  "fuzz", "Hands mutated files to every parser of the library.",
  options: [
    .init("count", "N", default: "10000", "mutated files a format"),
    .init("seed", "N", default: "0", "what the mutations are drawn from"),
    .init("format", "NAME", default: "all", "csv, npy, npz, safetensors or all"),
  ])
let (count, seed) = Arguments.orExit { () throws(UsageError) in
  (try arguments.integer("count", in: 1...1_000_000_000), try arguments.integer("seed", in: 0...Int.max))
}
let chosen = Format.all.filter { [$0.name, "all"].contains(arguments.text("format")) }
let clock = ContinuousClock()
for format in chosen {
  var fuzzer = Fuzzer(format, seed: UInt64(seed))
  let start = clock.now
  let outcome = fuzzer.run(count)
  let time = clock.now - start
  print("\(format.name): \(count) files, \(outcome.accepted) read, \(outcome.refused) refused, \(time)")
}
