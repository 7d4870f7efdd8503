import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Numbers from Tests/Fixtures/make_layers.py.
private struct LayerCase: Decodable, Sendable, CustomTestStringConvertible {
  let library, layer, variant: String
  let params: [String: FixtureArray]
  let x, y: FixtureArray
  let logDet: [Double]

  var testDescription: String { "\(library), \(layer) \(variant), \(x.shape)" }

  var bijection: any Bijection {
    switch layer {
    case "SVDLinear": SVDLinear(reflections: Int(variant)!)
    case "LogisticToNormal": LogisticToNormal()
    case "Gaussianization": Gaussianization(components: Int(variant)!)
    case "FromPositiveDefinite": FromPositiveDefinite()
    case "SphereMobius": SphereMobius()
    default: graph
    }
  }

  /// Parents and widths, as in "0;1,2|6,3".
  private var graph: any Bijection {
    func numbers(_ text: Substring) -> [Int] { text.split(separator: ",").map { Int($0)! } }
    let parts = variant.split(separator: "|")
    let parents = parts[0].split(separator: ";", omittingEmptySubsequences: false).map(numbers)
    let made = MADE(hidden: numbers(parts[1]), activation: .tanh)
    return Autoregressive(made.withParents(parents), Affine(scale: .exponential))
  }

  static let all: [LayerCase] = {
    struct File: Decodable { let cases: [LayerCase] }
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/layers.json")
    do { return try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).cases } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

@Suite struct LayerReferenceTests {
  /// Value for value with the library that a case names, and back.
  @Test(arguments: LayerCase.all) private func layer(_ item: LayerCase) throws {
    let x = item.x.tensor
    let (initial, forward, inverse) = try item.bijection(Key(0), inputDim: x.shape.sample, dtype: .float64)
    let params = try initial.setting(item.params)
    let expected = Tensor(item.logDet, dtype: .float64)
    let (y, logDet) = try forward(params, x)
    #expect(isClose(y, item.y.tensor, 1e-10), "\(y), expected \(item.y.tensor)")
    #expect(isClose(logDet, expected, 1e-10), "\(logDet), expected \(expected)")
    let (restored, back) = try inverse(params, item.y.tensor)
    #expect(isClose(restored, x, 1e-9))
    #expect(isClose(-back, expected, 1e-9))
  }

  /// Numbers outside a number's parents do not reach its parameters, and all parents do.
  @Test func parentsAreTheDependencies() throws {
    let parents = [[2], [0, 2], [], [1]]
    let made = MADE(hidden: [9, 9], activation: .tanh, lastWeight: .glorotUniform).withParents(parents)
    let (params, apply) = try made(Key(1), inputDim: 4, outputDim: 4, dtype: .float64)
    let x = wave([1, 4])
    for i in 0..<4 {
      let slopes = gradient(at: x) { apply(params, $0).sliced(axis: 1, i..<i + 1).sum() }.doubles
      #expect((0..<4).filter { slopes[$0] != 0 } == parents[i])
    }
  }

  @Test(arguments: [
    ([[1], [0]], "a cycle among the numbers [0, 1]"), ([[], [1]], "got 1 among the parents of 1"),
    ([[0], [0, 1]], "each number without itself (an adjacency matrix of zuko"),
    ([[], [2]], "numbers in 0..<2, got 2"), ([[]], "one list for each of 2 numbers, got 1 lists"),
  ])
  func wrongParentsAreRefused(_ parents: [[Int]], _ text: String) {
    let error = #expect(throws: FlowError.self) {
      _ = try Autoregressive(MADE(hidden: [4]).withParents(parents))(Key(0), inputDim: 2)
    }
    #expect("\(String(describing: error))".contains(text))
  }

  /// Hidden layers with too few units for the sets of parents would leave parents out.
  @Test(arguments: [([2], 0), ([4, 3], 0), ([4, 4], 1)]) func fewUnitsForManySetsAreRefused(
    _ hidden: [Int], _ contexts: Int
  ) throws {
    let chain = (0..<5).map { Array(0..<$0) }
    func made(_ hidden: [Int]) -> MADE { MADE(hidden: hidden).withParents(chain) }
    let error = #expect(throws: FlowError.self) {
      _ = try Autoregressive(made(hidden))(Key(0), inputDim: 5, contextDim: contexts > 0 ? 1 : nil)
    }
    #expect(error?.description.contains("a unit for each of the different sets of parents") == true)
    _ = try Autoregressive(made(hidden.map { max($0, 4 + contexts) }))(
      Key(0), inputDim: 5, contextDim: contexts > 0 ? 1 : nil)
  }

  /// Matrices that are not positive definite or not symmetric are outside the domain. So are vectors whose
  /// length is not 1.
  @Test func domainsOfMatricesAndSpheres() throws {
    let (params, forward, _) = try FromPositiveDefinite()(Key(0), inputDim: [2, 2], dtype: .float64)
    for wrong in [[1, 2, 2, 1], [-1, 0, 0, 1], [1, 0.5, 0.4, 1], [0, 0, 0, 0]] as [[Double]] {
      #expect(throws: FlowError.self) {
        _ = try forward(params, Tensor(wrong, shape: [1, 2, 2], dtype: .float64))
      }
    }
    let (none, onto, back) = try SphereToCylinder()(Key(0), inputDim: 3, dtype: .float64)
    #expect(throws: FlowError.self) { _ = try onto(none, Tensor([[1, 1, 0]], dtype: .float64)) }
    let poles = Tensor([[0, 0, 1], [0, 0, -1], [-1, 0, 0]], dtype: .float64)
    let (cylinder, _) = try onto(none, poles)
    #expect(isClose(cylinder, Tensor([[0, 1], [0, -1], [.pi, 0]], dtype: .float64), 1e-15))
    #expect(isClose(try back(none, cylinder).outputs, poles, 1e-15))
  }
}
