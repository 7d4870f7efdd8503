import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Foundation
import Testing

@testable import Files
@testable import Training

/// A checkpoint is taken up by the run that wrote it, and by no other.
@Suite struct CheckpointIdentityTests {
  private struct Run {
    var bijection: any Bijection = AffineCoupling(MLP(hidden: [6], activation: .relu))
    var scale = 2.0
    var data = Key(50).normal([60, 2])
    var context: Tensor?
    var objective: any Objective = MaximumLikelihood()
    var evaluation: (any Distribution)?
    var weights: Tensor?
    var start: Params?
    var freezing: Freezing = .nothing
    var key = Key(3)
    var batchSize = 20
    var optimizer: any Optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 0.001))
    var validationFraction = 0.1
    var checkpoint: Checkpoint

    func callAsFunction(epochs: Int = 1) throws -> Fitted {
      try fit(
        Flow(Serial(ActNorm(), bijection)), to: data, given: context, by: objective, evaluation: evaluation,
        weights: weights, start: start, freezing: freezing, key: key, epochs: epochs, batchSize: batchSize,
        optimizer: optimizer, validationFraction: validationFraction, checkpoint: checkpoint,
        progress: .silent)
    }
  }

  private func withRun(_ body: (Run) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).st").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(Run(checkpoint: Checkpoint(path)))
  }

  private func coupling(
    _ activation: Activation = .relu, _ scale: Affine.Scale = .bounded(2)
  ) -> any Bijection { AffineCoupling(MLP(hidden: [6], activation: activation), scale: scale) }

  @Test func eachDifferenceIsNamedInOneSentence() throws {
    try withRun { original in
      var original = original
      original.bijection = coupling()
      _ = try original()
      let file = try FileBytes.read(original.checkpoint.path)
      func refusal(_ change: (inout Run) throws -> Void) throws -> String {
        var run = original
        try change(&run)
        let error = #expect(throws: FlowError.self) { try run(epochs: 2) }
        #expect(try FileBytes.read(original.checkpoint.path) == file, "the file stays as it is")
        let text = try #require(error?.description)
        let prefix = "\(original.checkpoint.path): holds a checkpoint of another run, "
        #expect(text.hasPrefix(prefix) && !text.contains("\n"), "\(text)")
        return String(text.dropFirst(prefix.count))
      }
      let layer = "the distribution: Flow bijection Serial layers [1] AffineCoupling"
      let optimizer = "Chain links [1]"
      for (expected, change) in [
        (
          "the optimizer: \(optimizer) Adam learningRate 0.001 in the file, 0.01 now",
          { $0.optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 0.01)) }
        ),
        (
          "the optimizer: \(optimizer) Adam in the file, RMSProp now",
          { $0.optimizer = Chain(ClipByGlobalNorm(1), RMSProp(learningRate: 0.001)) }
        ),
        ("the optimizer: Chain in the file, SGD now", { $0.optimizer = SGD(learningRate: 0.1) }),
        (
          "the optimizer: Chain links [0] ClipByGlobalNorm maximum 1.0 in the file, 2.0 now",
          { $0.optimizer = Chain(ClipByGlobalNorm(2), Adam(learningRate: 0.001)) }
        ),
        (
          "\(layer) … relu in the file, tanh now",
          { $0.bijection = self.coupling(.tanh) }
        ),
        (
          "\(layer) … Affine scale bounded in the file, exponential now",
          { $0.bijection = self.coupling(.relu, .exponential) }
        ),
        (
          "\(layer) … Affine scale bounded 2.0 in the file, 3.0 now",
          { $0.bijection = self.coupling(.relu, .bounded(3)) }
        ),
        (
          "\(layer) … MLP hidden [6] in the file, [6, 6] now",
          { $0.bijection = AffineCoupling(MLP(hidden: [6, 6])) }
        ),
        (
          "the objective: MaximumLikelihood in the file, Contrastive now",
          { $0.objective = Contrastive(atoms: 3) { .zeros([$0.rows]) } }
        ),
        ("the batch size: 20 in the file, 30 now", { $0.batchSize = 30 }),
        ("the validation fraction: 0.1 in the file, 0.2 now", { $0.validationFraction = 0.2 }),
        ("the key: Key(00000000 00000003) in the file, Key(00000000 00000004) now", { $0.key = Key(4) }),
        (
          "the frozen parameters: [] in the file, [bijection/0/bias] now",
          { $0.freezing = ["bijection/0/bias"] }
        ),
        (
          "the evaluation: nil in the file, Flow now",
          { $0.evaluation = Flow(Serial(ActNorm(), self.coupling())) }
        ),
        ("the weights: nil in the file, [60] float32 ", { $0.weights = .ones([60]) }),
        ("the data: [60, 2] float32 ", { $0.data = Key(51).normal([60, 2]) }),
        ("the data: [60, 2] float32 ", { $0.data = $0.data.cast(to: .float64) }),
        ("the context: nil in the file, [60, 1] float32 ", { $0.context = .ones([60, 1]) }),
        ("the start: nil in the file, [", { $0.start = try original().params }),
      ] as [(String, (inout Run) throws -> Void)] {
        let text = try refusal(change)
        let parts = expected.split(separator: "…")  // The property names between are the layer's own.
        #expect(text.hasPrefix(parts[0]) && (parts.count == 1 || text.hasSuffix(parts[1])))
      }
      // More epochs are the same run.
      #expect(try original(epochs: 2).history.count == 2)
    }
  }

  /// Layers of one's own that differ in a closure look alike: then the first tensor that differs is named.
  @Test func treesThatDifferAreNamedByTheFirstPath() throws {
    func own(_ size: Int) -> Lambda {
      Lambda { _, site in
        site.layer("own", ["a": .leaf(.zeros([size]))]) { _, x, _ in
          (x, .zeros([x.rows]))
        } inverse: { _, y, _ in
          (y, .zeros([y.rows]))
        }
      }
    }
    try withRun { original in
      var run = original
      run.bijection = own(2)
      _ = try run()
      run.bijection = own(3)
      let error = #expect(throws: FlowError.self) { try run() }
      let expected = "another run, params/bijection/1/a: [2] float32 in the file, [3] float32 now"
      #expect(error?.description.hasSuffix(expected) == true, "\(String(describing: error))")
    }
  }

  /// No address and no hash order: the text is the same in every process.
  @Test func descriptionsHoldWhatCounts() throws {
    struct Odd {
      let set: Set<Int> = [3, 1, 2]
      let table = ["b": 2, "a": 1]
      let function: @Sendable (Int) -> Int = { $0 }
      let none: Int? = nil
      let pair = (1, two: "x")
      let shape: Shape = [2, 3]
      let numbers = Tensor([1, 2])
    }
    let odd = RunDescription(("odd", Odd()))
    #expect(
      odd.aspects[0].text.split(separator: "\n") == [
        "\tOdd", "Odd set\t[1, 2, 3]", "Odd table\t[key a; value 1, key b; value 2]",
        "Odd function\tfunction", "Odd none\tnil", "Odd pair .0\t1", "Odd pair two\tx",
        "Odd shape\t[2, 3]", "Odd numbers\t\(Tensor([1, 2]).fingerprint)",
      ])
    let about = RunDescription(("flow", Flow.neuralSpline(layers: 2, bound: 4)))
    #expect(about.aspects[0].text.contains("bound\t4.0") && !about.aspects[0].text.contains("0x"))
  }

  /// Every file that differs in one byte is refused, or is read as the state that was written.
  @Test func everyDamagedByteIsFound() throws {
    try withRun { original in
      var run = original
      run.data = Tensor([[1], [2]])
      run.bijection = ActNorm()
      run.optimizer = SGD(learningRate: 0.01)
      _ = try run()
      let bytes = try FileBytes.read(run.checkpoint.path)
      #expect(Seal.isIntact(bytes))
      var accepted = 0
      for i in bytes.indices {
        var damaged = bytes
        damaged[i] ^= UInt8(1 + i * 37 % 255)
        if Seal.isIntact(damaged) { accepted += 1 }
      }
      #expect(accepted == 0, "of \(bytes.count)")
      // The same through `fit`, for some of them.
      for i in stride(from: 0, to: bytes.count, by: 97) {
        var damaged = bytes
        damaged[i] ^= 1
        try FileBytes.write(damaged, to: run.checkpoint.path)
        #expect(throws: FlowError.self) { try run(epochs: 2) }
      }
      // Shorter, longer, empty.
      for damaged in [Array(bytes.dropLast()), bytes + [0], []] {
        try FileBytes.write(damaged, to: run.checkpoint.path)
        #expect(throws: FlowError.self) { try run(epochs: 2) }
      }
    }
  }

  /// The file of an earlier version: its parts, without a description and a checksum.
  @Test func filesOfEarlierVersionsAreRefusedWithAdvice() throws {
    try withRun { run in
      let params = try run().params
      try SafeTensors(
        trees: [("params", params), ("optimizer", .empty), ("lastGood", params)],
        metadata: ["swift-flows": "0.1.0", "step": "3", "epoch": "1", "row": "0", "total": "0.0"]
      ).write(to: run.checkpoint.path)
      let error = #expect(throws: FlowError.self) { try run() }
      #expect(error?.description.contains("earlier versions") == true)
      #expect(error?.description.contains("to fit as start") == true)
      // As the sentence says.
      var next = run
      next.start = try SafeTensors.read(run.checkpoint.path).tree(under: "params", like: params)
      next.checkpoint = Checkpoint(run.checkpoint.path + "2")
      defer { try? FileManager.default.removeItem(atPath: next.checkpoint.path) }
      #expect(try next().history.count == 1)
    }
  }

  /// Texts that differ where their lines are read alike are told apart without a crash.
  @Test func linesThatAreReadAlike() {
    for (saved, own) in [("x", "x\tx"), ("a\n\nb", "a\nb"), ("", "\n")] {
      #expect(RunDescription.firstDifference(saved, own) != nil)
      #expect(RunDescription.firstDifference(own, own) == nil)
    }
  }
}
