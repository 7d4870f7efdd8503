import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import Testing
import Verification

/// Values and log-derivatives of a mixture of sigmoids, from Tests/Fixtures/make_mixtures.py.
private struct Case: Decodable, Sendable, CustomTestStringConvertible {
  let name: String
  let units: Int
  let layers: Int
  let raw: [Double]
  let x: [Double]
  let y: [Double]
  let logSlope: [Double]

  var testDescription: String { "\(name), \(layers), raw \(raw[0])" }
  var transformer: any Transformer {
    name == "DeepSigmoidal"
      ? DeepSigmoidal(units: units, layers: layers) : MixtureOfLogistics(components: units)
  }

  static let all: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/mixtures.json")
    guard let data = try? Data(contentsOf: file),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { fatalError("cannot read \(file)") }
    return cases
  }()
}

/// Mixtures of sigmoids keep their log-derivatives far out, where sums of the size of |x| would round them
/// away.
@Suite struct FarOutTests {
  /// Layers whose inverse overflows in one after the other.
  @Test(arguments: [DType.float32, .float64]) func gatesOverflowToNumbers(_ dtype: DType) throws {
    let layers = (0..<3).flatMap { _ in
      [Autoregressive(MADE(hidden: [8]), GatedAffine()), Reverse()] as [any Bijection]
    }
    let (initial, forward, inverse) = try Serial(layers)(Key(0), inputDim: 2, dtype: dtype)
    let params = initial.perturbed(Key(1), by: 1)
    let far = Tensor([[300, 300], [-300, 300], [300, -300], [-300, -300], [1e4, -1e4]], dtype: dtype)
    let (x, logDet) = try inverse(params, far)
    #expect(x.isFinite && logDet.isFinite, "\(x), \(logDet)")
    #expect(abs(x).doubles.contains(dtype.rounded(dtype == .float32 ? 2e19 : 2e154)), "none overflows")
    let near = Tensor([[0.3, -0.4], [1, 2]], dtype: dtype)
    let back = try inverse(params, try forward(params, near).outputs).outputs
    #expect(abs(back - near).doubles.allSatisfy { $0 < (dtype == .float32 ? 1e-3 : 1e-9) }, "\(back)")
  }

  @Test(arguments: Case.all, [DType.float32, .float64])
  private func mixturesAreRightFarOut(_ test: Case, _ dtype: DType) {
    let count = test.x.count
    let unit = dtype == .float32 ? 1e-5 : 2e-14
    let x = Tensor(test.x, shape: [count, 1], dtype: dtype)
    let raw = Tensor(test.raw, dtype: dtype).reshaped(to: [1, test.raw.count])
      .broadcast(to: [count, test.raw.count])
    func check(_ what: String, _ found: Tensor, _ expected: [Double], _ tolerance: Double) {
      for (i, (found, expected)) in zip(found.doubles, expected).enumerated() {
        #expect(
          abs(found - expected) <= tolerance * max(1, abs(expected)),
          "\(what) at \(test.x[i]): \(found), not \(expected)")
      }
    }
    let there = test.transformer.forward(x, raw)
    check("y", there.outputs, test.y, unit)
    check("log-det", there.logDet, test.logSlope, unit)
    let back = test.transformer.inverse(Tensor(test.y, shape: [count, 1], dtype: dtype), raw)
    check("x", back.outputs, test.x, 8 * unit)
    check("log-det of the inverse", back.logDet, test.logSlope.map { -$0 }, 8 * unit)
  }
}
