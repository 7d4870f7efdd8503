import Flows
import Foundation
import TestSupport
import Testing

@testable import flow

/// `--device` of `flow fit`, `score` and `sample`.
@Suite(.serialized) struct DeviceCommandTests {
  private let place: Workplace
  private let fit = "fit @plain.csv --architecture maf --layers 2 --hidden 8 --epochs 3 --seed 1"

  init() throws { place = try Workplace() }

  /// Without a plugin there is one clear line.
  @Test(arguments: [
    ("--device gpu", "expected cpu, pjrt or pjrt:FILE for --device, got gpu; flow fit --help says more"),
    ("--device pjrt:/nowhere.so", "/nowhere.so: expected a PJRT plugin, got no library: "),
    ("--device pjrt:libm.so.6", "libm.so.6: expected a PJRT plugin, got a library without the function"),
    ("--device pjrt:x --private", "--device is for models of numbers alone, got a private fit; leave it out"),
  ]) func errors(_ options: String, _ message: String) async {
    defer { place.remove() }
    let outcome = await place.flow("\(fit) --out @model.safetensors \(options)")
    #expect(outcome.code == 2 && outcome.error?.hasPrefix(message) == true, "\(outcome)")
    #expect(outcome.error?.contains("\n") == false)
  }

  /// A model fitted, scored and sampled on a device is that of the processor, to rounding.
  @Test(.enabled(if: TestPlugin.isNamed)) func agrees() async throws {
    defer { place.remove() }
    func run(_ device: String) async throws -> (loss: Double, score: Double, draws: Tensor) {
      let fitted = try await place.json("\(fit) --device \(device) --out @\(device).safetensors")
      let scored = try await place.json("score @\(device).safetensors @plain.csv --device \(device)")
      let drawn = await place.flow(
        "sample @\(device).safetensors --count 300 --seed 4 --out @\(device).npy --device \(device)")
      #expect(drawn.code == 0, "\(drawn)")
      let loss = try #require(fitted["validation_log_likelihood"]?.number)
      let score = try #require(scored["mean_log_likelihood"]?.number)
      return (loss, score, try NPY.read(place["\(device).npy"]))
    }
    let (ours, theirs) = (try await run("cpu"), try await run("pjrt"))
    #expect(abs(ours.loss - theirs.loss) < 1e-3 && abs(ours.score - theirs.score) < 1e-3)
    #expect(isClose(theirs.draws, ours.draws, 1e-3))
  }
}
