import Flows
import Foundation
import Testing

@testable import flow

/// The command as a process: what a shell sees.
@Suite struct ProcessTests {
  /// The program beside this test's bundle.
  static let program: URL? = {
    // `swift test` puts the bundle and the programs into one folder.
    var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    for _ in 0..<5 {
      let program = folder.appending(path: "flow")
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
      folder.deleteLastPathComponent()
    }
    return nil
  }()

  private func start(
    _ words: [String], input: () throws -> FileHandle? = { nil }
  ) throws -> (process: Process, output: Pipe, error: Pipe) {
    let process = Process()
    process.executableURL = try #require(ProcessTests.program as URL?, "the program flow beside the tests")
    process.arguments = words
    let (output, error) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, error)
    if let input = try input() { process.standardInput = input }
    try process.run()
    return (process, output, error)
  }

  private func run(_ words: [String]) throws -> (code: Int32, output: String, error: String) {
    let (process, output, error) = try start(words)
    func text(_ pipe: Pipe) -> String {
      String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    let texts = (text(output), text(error))
    process.waitUntilExit()
    return (process.terminationStatus, texts.0, texts.1)
  }

  @Test func resultsGoToOutputErrorsToErrorAndCodesSayWhich() throws {
    let place = try Workplace()
    defer { place.remove() }
    let model = place["m.safetensors"]
    let fitted = try run([
      "fit", place["plain.csv"], "--architecture", "nsf", "--layers", "1", "--hidden", "4", "--epochs", "2",
      "--out", model, "--json",
    ])
    #expect(fitted.code == 0 && fitted.error.isEmpty)
    #expect(try JSON(parsing: Array(fitted.output.utf8))["rows"] == 200)
    let drawn = try run(["sample", model, "--count", "3"])
    #expect(drawn.code == 0 && drawn.error.isEmpty && drawn.output.hasPrefix("height,weight\n"))
    let wrong = try run(["score", model, place["none.csv"]])
    #expect(wrong.code == 2 && wrong.output.isEmpty)
    #expect(wrong.error == "error: \(place["none.csv"]): expected a readable file, got nothing there\n")
    let usage = try run(["score", model])
    #expect(
      usage.code == 2 && usage.error == "error: expected DATA, got nothing; flow score --help says more\n")
    #expect(try run(["--help"]).code == 0)
  }

  private func fitWords(_ place: Workplace, _ out: String, checkpoint: String? = nil) -> [String] {
    let words = [
      "fit", place["plain.csv"], "--architecture", "realnvp", "--layers", "2", "--hidden", "8", "--epochs",
      "40",
      "--batch-size", "30", "--patience", "1000", "--out", place[out],
    ]
    return words + (checkpoint.map { ["--checkpoint", place[$0], "--checkpoint-steps", "1"] } ?? [])
  }

  /// Kills a run at random moments. Each time the checkpoint there is loads, never goes back, and the run
  /// that goes on from it ends with the file of a run that no one killed. `FLOWS_KILLS` says how often; 200
  /// are the record.
  @Test func killedAtAnyMomentTheNewestCheckpointLoads() throws {
    let place = try Workplace()
    defer { place.remove() }
    let kills = Int(ProcessInfo.processInfo.environment["FLOWS_KILLS"] ?? "") ?? 8
    #expect(try run(fitWords(place, "whole.safetensors")).code == 0)
    let whole = try FileBytes.read(place["whole.safetensors"])
    let start = Date()
    #expect(try run(fitWords(place, "timed.safetensors", checkpoint: "timed.checkpoint")).code == 0)
    let duration = Date().timeIntervalSince(start)

    var (done, runs, latest, midway) = (0, 0, 0, 0)
    while done < kills {
      let (process, output, error) = try self.start(
        fitWords(place, "out.safetensors", checkpoint: "run.checkpoint"))
      // Moments spread over a run, from before its first step on.
      let share = Key(9).folded(in: runs).uniform([1]).item
      Thread.sleep(forTimeInterval: share * share * duration * 0.7)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      runs += 1
      _ = (output, error)
      if process.terminationReason == .uncaughtSignal { done += 1 }
      if FileBytes.exists(place["run.checkpoint"]) {
        let step = try #require(Int(SafeTensors.read(place["run.checkpoint"]).metadata["step"] ?? ""))
        #expect(step >= latest)
        (latest, midway) = (step, midway + (step % 6 == 0 ? 0 : 1))
      }
      if FileBytes.exists(place["out.safetensors"]) || runs % 5 == 0 {
        // To the end, to compare; then a new run to kill.
        #expect(try run(fitWords(place, "out.safetensors", checkpoint: "run.checkpoint")).code == 0)
        #expect(try FileBytes.read(place["out.safetensors"]) == whole)
        for name in ["out.safetensors", "run.checkpoint"] {
          try FileManager.default.removeItem(atPath: place[name])
        }
        latest = 0
      }
    }
    print("\(done) kills in \(runs) runs; \(midway) of the checkpoints found stood within an epoch")
  }

  @Test func interruptedItSavesAndSaysHowToGoOn() throws {
    let place = try Workplace()
    defer { place.remove() }
    var words = fitWords(place, "out.safetensors") + ["--checkpoint", place["run.checkpoint"]]
    words[try #require(words.firstIndex(of: "40"))] = "1000000"
    let (process, output, _) = try start(words)
    Thread.sleep(forTimeInterval: 0.7)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(process.terminationStatus == 130)
    let hint = "interrupted: this is the best model so far; the same command goes on from "
    #expect(text.hasSuffix("\(hint)\(place["run.checkpoint"])\nwrote \(place["out.safetensors"])\n"))
    #expect(try SafeTensors.read(place["run.checkpoint"]).metadata["step"] != nil)
    #expect(try run(["score", place["out.safetensors"], place["plain.csv"]]).code == 0)
  }

  @Test func tablesComeFromStandardInput() throws {
    let place = try Workplace()
    defer { place.remove() }
    let (process, output, error) = try start([
      "fit", "-", "--steps", "2", "--folds", "1", "--out", place["m.safetensors"], "--json",
    ]) {
      try FileHandle(forReadingFrom: URL(filePath: place["plain.csv"]))
    }
    process.waitUntilExit()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    #expect(process.terminationStatus == 0 && error.fileHandleForReading.readDataToEndOfFile().isEmpty)
    #expect(try JSON(parsing: Array(text))["rows"] == 200)
  }

  /// Warnings go to standard error at once, and into the object with --json.
  @Test func warningsAndErrorsAreSeparate() throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("numbers.csv", "2019,2020\n1,x\n")
    let plain = try run(["fit", place["numbers.csv"], "--out", place["m.safetensors"]])
    let lines = plain.error.split(separator: "\n")
    #expect(plain.code == 2 && lines.count == 2 && plain.output.isEmpty)
    #expect(lines[0].hasPrefix("warning: ") && lines[1].hasPrefix("error: "))
    let json = try run(["fit", place["numbers.csv"], "--out", place["m.safetensors"], "--json"])
    #expect(json.code == 2 && json.error.isEmpty)
    let object = try JSON(parsing: Array(json.output.utf8))
    #expect(object["error"]?["row"] == 2 && object["error"]?["column"] == 2 && object["error"]?["code"] == 2)
    #expect(object["warnings"]?.array?.count == 1)
  }
}
