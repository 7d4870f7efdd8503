import Bijections
import Distributions
import Files
import Randomness
import Tensors
@testable import Training
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

  /// Small limits stand for many rows: orders by rule, and held-out rows that are judged in pieces. The noise
  /// of each piece has a key of its own.
  @Test func manyRowsOnTheDiskGiveTheBitsOfRowsInMemory() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).npy").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let data = gaussianData(150)
    try NPY.write(data, to: path)
    var settings = FitSettings(rows: 150)
    settings.steps = 40
    func run(_ data: some RowSource) throws -> Selection {
      try RowOrder.$mostListed.withValue(100) {
        try PieceSize.$numbers.withValue(25) {
          try select(
            among: [Candidate("small", smallFlow)], fittedTo: data, settings: settings,
            key: Key(3), augment: { key, rows in rows + 0.01 * key.normal(rows.shape) }, progress: .silent)
        }
      }
    }
    let (mapped, inMemory) = (try run(MappedArray(path)), try run(data))
    #expect(mapped.params.isIdentical(to: inMemory.params))
    #expect(mapped.validationLoss == inMemory.validationLoss && mapped.heldOut == inMemory.heldOut)
    #expect(Set(mapped.heldOut.flatMap { $0 }) == Set(0..<150))
    let gaussian = try #require(try mapped.gaussianLoss(of: MappedArray(path)))
    #expect(try gaussian == inMemory.gaussianLoss(of: data))
    // Pieces give the loss of the whole, up to rounding, where nothing is drawn.
    func loss(_ numbers: Int) throws -> Double {
      let fitted = try PieceSize.$numbers.withValue(numbers) {
        try fit(smallFlow, to: data, key: Key(3), epochs: 1, batchSize: 40, progress: .silent)
      }
      return fitted.history[0].validationLoss!
    }
    #expect(abs(try loss(7) - loss(1_000)) < 1e-6)
  }

  /// The memory of tensors does not grow with the rows on the disk.
  @Test func rowsOnTheDiskTakeBoundedMemory() throws {
    func peak(_ rows: Int) throws -> Int {
      let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).npy").path
      defer { try? FileManager.default.removeItem(atPath: path) }
      try NPY.write(Key(1).normal([rows, 2]), to: path)
      let data = try MappedArray(path)
      return try PieceSize.$numbers.withValue(1 << 12) {
        try TensorMemory.peak {
          try fit(Flow(ActNorm()), to: data, key: Key(3), epochs: 1, batchSize: 4_096, progress: .silent)
        }.bytes
      }
    }
    let (few, many) = (try peak(20_000), try peak(80_000))
    #expect(many < few + few / 4 && many < 80_000 * 8, "\(few) and \(many) bytes")
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
