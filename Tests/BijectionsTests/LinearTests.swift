import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Numbers from Tests/Fixtures/make_linear.py: what nflows, distrax, PyTorch and Flax computed in float64.
/// `JaxFlowsTests` has those of jax-flows.
struct LinearFixture: Decodable {
  typealias Array = FixtureArray

  struct Case: Decodable {
    let layer: String
    let variant: String
    let params: [String: Array]
    let x: Array
    let y: Array
    let logDet: [Double]

    var bijection: any Bijection {
      switch layer {
      case "InvertibleLinear": InvertibleLinear()
      case "Householder": Householder(reflections: Int(variant)!)
      case "QRLinear": QRLinear()
      case "TriangularAffine": TriangularAffine(variant == "lower" ? .lower : .upper)
      case "DiagonalPlusLowRank": DiagonalPlusLowRank(rank: Int(variant)!)
      case "Rotation": Rotation()
      default: preconditionFailure("no layer \(layer)")
      }
    }
  }
  struct Moving: Decodable {
    struct Step: Decodable {
      let x: Array
      let y: Array
      let logDet: [Double]
      let runningMean: Array
      let runningVariance: Array
    }
    let logScale: Array
    let bias: Array
    let momentum: Double
    let steps: [Step]
  }
  let cases: [Case]
  let batchNorm: [Moving]

  static func load() throws -> LinearFixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/linear.json")
    return try JSONDecoder().decode(LinearFixture.self, from: Data(contentsOf: file))
  }
}

@Suite struct LinearTests {
  /// Value for value with the libraries, both ways.
  @Test func valuesAreTheReferences() throws {
    let fixture = try LinearFixture.load()
    #expect(fixture.cases.count >= 14)
    for item in fixture.cases {
      let (initial, forward, inverse) = try item.bijection(
        Key(0), inputDim: item.x.tensor.shape.sample, dtype: .float64)
      let params = try initial.setting(item.params)
      let (y, logDet) = try forward(params, item.x.tensor)
      #expect(isClose(y, item.y.tensor, 1e-10), "\(item.layer) \(item.variant): \(y)")
      #expect(
        isClose(logDet, Tensor(item.logDet, dtype: .float64), 1e-10),
        "\(item.layer) \(item.variant): \(logDet)")
      let (x, back) = try inverse(params, item.y.tensor)
      #expect(isClose(x, item.x.tensor, 1e-10), "\(item.layer) \(item.variant) backwards: \(x)")
      #expect(
        isClose(-back, Tensor(item.logDet, dtype: .float64), 1e-10), "\(item.layer) \(item.variant) backwards"
      )
    }
  }

  /// The matrix of a linear layer: what it does to the unit vectors.
  private func matrix(_ bijection: any Bijection, _ size: Int, key: Key = Key(4), dtype: DType = .float64)
    throws -> Tensor
  {
    let (params, forward, _) = try bijection(key, inputDim: [size], dtype: dtype)
    return try forward(params, .identity(size, dtype: dtype)).outputs
  }

  @Test(arguments: [1, 2, 5, 20]) func orthogonalLayersAreOrthogonal(_ size: Int) throws {
    for layer: any Bijection in [
      Householder(reflections: 3), FixedInvertibleLinear(), QRLinear(), Rotation(),
    ] {
      for (dtype, tolerance) in [(DType.float32, 1e-5), (.float64, 1e-13)] {
        let q = try matrix(layer, size, dtype: dtype)
        #expect(isClose(matmul(q, q, transposeB: true), .identity(size, dtype: dtype), tolerance), "\(layer)")
      }
    }
  }

  @Test(arguments: [1, 2, 5, 20]) func trianglesMultiplyToTheMatrix(_ size: Int) throws {
    let formed = try matrix(InvertibleLinear(), size)
    #expect(isClose(try matrix(InvertibleLinear(formedChannels: 0), size), formed, 1e-13))
  }

  /// det = 1 for a rotation, (−1)ⁿ for n reflections.
  @Test func determinantsHaveTheirSign() throws {
    func determinant(_ layer: any Bijection) throws -> Double {
      let m = try matrix(layer, 2).doubles
      return m[0] * m[3] - m[1] * m[2]
    }
    #expect(abs(try determinant(Rotation()) - 1) < 1e-13)
    #expect(abs(try determinant(Householder(reflections: 1)) + 1) < 1e-13)
    #expect(abs(try determinant(Householder(reflections: 2)) - 1) < 1e-13)
  }

  @Test func aZeroVectorReflectsNothing() throws {
    let (initial, forward, _) = try Householder(reflections: 2)(Key(0), inputDim: 3)
    let params = try initial.replacing("vectors", by: .leaf(.zeros([2, 3])))
    let x = wave([4, 3], dtype: .float32)
    #expect(try forward(params, x).outputs.isIdentical(to: x))
    let slope = try gradient(at: params) { try forward($0, x).outputs.sum() }
    #expect(slope["vectors"].isFinite)
  }

  @Test func fixedLinearHasNothingToLearn() throws {
    let (params, forward, _) = try FixedInvertibleLinear()(Key(0), inputDim: 4)
    #expect(params.learnedCount == 0)
    #expect(params.leaves.count == 1)
    #expect(forward.traits.contains(.volumePreserving))
  }

  @Test func trianglesAreTriangles() throws {
    let size = 4
    for (side, zeros) in [(TriangularAffine.Side.lower, Triangle.strictlyLower), (.upper, .strictlyUpper)] {
      let (initial, forward, _) = try TriangularAffine(side)(Key(0), inputDim: [size], dtype: .float64)
      let params = initial.perturbed(Key(1), by: 1)
      let x = Tensor.identity(size, dtype: .float64)
      // Row j is T's column j: T transposed.
      let columns = try forward(params, x).outputs - params["bias"]
      #expect(abs(columns.triangle(zeros)).sum().item == 0)
      #expect(columns.diagonal().doubles.allSatisfy { $0 > 0 })
      #expect(initial["entries"].count == size * (size - 1) / 2)
    }
  }

  /// No value of the parameters is singular: wild ones still round-trip.
  @Test func lowRankStaysInvertible() throws {
    let (initial, forward, inverse) = try DiagonalPlusLowRank(rank: 2)(Key(0), inputDim: 4, dtype: .float64)
    for seed in 0..<5 {
      let params = initial.perturbed(Key(seed), by: 3)
      let x = wave([3, 4])
      let (y, logDet) = try forward(params, x)
      #expect(isClose(try inverse(params, y).outputs, x, 1e-9))
      #expect(logDet.doubles[0] >= params["logScale"].sum().item)
    }
  }

  /// One LU and two substitutions are differentiable: gradients reach every generator, at the identity too.
  @Test func rotationLearnsFromTheIdentity() throws {
    let (initial, forward, _) = try Rotation()(Key(0), inputDim: 3, dtype: .float64)
    let params = try initial.replacing("generators", by: .leaf(.zeros([3], dtype: .float64)))
    let x = wave([4, 3])
    #expect(isClose(try forward(params, x).outputs, x, 1e-15))
    let slope = try gradient(at: params) { (try forward($0, x).outputs * wave([4, 3], phase: 1)).sum() }
    #expect(slope["generators"].doubles.allSatisfy { $0 != 0 })
  }
}
