import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training
import Verification

private let data = Key(1).normal([300, 3], dtype: .float64)
private let net = ResidualMLP(width: 6, dropout: 0.4, lastWeight: .glorotUniform)
private let masked = MADE(width: 7, residualBlocks: 2, dropout: 0.4, lastWeight: .glorotUniform)
private let flows = [
  Flow(Serial(AffineCoupling(net), Reverse(), AffineCoupling(net))), Flow(Autoregressive(masked)),
]

/// Dropout by the objective: masks of the step's key, for each row and unit.
@Suite struct DropoutTests {
  private func step(_ flow: Flow, _ rows: Tensor, key: Key = Key(5)) throws -> (Params, TrainingStep) {
    let (params, logPDF, sample) = try flow(Key(2), inputDim: 3, dtype: .float64)
    return (
      params.perturbed(Key(3), by: 0.3), TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: key)
    )
  }

  /// The losses of a part of the rows are those of the whole there, so shards change no bit.
  @Test(arguments: flows.indices) func masksBelongToRows(_ i: Int) throws {
    let (params, step) = try step(flows[i], data)
    let losses = try Dropout().losses(step)
    let whole = try losses(params, 0..<300)
    for rows in [0..<1, 17..<150, 150..<300] {
      #expect(try losses(params, rows).isIdentical(to: whole[rows]))
    }
    // Equal rows have different losses, and other keys give other ones.
    let (_, same) = try self.step(flows[i], data[0..<1].broadcast(to: [50, 3]))
    #expect(Set(try Dropout().losses(same)(params, 0..<50).doubles).count > 10)
    let (_, other) = try self.step(flows[i], data, key: Key(6))
    #expect(try !Dropout().losses(other)(params, 0..<300).isIdentical(to: whole))
  }

  /// A network without its last layer's nonlinear part: the mean over masks is the network itself, and a unit
  /// is there with probability 1 − p, then 1/(1 − p) times as large.
  @Test func masksHaveMeanOne() throws {
    let identity = ResidualMLP(
      width: 1, blocks: 1, activation: .identity, dropout: 0.4, weight: .ones, lastWeight: .ones)
    let flow = Flow(Coupling(identity, Shift()))
    let count = 4_000
    let (_, logPDF, sample) = try flow(Key(2), inputDim: 2, dtype: .float64)
    let params = try flow(Key(2), inputDim: 2, dtype: .float64).params
    let rows = Tensor([[1, 0]], dtype: .float64).broadcast(to: [count, 2])
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(7))
    // The shift of 0 is h + mask h with h = 1: −log p = ½ (1 + (1 + mask)²) + log 2π.
    let losses = try Dropout().losses(step)(params, 0..<count)
    let shift = sqrt(2 * (losses - 1.8378770664093454) - 1)
    let masks = Set((shift - 1).doubles.map { ($0 * 1e6).rounded() / 1e6 })
    #expect(masks == [0, (1e6 / 0.6).rounded() / 1e6])
    #expect(abs((shift - 1).mean().item - 1) < 4 * (0.4 / 0.6 / Double(count)).squareRoot())
  }

  /// Held-out losses, densities and draws use all units; without `dropout:` nothing changes.
  @Test(arguments: flows.indices) func onlyTrainingDrops(_ i: Int) throws {
    let (params, step) = try step(flows[i], data)
    let plain = try MaximumLikelihood().value(step)(params)
    #expect(try Dropout().value(step)(params).isIdentical(to: plain))
    #expect(try !isClose(Dropout().valueAndGradient(at: params, step).value, plain, 1e-6))
    let bare = Flow(AffineCoupling(MLP(hidden: [5], lastWeight: .glorotUniform)))
    let (own, there) = try self.step(bare, data)
    let (a, b) = (
      try Dropout().valueAndGradient(at: own, there), try MaximumLikelihood().valueAndGradient(at: own, there)
    )
    #expect(a.value.isIdentical(to: b.value) && a.gradient.isIdentical(to: b.gradient))
  }

  /// The gradient is that of the masked losses.
  @Test(arguments: flows.indices) func gradient(_ i: Int) throws {
    let (params, step) = try step(flows[i], data[0..<20])
    let losses = try Dropout().losses(step)
    let gradient = try Dropout().valueAndGradient(at: params, step).gradient
    let direction = gradient.filled(with: 0).perturbed(Key(8), by: 1)
    func moved(_ by: Double) throws -> Tensor {
      try losses(params.zipLearned(with: direction) { $0 + by * $1 }, 0..<20).mean()
    }
    let slope = (try moved(1e-6) - moved(-1e-6)) / 2e-6
    let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    #expect(abs(claimed - slope.item) < 1e-5 * (1 + abs(claimed)))
  }

  /// A fit has the same bits again, and other ones than a fit without dropout.
  @Test func fits() throws {
    let rows = data.cast(to: .float32)
    func fitted(_ objective: some RowObjective) throws -> Fitted {
      try fit(
        Flow.residualNeuralSpline(steps: 1, width: 8, dropout: 0.3, bins: 3), to: rows, by: objective,
        key: Key(4), epochs: 2, batchSize: 100, patience: nil, progress: .silent)
    }
    let (a, b, plain) = (try fitted(Dropout()), try fitted(Dropout()), try fitted(MaximumLikelihood()))
    #expect(a.params.isIdentical(to: b.params) && !a.params.isIdentical(to: plain.params))
    // The probabilities stay in the tree.
    #expect(a.params[path: "bijection/1/net/block_0/dropout"]?.value?.shape == [8])
    #expect(try a.logPDF(a.params, rows).isFinite)
  }
}
