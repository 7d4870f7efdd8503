import Flows
import TestSupport
import Testing

/// AUTM where its paper uses it: compositions of a user's own for densities, posteriors and images.
@Suite struct AUTMTests {
  private let transformer = AUTM(units: 4, steps: 4, lipschitz: 4)

  private func bijection(_ layers: Int) -> Serial {
    Serial(
      (0..<layers).flatMap { _ -> [any Bijection] in
        [Coupling(MLP(hidden: [12], activation: .tanh), transformer), Reverse()]
      })
  }

  /// A banana: the held-out loss comes within 0.2 nats of its entropy. The best normal density has 3.22.
  @Test func densities() throws {
    let z = Key(1).normal([800, 2])
    let (a, b) = (z.sliced(axis: 1, 0..<1), z.sliced(axis: 1, 1..<2))
    let data = concatenate([a, square(a) - 1 + 0.4 * b], axis: 1)
    let fitted = try fit(
      Flow(bijection(2)), to: data[0..<600], key: Key(2), epochs: 50, batchSize: 100,
      optimizer: Adam(learningRate: .cosine(0.03, steps: 300)), validationFraction: 0, progress: .silent)
    // The mean of −log p: log 2π + 1 + log 0.4.
    let loss = -(try fitted.logPDF(fitted.params, data[600..<800])).mean().item
    #expect(loss < 1.9216 + 0.2, "\(loss)")
  }

  /// A posterior of log-evidence 3, which bound and weights come close to. Draws run the map or its inverse.
  @Test(arguments: [(false, 80), (true, 300)]) func posteriors(_ isInverted: Bool, _ iterations: Int) throws {
    let target = Target("banana", inputDim: 2) { x in
      let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
      let rest = (b - 0.5 * square(a)) / 0.5
      // The deviations' product is ½, so that log p = log 2 − log 2π − ½ a² − ½ rest²; and e³ times that.
      return 3 + 0.6931472 - 1.8378771 - 0.5 * (square(a) + square(rest)).sumPerRow()
    }
    let layers = bijection(2)
    let fitted = try fit(
      isInverted ? Flow(Inverted(layers)) : Flow(layers), to: target, by: .reverseKL(draws: 64), key: Key(3),
      iterations: iterations, optimizer: Adam(learningRate: .cosine(0.05, steps: iterations)),
      progress: .silent)
    let weights = try ImportanceWeights(fitted.sample, fitted.params, of: target, key: Key(4), draws: 500)
    #expect(abs(weights.elbo - 3) < 0.15, "\(weights.elbo)")
    #expect(abs(weights.logEvidence - 3) < 0.05, "\(weights.logEvidence)")
  }

  /// A step of Glow with AUTM couplings of convolutions.
  @Test func images() throws {
    let net = ConvNet(hidden: [4], windows: [3, 3], activation: .tanh)
    let layers = Serial(
      Squeeze(), ActNorm(), InvertibleLinear(), Coupling(net, transformer), ActNorm(), InvertibleLinear(),
      Coupling(net, transformer))
    try LogDetCheck(of: layers, inputDim: [2, 2, 1], key: Key(5)).verify(progress: .silent)
    // Every image is a sign times one pattern, with noise: not normal, and its pixels depend on each other.
    let signs = 2 * Key(6).bernoulli([120, 1, 1, 1], dtype: .float32) - 1
    let pattern = wave([1, 4, 4, 1], dtype: .float32)
    let data = signs * pattern + 0.3 * Key(7).normal([120, 4, 4, 1])
    let fitted = try fit(
      Flow(layers), to: data, key: Key(8), epochs: 10, batchSize: 40, optimizer: Adam(learningRate: 0.02),
      validationFraction: 0, progress: .silent)
    let losses = fitted.history.map(\.trainingLoss)
    #expect(losses.last! < losses[0] - 2, "\(losses)")
    let draws = try fitted.sample(Key(9), fitted.params, count: 5)
    #expect(draws.shape == [5, 4, 4, 1] && draws.isFinite)
  }
}
