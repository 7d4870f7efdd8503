import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// What `Tests/Fixtures/make_optimizers.py` wrote.
struct OptaxFixture: Decodable {
  let shapes: [String: [Int]]
  let initial: Leaves
  let gradients: [Leaves]
  let schedules: [ScheduleCase]
  let optimizers: [OptimizerCase]

  typealias Leaves = [String: [Double]]

  struct ScheduleCase: Decodable, CustomTestStringConvertible {
    let kind: String
    let settings: Settings
    let values: [Double]
    var testDescription: String { "\(kind) \(settings)" }
  }

  struct OptimizerCase: Decodable, CustomTestStringConvertible {
    let kind: String
    let settings: Settings
    let parameters: [Leaves]
    var testDescription: String { "\(kind) \(settings)" }
  }

  /// Named numbers; a truth value is 1 or 0.
  struct Settings: Decodable, CustomStringConvertible {
    let values: [String: Double]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let entries = try container.decode([String: Entry].self)
      values = entries.mapValues(\.value)
    }

    subscript(name: String) -> Double { values[name]! }
    func count(_ name: String) -> Int { Int(self[name]) }
    var description: String {
      values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private struct Entry: Decodable {
      let value: Double
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
          value = flag ? 1 : 0
        } else {
          value = try container.decode(Double.self)
        }
      }
    }
  }

  static let shared: OptaxFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/optimizers.json")
    do { return try JSONDecoder().decode(OptaxFixture.self, from: Data(contentsOf: file)) } catch {
      fatalError("\(file.path): \(error)")
    }
  }()

  func tree(_ leaves: Leaves) -> Params {
    .branch(
      leaves.keys.sorted().map {
        .init($0, .leaf(Tensor(doubles: leaves[$0]!, shape: Shape(shapes[$0]!))))
      })
  }
}

extension OptaxFixture.ScheduleCase {
  var schedule: Schedule? {
    let s = settings
    switch kind {
    case "constant": return .constant(s["value"])
    case "cosineDecay":
      return .cosine(s["initial"], steps: s.count("steps"), final: s["alpha"] * s["initial"])
    case "warmupCosine": return .warmUpCosine(s)
    case "exponentialDecay":
      return .exponential(
        s["initial"], factor: s["rate"], steps: s.count("steps"), inStairs: s["staircase"] == 1)
    case "linear": return .linear(from: s["initial"], to: s["final"], steps: s.count("steps"))
    case "warmupConstant": return .warmUp(steps: s.count("warmup"), then: .constant(s["peak"]))
    default: return nil
    }
  }
}

extension Schedule {
  /// optax counts the warm-up's steps in `steps`.
  fileprivate static func warmUpCosine(_ s: OptaxFixture.Settings) -> Schedule {
    let (warmUp, all) = (s.count("warmup"), s.count("steps"))
    return .warmUp(steps: warmUp, then: .cosine(s["peak"], steps: all - warmUp, final: s["final"]))
  }
}

extension OptaxFixture.OptimizerCase {
  var optimizer: (any Optimizer)? {
    let s = settings
    let rate = s.values["learningRate"].map { Schedule.constant($0) } ?? .warmUpCosine(s)
    func adam() -> Adam {
      Adam(learningRate: rate, beta1: s["beta1"], beta2: s["beta2"], epsilon: s["epsilon"])
    }
    switch kind {
    case "sgd":
      return SGD(learningRate: rate, momentum: s.values["momentum"] ?? 0, nesterov: s.values["nesterov"] == 1)
    case "adam", "adam+warmupCosine": return adam()
    case "adamw":
      return AdamW(
        learningRate: rate, weightDecay: s["weightDecay"], beta1: s["beta1"], beta2: s["beta2"],
        epsilon: s["epsilon"])
    case "rmsprop": return RMSProp(learningRate: rate, decay: s["decay"], epsilon: s["epsilon"])
    case "adagrad": return Adagrad(learningRate: rate, initial: s["initial"], epsilon: s["epsilon"])
    case "clipByGlobalNorm+sgd": return Chain(ClipByGlobalNorm(s["maxNorm"]), SGD(learningRate: rate))
    case "clipByGlobalNorm+adam": return Chain(ClipByGlobalNorm(s["maxNorm"]), adam())
    default: return nil
    }
  }
}

@Suite struct OptaxTests {
  @Test(arguments: OptaxFixture.shared.schedules) func schedule(_ row: OptaxFixture.ScheduleCase) throws {
    let schedule = try #require(row.schedule, "a schedule of kind \(row.kind)")
    for (step, expected) in row.values.enumerated() {
      #expect(abs(schedule(step) - expected) <= 1e-15, "step \(step)")
    }
  }

  @Test(arguments: OptaxFixture.shared.optimizers) func optimizer(_ row: OptaxFixture.OptimizerCase) throws {
    let fixture = OptaxFixture.shared
    let optimizer = try #require(row.optimizer, "an optimizer of kind \(row.kind)")
    var params = fixture.tree(fixture.initial)
    var state = optimizer.initialize(params)
    #expect(row.parameters.count == 10)
    for (step, expected) in row.parameters.enumerated() {
      (params, state) = try optimizer.update(fixture.tree(fixture.gradients[step]), state, params)
      let close = try params.zip(with: fixture.tree(expected)) { isClose($0, $1, 1e-12) }
      #expect(close.leaves.allSatisfy { $0 }, "step \(step)")
    }
  }

  @Test func literalsAreConstants() {
    let (a, b): (Schedule, Schedule) = (0.5, 2)
    #expect((a(0), a(99)) == (0.5, 0.5))
    #expect(b(7) == 2)
  }
}
