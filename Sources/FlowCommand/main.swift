// The command `flow` fits a density to a file of numbers, scores rows and draws new ones, without any Swift
// code.
//
//     swift run -c release flow --help
//
// It is in Sources because it is part of the product. Its folder differs from `Flows` by more than case.
import Arguments

let outcome = await FlowCommand.run(Array(CommandLine.arguments.dropFirst())) {
  Arguments.printError("warning: \($0)")
}
Arguments.end(code: outcome.code, output: outcome.output, error: outcome.error)
