import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// The laws of a network, each checked over every row of `networkTable`.
@Suite struct NetworkLawsTests {
  private struct Specimen {
    let params: Params
    let apply: Apply
    let inputs: Tensor

    /// A network with all its learned leaves moved away from their initial values.
    init(_ row: NetworkRow, dtype: DType = .float64) throws {
      let initial = try row.network(
        Key(21), inputDim: row.inputDim, outputDim: row.outputDim, dtype: dtype)
      (params, apply) = (initial.params.perturbed(Key(22)), initial.apply)
      inputs = Key(23).normal(row.inputDim.batched(5)).cast(to: dtype)
    }
  }

  @Test(arguments: networkTable) func outputsHaveTheShapeAskedFor(_ row: NetworkRow) throws {
    for dtype in [DType.float32, .float64] {
      let specimen = try Specimen(row, dtype: dtype)
      for rows in [0, 1, 5] {
        let outputs = specimen.apply(specimen.params, specimen.inputs[0..<rows])
        #expect(outputs.shape == row.outputDim.batched(rows) && outputs.dtype == dtype && outputs.isFinite)
      }
    }
  }

  /// A row has the same bits alone and in a batch.
  @Test(arguments: networkTable) func rowsAreIndependent(_ row: NetworkRow) throws {
    for dtype in [DType.float32, .float64] {
      let specimen = try Specimen(row, dtype: dtype)
      let whole = specimen.apply(specimen.params, specimen.inputs)
      for i in 0..<5 {
        let alone = specimen.apply(specimen.params, specimen.inputs[i..<(i + 1)])
        #expect(whole[i..<(i + 1)].isIdentical(to: alone), "row \(i) in \(dtype)")
      }
    }
  }

  @Test(arguments: networkTable) func bothDTypesAreOneFunction(_ row: NetworkRow) throws {
    let (single, double) = (try Specimen(row, dtype: .float32), try Specimen(row))
    let initial = try row.network(Key(21), inputDim: row.inputDim, outputDim: row.outputDim)
    let other = try row.network(Key(21), inputDim: row.inputDim, outputDim: row.outputDim, dtype: .float64)
    #expect(initial.params.cast(to: .float64).isIdentical(to: other.params))
    let outputs = single.apply(single.params, single.inputs).cast(to: .float64)
    #expect(isClose(outputs, double.apply(double.params, double.inputs), 1e-4))
  }

  /// Forward mode, reverse mode and central differences agree, by the inputs and by the parameters.
  @Test(arguments: networkTable) func derivativesAreRight(_ row: NetworkRow) throws {
    let specimen = try Specimen(row)
    let (params, x) = (specimen.params, specimen.inputs)
    let weights = wave(row.outputDim.batched(5))
    func loss(_ params: Params, _ x: Tensor) -> Tensor { (specimen.apply(params, x) * weights).sum() }

    let step = 1e-5
    let shift = wave(x.shape, phase: 1)
    let byInputs = (loss(params, x + step * shift) - loss(params, x - step * shift)) / (2 * step)
    #expect(isClose(jvp(at: x, along: shift) { loss(params, $0) }.tangent, byInputs, 1e-6))
    #expect(isClose((gradient(at: x) { loss(params, $0) } * shift).sum(), byInputs, 1e-6))

    // Every leaf by itself: a gradient of zero may not hide among others.
    let slopes = gradient(at: params) { loss($0, x) }
    for path in slopes.paths {
      guard case .leaf(let leaf) = params[path: path], case .leaf(let slope) = slopes[path: path] else {
        continue
      }
      let shift = wave(leaf.shape, phase: 2)
      func moved(_ size: Double) throws -> Tensor {
        loss(try params.replacing(path, by: .leaf(leaf + size * shift)), x)
      }
      let difference = try (moved(step) - moved(-step)) / (2 * step)
      #expect(isClose((slope * shift).sum(), difference, 1e-6), "\(path)")
      #expect(slope.doubles.contains { $0 != 0 }, "\(path) has no influence")
    }
  }

  @Test func everyPublicNetworkHasARow() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
    let files = try #require(
      FileManager.default.enumerator(at: sources.standardized, includingPropertiesForKeys: nil))
    var networks: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /public struct (\w+)[^{\n]*:[^{\n]*\bNetwork\b/) {
        networks.insert(String(match.1))
      }
    }
    let rows = Set(networkTable.map { "\(type(of: $0.network))" })
    #expect(networks.count >= 10 && networks.subtracting(rows) == [], "networks without a row")
  }
}
