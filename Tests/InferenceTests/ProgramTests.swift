import Foundation
import Plots
import Testing

@testable import ExampleSupport

/// The command line and the report of the examples.
@Suite struct ProgramTests {
  private struct Wrong: Error, CustomStringConvertible { let description = "wrong" }

  private static func program(_ line: [String]) -> Program {
    Program("name", "Does something.", options: [], output: "picture.svg", line: line)
  }

  /// A picture's path is refused in one line, before the work.
  @Test func anOutputWithoutAFolderEndsTheProgramAtOnce() async {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent, \.standardOutputContent]
    ) {
      _ = ProgramTests.program(["--output", "/no/such/folder/x.svg"])
      print("work")
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(errors.contains("error: /no/such/folder/x.svg: expected a place to write a file to, got none\n"))
    let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    #expect(!output.contains("work"))
  }

  /// A path that fails later costs no results.
  @Test func resultsArePrintedWhereAPictureFails() async {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent, \.standardOutputContent]
    ) {
      let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).svg").path
      let program = ProgramTests.program(["--output", path, "--json"])
      program.write(LineChart("a", series: []), to: "/no/such/folder/x.svg")
      try program.finish(["loss": 1.5])
    }
    let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("{\"loss\":1.5}"))
    #expect(errors.contains("error: /no/such/folder"))
  }

  @Test func aComputationThatFailsEndsInOneLine() async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).svg").path
      ProgramTests.program(["--output", path]).orExit { throw Wrong() }
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(errors.contains("error: wrong\n"))
  }

  /// Numbers that are not finite are null, in lists too.
  @Test func resultsAreJSON() throws {
    let results: [String: Any] = [
      "a": [1, Double.nan, .infinity], "b": ["c": [[Double.nan], ["d": -Double.infinity]]], "e": Float.nan,
    ]
    #expect(try Program.json(results) == #"{"a":[1,null,null],"b":{"c":[[null],{"d":null}]},"e":null}"#)
  }
}
