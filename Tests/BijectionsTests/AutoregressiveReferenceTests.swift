import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// What `Tests/Fixtures/make_autoregressive.py` wrote: what flowjax and numpy's polynomials computed.
private struct AutoregressiveFixture: Decodable {
  let flowjax: [Reference]
  let bnaf: [Reference]
  let sos: [Polynomials]

  struct Reference: Decodable {
    let size, contexts: Int
    let hidden: [Int]
    let layers: [[String: [Double]]]
    let inputs, context, outputs, logDets: [Double]
    let gate: [Double]?

    func rows(_ values: [Double], _ width: Int) -> Tensor {
      Tensor(doubles: values, shape: [values.count / max(width, 1), width])
    }
    var contextDim: Shape? { contexts > 0 ? [contexts] : nil }
    var given: Tensor? { contexts > 0 ? rows(context, contexts) : nil }

    /// The initial tree with its numbers replaced by the fixture's, in place of the leaf of the same name.
    func loaded(into params: Params, at path: String, _ label: String) throws -> Params {
      var params = params
      for (i, layer) in layers.enumerated() {
        for (name, values) in layer {
          let path = "\(path)\(label)_\(i)/\(name)"
          let shape = try #require(params[path: path]?.value?.shape, "\(path)")
          params = try params.replacing(path, by: .leaf(Tensor(doubles: values, shape: shape)))
        }
      }
      return params
    }

    func check(_ params: Params, _ forward: Mapping, _ inverse: Mapping) throws {
      let x = rows(inputs, size)
      let (y, logDet) = try forward(params, x, given: given)
      #expect(isClose(y, rows(outputs, size), 1e-10))
      #expect(isClose(logDet, Tensor(logDets, dtype: .float64), 1e-10))
      let (back, backLogDet) = try inverse(params, rows(outputs, size), given: given)
      #expect(isClose(back, x, 1e-8))
      #expect(isClose(-backLogDet, logDet, 1e-8))
    }
  }

  struct Polynomials: Decodable {
    let polynomials, degree: Int
    let minimumSlope: Double
    let inputs, parameters, outputs, logDets: [Double]
  }

  static let shared: AutoregressiveFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/autoregressive.json")
    do { return try JSONDecoder().decode(Self.self, from: Data(contentsOf: file)) } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

@Suite struct AutoregressiveReferenceTests {
  private let fixture = AutoregressiveFixture.shared

  @Test(arguments: 0..<3) func agreesWithFlowjax(_ i: Int) throws {
    let reference = fixture.flowjax[i]
    let bijection = Autoregressive(
      MADE(hidden: reference.hidden, activation: .tanh), Affine(scale: .exponential))
    let (params, forward, inverse) = try bijection(
      Key(0), inputDim: [reference.size], contextDim: reference.contextDim, dtype: .float64)
    try reference.check(try reference.loaded(into: params, at: "net/", "dense"), forward, inverse)
  }

  @Test(arguments: 0..<3) func blockNetworkAgreesWithFlowjax(_ i: Int) throws {
    let reference = fixture.bnaf[i]
    let (initial, forward, inverse) = try BlockAutoregressive(hidden: reference.hidden)(
      Key(0), inputDim: [reference.size], contextDim: reference.contextDim, dtype: .float64)
    let gate = Tensor(try #require(reference.gate), dtype: .float64)
    let params = try reference.loaded(into: initial, at: "", "layer").replacing("gate", by: .leaf(gate))
    try reference.check(params, forward, inverse)
  }

  @Test(arguments: 0..<3) func sumOfSquaresAgreesWithNumpy(_ i: Int) throws {
    let reference = fixture.sos[i]
    let transformer = SumOfSquares(
      polynomials: reference.polynomials, degree: reference.degree, minimumSlope: reference.minimumSlope)
    let raw = Tensor(doubles: reference.parameters, shape: [4, transformer.parameterCount * 3])
    let x = Tensor(doubles: reference.inputs, shape: [4, 3])
    let (y, logDet) = transformer.forward(x, raw)
    #expect(isClose(y, Tensor(doubles: reference.outputs, shape: [4, 3]), 1e-10))
    #expect(isClose(logDet, Tensor(reference.logDets, dtype: .float64), 1e-10))
    let (back, backLogDet) = transformer.inverse(y, raw)
    #expect(isClose(back, x, 1e-10))
    #expect(isClose(backLogDet, -logDet, 1e-10))
  }
}
