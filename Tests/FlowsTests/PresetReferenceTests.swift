import Flows
import Foundation
import TestSupport
import Testing

/// The log-densities that `Tests/Fixtures/make_presets.py` wrote, each computed by another library.
private struct PresetCase: Decodable, Sendable, CustomTestStringConvertible {
  let library, preset: String
  let params: [String: FixtureArray]
  let x: FixtureArray
  let context: FixtureArray?
  let logPDF: [Double]

  var testDescription: String { "\(library), \(preset), \(x.shape)" }

  /// The preset's flow without hidden sizes of its own.
  var flow: Flow {
    let number = preset.split(separator: " ").last.flatMap { Double($0) } ?? 0
    switch preset.split(separator: " ")[0] {
    case "mafMixture":
      return .mafMixture(layers: 0, hidden: [7], components: Int(number), activation: .tanh)
    case "residualNeuralSpline":
      let (width, bins, bound) = x.shape[1] == 4 ? (6, 4, 3.0) : (5, 8, 5)
      return .residualNeuralSpline(
        steps: x.shape[1] == 4 ? 2 : 1, width: width, dropout: 0.3, bins: bins, bound: bound)
    default:
      return .gatedIAF(layers: x.shape[1] == 1 ? 1 : x.shape[1] - 1, hidden: [6], forgetBias: number)
    }
  }

  static let all: [PresetCase] = {
    struct File: Decodable { let cases: [PresetCase] }
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/presets.json")
    do { return try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).cases } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

@Suite struct PresetReferenceTests {
  @Test(arguments: PresetCase.all) private func preset(_ item: PresetCase) throws {
    let (x, context) = (item.x.tensor, item.context?.tensor)
    let (initial, logPDF, _) = try item.flow(
      Key(0), inputDim: x.shape.sample, contextDim: context?.shape.sample, dtype: .float64)
    let density = try logPDF(initial.setting(item.params), x, given: context)
    #expect(isClose(density, Tensor(item.logPDF, dtype: .float64), 1e-9))
  }

  @Test func everyPresetIsThere() {
    let presets = PresetCase.all.map { $0.preset.prefix { $0 != " " } }
    #expect(Set(presets) == ["mafMixture", "residualNeuralSpline", "gatedIAF"])
  }
}
