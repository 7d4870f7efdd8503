import Bijections
import Distributions
import Files
import Randomness
import Tensors
import Training
import Foundation
import Testing

/// Rows on the disk, and states to go on from.
extension FitTests {
  @Test func mappedRowsGiveTheBitsOfRowsInMemory() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).npy").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let data = gaussianData(150)
    try NPY.write(data, to: path)
    func run(_ data: some RowSource) throws -> Fitted {
      try fit(smallFlow, to: data, key: Key(3), epochs: 2, batchSize: 40, progress: .silent)
    }
    let (mapped, inMemory) = (try run(MappedArray(path)), try run(data))
    #expect(mapped.params.isIdentical(to: inMemory.params) && mapped.history == inMemory.history)
    let search = try findLearningRate(smallFlow, to: MappedArray(path), key: Key(1), steps: 10)
    #expect(search == (try findLearningRate(smallFlow, to: data, key: Key(1), steps: 10)))
    var rows = (0..<150).map { [Double($0), 1] }
    rows[77][0] = .nan
    try NPY.write(Tensor(rows), to: path)
    let error = #expect(throws: FlowError.self) { try run(MappedArray(path)) }
    #expect(error?.description == "fit: expected finite data, got NaN or infinity in row 77")
  }

  @Test func goesOnFromAState() throws {
    let data = gaussianData(100)
    func run(
      _ epochs: Int, continuing state: FitState? = nil, freezing: Freezing = ["bijection/0"]
    ) throws -> Fitted {
      try fit(
        smallFlow, to: data, continuing: state, freezing: freezing, key: Key(3), epochs: epochs,
        batchSize: 30, optimizer: Adam(learningRate: 1e-3), progress: .silent)
    }
    let whole = try run(4)
    let rest = try run(4, continuing: run(2).state)
    #expect(rest.params.isIdentical(to: whole.params) && rest.history == whole.history)
    #expect(throws: FlowError.self) { try run(5, continuing: whole.state, freezing: .nothing) }
    #expect(throws: FlowError.self) {
      try fit(Flow(ActNorm()), to: data, continuing: whole.state, key: Key(3), progress: .silent)
    }
  }

  /// Schedules say what they are.
  @Test func schedulesHaveWords() {
    #expect("\(0.001 as Schedule)" == "0.001" && "\(Schedule { 1 / Double($0) })" == "function")
    #expect(
      "\(Schedule.warmUp(steps: 5, then: .cosine(0.1, steps: 9)))"
        == "warmUp(steps: 5, then: cosine(0.1, steps: 9, final: 0.0))")
  }
}
