import Flows
import Foundation
import Testing

// A user's own functions with the names of draws, distributions and layers.
private func random() -> Double { 0.25 }
private func random(_ count: Int) -> [Double] { .init(repeating: random(), count: count) }
private func normal(_ mean: Double = 0, _ deviation: Double = 1) -> Double { mean + deviation * random() }
private func uniform(_ range: ClosedRange<Double>) -> Double { range.lowerBound }
private func shuffle<T>(_ values: [T]) -> [T] { values.reversed() }
private func permutation(_ count: Int) -> [Int] { Array((0..<count).reversed()) }
private func choice(_ values: [Double]) -> Double { values[0] }
private func sample(_ count: Int) -> [Double] { random(count) }
private func bits() -> UInt64 { 7 }
private func split(_ text: String) -> [String] { text.components(separatedBy: " ") }
private func fit(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
private func gradient(_ x: Double) -> Double { 2 * x }
private func log(_ message: String) -> String { "log: \(message)" }
private func exp(_ experiment: [String]) -> Int { experiment.count }

/// A user's own types with the names of Flows' types.
private enum Owner {
  struct Normal { var mean = 1.0 }
  struct Shape { var sides = 4 }

  static func random() -> Normal { Normal() }
}

@Suite struct OwnNameTests {
  @Test func functionsOfOnesOwn() {
    #expect(random() == 0.25 && random(2) == [0.25, 0.25] && normal() == 0.25 && normal(1, 2) == 1.5)
    #expect(uniform(0...1) == 0 && shuffle([1, 2]) == [2, 1] && permutation(2) == [1, 0])
    #expect(choice([3, 4]) == 3 && sample(1) == [0.25] && bits() == 7 && split("a b") == ["a", "b"])
    #expect(fit([1, 3]) == 2 && gradient(3) == 6 && Owner.random().mean == 1 && Owner.Shape().sides == 4)
  }

  /// A user's overload of `log` hides neither Foundation's nor Flows'.
  @Test func overloadsOfOnesOwn() {
    #expect(log("started") == "log: started" && log(1.0) == 0 && log(Tensor([1])).floats == [0])
    #expect(exp(["a", "b"]) == 2 && exp(0.0) == 1 && exp(Tensor([0])).floats == [1])
  }

  @Test func flowsDrawsBesideThem() throws {
    let draws = Key(0).normal([2]) + Key(1).uniform([2]) * normal()
    #expect(draws.shape == [2] && Key(2).permutation(3).count == 3 && Double.random(in: 0..<1) < 1)
    #expect([1, 2, 3].shuffled().count == 3 && [1].randomElement() == 1)
    let (params, logPDF, _) = try Flow(Shuffle(), prior: Normal())(Key(0), inputDim: 2)
    #expect(try logPDF(params, Tensor([[0, 0]])).shape == [1])
  }

  /// Foundation's types beside Flows': none but the names in this test's file is asked for by its module.
  @Test func typesOfBothModules() throws {
    let data = Data([1, 2]), url = URL(filePath: "/tmp"), date = Date(timeIntervalSince1970: 0)
    let unit: Unit = UnitLength.meters
    let size: Measurement<UnitLength> = Measurement(value: 1, unit: .meters)
    let progress: Progress = Progress(totalUnitCount: 4)
    #expect(progress.totalUnitCount == 4)
    let operation = Operation(), queue = OperationQueue(), lock = NSLock()
    #expect(data.count == 2 && !url.path.isEmpty && date < Date() && unit.symbol == "m" && size.value == 1)
    #expect(!operation.isFinished && queue.operationCount == 0 && lock.try())
    let (shape, key, tree): (Shape, Key, Tree<Tensor>) = ([2], Key(0), ["w": .leaf(Tensor([1]))])
    #expect(shape.count == 2 && key == Key(0) && tree.leaves.count == 1)
  }
}
