import Bijections
import Foundation
import Randomness
import Tensors
import TestSupport
import Testing

/// Numbers from Tests/Fixtures/make_elementwise.py, computed in 120 digits.
private struct Fixture: Decodable {
  struct Map: Decodable {
    let name: String
    var parameter: Double?
    var dtype: String?
    let x: [Double]
    let y: [Double]
    let logSlope: [Double]

    var bijection: any Bijection {
      switch name {
      case "Sigmoid": Sigmoid()
      case "Tanh": Tanh()
      case "Softplus": Softplus()
      case "Exp": Exp()
      case "LeakyReLU": LeakyReLU(slope: parameter!)
      case "Power": Power(parameter!)
      case "BoxCox": BoxCox(lambda: parameter!)
      case "YeoJohnson": YeoJohnson(lambda: parameter!)
      default: preconditionFailure("no layer \(name)")
      }
    }
  }
  let maps: [Map]
  let inverses: [Map]

  static func load() throws -> Fixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/elementwise.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
  }
}

/// Numbers as rows of one: a log-det each.
private func column(_ values: [Double], _ dtype: DType = .float64) -> Tensor {
  Tensor(values, shape: [values.count, 1], dtype: dtype)
}

@Suite struct ElementwiseTests {
  @Test func valuesAndSlopesAreRightInFloat64() throws {
    for map in try Fixture.load().maps {
      let (params, forward, _) = try map.bijection(Key(0), inputDim: 1, dtype: .float64)
      let (y, logDet) = try forward(params, column(map.x))
      #expect(isClose(y, column(map.y), 1e-12), "\(map.name) \(map.parameter ?? 0): \(y)")
      #expect(
        isClose(logDet, Tensor(map.logSlope, dtype: .float64), 1e-12),
        "\(map.name) \(map.parameter ?? 0): \(logDet)")
    }
  }

  /// At ±100, and at ±17 and ±18, where log(s (1 − s)) breaks in float32, the log-dets are right to single
  /// precision. The outputs may saturate or overflow.
  @Test func slopesAreRightInFloat32() throws {
    for map in try Fixture.load().maps {
      let (params, forward, _) = try map.bijection(Key(0), inputDim: 1)
      let (y, logDet) = try forward(params, column(map.x, .float32))
      #expect(logDet.isFinite)
      #expect(
        isClose(logDet, Tensor(map.logSlope, dtype: .float32), 1e-6),
        "\(map.name) \(map.parameter ?? 0): \(logDet)")
      // Overflow is the map's own. In a bounded codomain it ends at the largest number.
      for (found, expected) in zip(y.doubles, map.y) {
        if abs(expected) > Double(Float.greatestFiniteMagnitude) {
          let end = forward.codomain.values == .reals ? .infinity : Double(Float.greatestFiniteMagnitude)
          #expect(found == (expected > 0 ? end : -end), "\(map.name) overflows")
        } else {
          #expect(abs(found - expected) <= 1e-5 * max(1, abs(expected)), "\(map.name) \(map.parameter ?? 0)")
        }
      }
    }
  }

  /// Next to the ends of the domain in each dtype.
  @Test func inversesAreRightAtTheEnds() throws {
    for map in try Fixture.load().inverses {
      let (dtype, tolerance) = map.dtype == "float32" ? (DType.float32, 1e-6) : (.float64, 1e-12)
      let (params, _, inverse) = try map.bijection(Key(0), inputDim: 1, dtype: dtype)
      let (x, logDet) = try inverse(params, column(map.y, dtype))
      for (found, expected) in zip(x.doubles, map.x) {
        #expect(
          abs(found - expected) <= tolerance * abs(expected),
          "\(map.name) \(dtype): \(found), not \(expected)")
      }
      #expect(
        isClose(logDet, Tensor(map.logSlope, dtype: dtype), tolerance), "\(map.name) \(dtype): \(logDet)")
    }
  }

  /// The gradient of the log-det stays finite where the output has saturated.
  @Test(arguments: [DType.float32, .float64]) func gradientsAreFiniteAtSaturation(_ dtype: DType) throws {
    for map in try Fixture.load().maps where map.x.contains(-100) {
      let (params, forward, _) = try map.bijection(Key(0), inputDim: 1, dtype: dtype)
      let slope = try gradient(at: column(map.x, dtype)) { try forward(params, $0).logDet.sum() }
      #expect(slope.isFinite, "\(map.name) \(map.parameter ?? 0): \(slope)")
    }
  }

  @Test func jaxFlowsSigmoidBreaksWhereOursDoesNot() throws {
    let x = Tensor([[18]], dtype: .float32)
    let y = sigmoid(x)
    #expect(log(y * (1 - y)).item == -.infinity)
    let (params, forward, _) = try Sigmoid()(Key(0), inputDim: 1)
    #expect(abs(try forward(params, x).logDet.item + 18) < 1e-5)
  }

  struct Outside: Sendable, CustomTestStringConvertible {
    let layer: any Bijection
    let values: [Double]
    var testDescription: String { "\(layer)" }
  }

  /// The value where a domain ends and one beyond: no clip, an error that names the row.
  @Test(arguments: [
    Outside(layer: Logit(), values: [0, 1, -0.5, 1.5]),
    Outside(layer: Inverted(Sigmoid()), values: [0, 1]),
    Outside(layer: Inverted(Tanh()), values: [-1, 1, 2]),
    Outside(layer: Inverted(Softplus()), values: [0, -1]),
    Outside(layer: Log(), values: [0, -1]),
    Outside(layer: Inverted(Exp()), values: [0, -1]),
    Outside(layer: Power(3), values: [0, -1]),
    Outside(layer: Inverted(Power(-1)), values: [0, -1]),
    Outside(layer: BoxCox(lambda: 0.5), values: [0, -1]),
    Outside(layer: Inverted(BoxCox(lambda: 0.5)), values: [-2, -3]),
    Outside(layer: Inverted(BoxCox(lambda: -0.5)), values: [2, 3]),
    Outside(layer: Inverted(YeoJohnson(lambda: -1)), values: [1, 2]),
    Outside(layer: Inverted(YeoJohnson(lambda: 3)), values: [-1, -2]),
  ]) func valuesOutsideThrow(_ outside: Outside) throws {
    for dtype in [DType.float32, .float64] {
      let (params, forward, _) = try outside.layer(Key(0), inputDim: 1, dtype: dtype)
      let inside = forward.domain.values == .unitInterval || outside.layer is Inverted ? 0.25 : 1
      #expect(throws: Never.self) { try forward(params, column([inside], dtype)) }
      for value in outside.values {
        let error = #expect(throws: FlowError.self) { try forward(params, column([inside, value], dtype)) }
        guard case .outsideDomain(_, _, value, 1) = error else {
          Issue.record("expected .outsideDomain for \(value) in row 1, got \(String(describing: error))")
          continue
        }
      }
      // Inside a chain too, where the values come from another layer.
      let chain = Serial(ElementwiseAffine(), outside.layer)
      let (chained, through, _) = try chain(Key(0), inputDim: 1, dtype: dtype)
      #expect(throws: FlowError.self) { try through(chained, column([outside.values[0]], dtype)) }
    }
  }

  @Test func errorsNameTheLayer() throws {
    let (params, forward, _) = try Logit()(Key(0), inputDim: 1)
    #expect(throws: FlowError.outsideDomain(who: "Logit", expected: "between 0 and 1", got: 1, row: 0)) {
      try forward(params, Tensor([[1]]))
    }
  }

  @Test func nanStaysInItsRow() throws {
    for layer: any Bijection in [Logit(), Log(), YeoJohnson(lambda: 0.5), BoxCox(lambda: 2), Tanh()] {
      let (params, forward, _) = try layer(Key(0), inputDim: 1)
      let (y, logDet) = try forward(params, Tensor([[0.5], [.nan]]))
      #expect(y.doubles[0].isFinite && y.doubles[1].isNaN)
      #expect(logDet.doubles[0].isFinite && logDet.doubles[1].isNaN)
    }
  }

  /// λ = 1 changes nothing, which the laws' refusal of zero log-dets keeps out of the table.
  @Test func yeoJohnsonWithLambdaOneIsTheIdentity() throws {
    let (params, forward, _) = try YeoJohnson(lambda: 1)(Key(0), inputDim: 4, dtype: .float64)
    let x = Tensor([[-100, -0.5, 0, 3]], dtype: .float64)
    let (y, logDet) = try forward(params, x)
    #expect(isClose(y, x, 1e-14))
    #expect(logDet.doubles == [0])
  }
}
