// The command `flow`: fit a density to a file of numbers, score rows, draw new ones, without writing Swift.
//
//     swift run -c release flow --help
//
// It stands in Sources because it is part of the product, in a folder that differs from `Flows` by more than case.
import Arguments

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

let outcome = await FlowCommand.run(Array(CommandLine.arguments.dropFirst()))
print(outcome.output, terminator: "")
fflush(nil)
if let message = outcome.error { Arguments.writeError(message) }
exit(outcome.code)
