import Bijections
import Distributions
import Foundation
import Randomness
import Tensors
import TestSupport
import Testing
import Training

/// Numbers from Tests/Fixtures/make_variational.py: the papers' formulas under jax, numpyro, scipy and ArviZ,
/// in float64.
struct VariationalFixture: Decodable {
  typealias Array = FixtureArray
  struct Layer: Decodable {
    let layer, variant: String
    let params: [String: Array]
    let x, y: Array
    let logDet: [Double]

    var bijection: any Bijection {
      switch layer {
      case "Sylvester": Sylvester(units: Int(variant)!)
      case "Hamiltonian":
        Hamiltonian(steps: Int(variant)!) { q in
          (-0.25 * square(square(q)) - 0.5 * square(q) - 0.3 * q).sumPerRow()
        }
      default: preconditionFailure("no layer \(layer)")
      }
    }
  }
  struct Constraint: Decodable {
    let name: String
    let y, x: Array
    let logDet: [Double]

    var bijection: any Bijection {
      switch name {
      case "simplex": FromSimplex()
      case "ordered": FromOrdered()
      case "correlation": FromCorrelationCholesky()
      case "above 2": FromInterval(above: 2)
      case "-1 to 3": FromInterval(-1, 3)
      default: preconditionFailure("no constraint \(name)")
      }
    }
  }
  struct Density: Decodable {
    let name: String
    let x, gradient: Array
    let logDensity: [Double]
    let data: [String: Array]?

    func target() throws -> Target {
      switch name {
      case "Banana 2", "Banana 3": try Target(Banana(), inputDim: name.hasSuffix("2") ? 2 : 3)
      case "Funnel": try Target(Funnel(), inputDim: 3)
      case "WarpedGaussian": try Target(WarpedGaussian(), inputDim: 2)
      case "Cross": try Target(Cross(), inputDim: 2)
      case "eight schools centered": .eightSchools(.centered)
      case "eight schools nonCentered": .eightSchools(.nonCentered)
      case "logistic regression":
        .logisticRegression(
          features: try #require(data?["features"]).tensor, labels: try #require(data?["labels"]).tensor,
          priorDeviation: 1.5)
      default: preconditionFailure("no target \(name)")
      }
    }
  }
  struct KHat: Decodable {
    let logWeights: [Double]
    let k: Double
  }
  let layers: [Layer]
  let constraints: [Constraint]
  let targets: [Density]
  let kHats: [KHat]

  static func load() throws -> VariationalFixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/variational.json")
    return try JSONDecoder().decode(VariationalFixture.self, from: Data(contentsOf: file))
  }
}

@Suite struct VariationalReferenceTests {
  private func vector(_ values: [Double]) -> Tensor { Tensor(values, dtype: .float64) }

  @Test func layersEqualThePapersFormulas() throws {
    for item in try VariationalFixture.load().layers {
      let (params, forward, inverse) = try item.bijection(
        Key(0), inputDim: Shape([item.x.shape[1]]), dtype: .float64)
      let given = try params.setting(item.params)
      let (y, logDet) = try forward(given, item.x.tensor)
      #expect(close(y, item.y.tensor, 1e-12), "\(item.layer)")
      #expect(close(logDet, vector(item.logDet), 1e-11), "\(item.layer)")
      #expect(close(try inverse(given, item.y.tensor).outputs, item.x.tensor, 1e-11), "\(item.layer)")
    }
  }

  /// From the reals to the constrained side and back, with numpyro's log-determinants.
  @Test func constraintsEqualStans() throws {
    for item in try VariationalFixture.load().constraints {
      let (params, forward, inverse) = try item.bijection(
        Key(0), inputDim: Shape(Swift.Array(item.x.shape.dropFirst())), dtype: .float64)
      let (x, logDet) = try inverse(params, item.y.tensor)
      #expect(close(x, item.x.tensor, 1e-12), "\(item.name)")
      #expect(close(logDet, vector(item.logDet), 1e-11), "\(item.name)")
      let (y, back) = try forward(params, item.x.tensor)
      #expect(close(y, item.y.tensor, 1e-9), "\(item.name)")
      #expect(close(-back, vector(item.logDet), 1e-9), "\(item.name)")
    }
  }

  @Test func targetsAndTheirGradientsEqualScipysAndJax() throws {
    for item in try VariationalFixture.load().targets {
      let target = try item.target()
      let x = item.x.tensor
      #expect(close(try target(x), vector(item.logDensity), 1e-12), "\(item.name)")
      let slope = try gradient(at: x) { try target.logDensity($0).sum() }
      #expect(close(slope, item.gradient.tensor, 1e-10), "\(item.name)")
      let single = try target(x.cast(to: .float32)).cast(to: .float64)
      #expect(close(single, vector(item.logDensity), 1e-4), "\(item.name) in float32")
    }
  }

  @Test func paretoShapeEqualsArviZ() throws {
    for item in try VariationalFixture.load().kHats {
      let k = ImportanceWeights(logWeights: item.logWeights).paretoK
      #expect(abs(k - item.k) < 1e-9, "\(item.logWeights.count) weights: \(k), ArviZ \(item.k)")
    }
  }

  private func close(_ a: Tensor, _ b: Tensor, _ tolerance: Double) -> Bool {
    a.shape == b.shape
      && zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }
}
