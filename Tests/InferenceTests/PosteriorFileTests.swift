import Bijections
import Distributions
import Files
import Foundation
import Networks
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

/// Posteriors in files.
@Suite struct PosteriorFileTests {
  private static let flow = Flow.maf(layers: 2, hidden: [8])
  private static let chains = EnsembleSlice(
    chains: 16, sweeps: 40, mostSweeps: 400, largestRHat: 1.2, smallestSampleSize: 50)
  private static let embedding = Summary(hidden: [6], width: 3)

  private static func posterior(
    _ method: InferenceMethod, _ embedding: Summary? = nil, rounds: Int = 1
  ) throws -> InferredPosterior {
    try infer(
      simulator: ConjugateModel.simulate, prior: .uniform(from: [-2, -3], to: [2, 3]),
      observed: Tensor([[1.0, -0.5]]), by: method, simulations: 100, rounds: rounds, embedding: embedding,
      key: Key(1), epochs: 3, progress: .silent)
  }

  private static func opened(
    _ bytes: [UInt8], _ method: InferenceMethod, _ embedding: Summary? = nil,
    prior: SimulationPrior? = nil
  ) throws -> InferredPosterior {
    let own = try prior ?? .uniform(from: [-2, -3], to: [2, 3])
    return try .parse(bytes, "posterior.safetensors", own, method, embedding)
  }

  /// A posterior that was opened has all bits of the one that was written.
  @Test(arguments: [
    (InferenceMethod.posterior(flow), 2, false), (.posterior(.neuralSpline(layers: 2, hidden: [8])), 1, true),
    (.likelihood(flow), 2, false), (.ratio(MLP(hidden: [8])), 1, true),
    (.binaryRatio(MLP(hidden: [8])), 1, false),
  ]) func aFileHasAllBits(method: InferenceMethod, rounds: Int, isEmbedded: Bool) throws {
    let embedding = isEmbedded ? Self.embedding : nil
    let posterior = try Self.posterior(method, embedding, rounds: rounds)
    let again = try Self.opened(posterior.bytes(), method, embedding)
    #expect(again.observed.doubles == posterior.observed.doubles)
    #expect(again.fitted.history == posterior.fitted.history)
    #expect(again.fitted.bestRecord == posterior.fitted.bestRecord)
    #expect("\(again.rounds)" == "\(posterior.rounds)")
    let theta = Tensor([[0.8, -0.4], [0.1, 0.3], [5, 0]])
    #expect(try again.logDensity(theta).doubles == posterior.logDensity(theta).doubles)
    #expect(
      try again.sample(Key(2), count: 50, chains: Self.chains).doubles
        == posterior.sample(Key(2), count: 50, chains: Self.chains).doubles)
    #expect(try again.bytes() == posterior.bytes())
  }

  /// Parameters alone make the posterior too.
  @Test func parametersMakeAPosterior() throws {
    let posterior = try Self.posterior(.likelihood(Self.flow))
    let again = try InferredPosterior(
      params: posterior.fitted.params, observed: posterior.observed, prior: posterior.prior,
      by: .likelihood(Self.flow))
    let theta = Tensor([[0.8, -0.4], [0.1, 0.3]])
    #expect(try again.logDensity(theta).doubles == posterior.logDensity(theta).doubles)
    #expect(throws: FlowError.self) {
      try InferredPosterior(
        params: posterior.fitted.params, observed: posterior.observed, prior: posterior.prior,
        by: .likelihood(.maf(layers: 1, hidden: [8])))
    }
  }

  /// The file on the disk, and a path that cannot be read.
  @Test func filesAreWrittenAndRead() throws {
    let posterior = try Self.posterior(.posterior(Self.flow))
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).st").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try posterior.write(to: path)
    let again = try InferredPosterior.read(path, prior: posterior.prior, by: .posterior(Self.flow))
    #expect(try again.sample(Key(2), count: 5).doubles == posterior.sample(Key(2), count: 5).doubles)
    #expect(throws: FlowError.self) {
      try InferredPosterior.read(path + "x", prior: posterior.prior, by: .posterior(Self.flow))
    }
  }

  /// Each changed byte and each cut is a typed error.
  @Test func damagedFilesAreErrors() throws {
    let bytes = try Self.posterior(.posterior(Self.flow)).bytes()
    for place in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[place] ^= 0x11
      #expect(throws: FlowError.self) { try Self.opened(damaged, .posterior(Self.flow)) }
      #expect(throws: FlowError.self) { try Self.opened(Array(bytes[..<place]), .posterior(Self.flow)) }
    }
  }

  /// Files of another kind, method, prior or network are named.
  @Test func foreignFilesAreErrors() throws {
    let posterior = try Self.posterior(.posterior(Self.flow))
    let bytes = try posterior.bytes()
    func message(_ body: () throws -> InferredPosterior) -> String {
      let error = #expect(throws: FlowError.self) { _ = try body() }
      return error.map { "\($0)" } ?? ""
    }
    let foreign = SafeTensors(posterior.fitted.params).bytes
    #expect(
      message { try Self.opened(foreign, .posterior(Self.flow)) }.contains("that InferredPosterior wrote"))
    #expect(
      message { try Self.opened(bytes, .likelihood(Self.flow)) }.contains("expected a likelihood"))
    let wider = try SimulationPrior.uniform(from: [-2, -3], to: [2, 4])
    #expect(
      message { try Self.opened(bytes, .posterior(Self.flow), prior: wider) }.contains("log-densities"))
    // Another activation has the same tree.
    let other = Flow.maf(layers: 2, hidden: [8], activation: .tanh)
    #expect(message { try Self.opened(bytes, .posterior(other)) }.contains("log-densities"))
    #expect(throws: FlowError.self) { try Self.opened(bytes, .posterior(.maf(layers: 2, hidden: [9]))) }
  }
}
