import Integration
import Tensors
import Testing

/// Checkpoints: the same bits, less memory.
struct CheckpointedTests {
  private let weight = Tensor((0..<16).map { 0.3 - 0.05 * Double($0) }, shape: [4, 4], dtype: .float64)
  private let start = Tensor((0..<12).map { 0.1 * Double($0) }, shape: [3, 4], dtype: .float64)

  private func loss(_ weight: Tensor, _ x: Tensor, steps: Int, keeps: Bool?) -> Tensor {
    var state = x
    for k in 0..<steps {
      let function = { (tensors: [Tensor]) in
        [
          rungeKutta4(
            { x, t in tanh(matmul(x, tensors[1])) * (1 + t) }, at: tensors[0],
            time: Double(k) / Double(steps),
            step: 1 / Double(steps))
        ]
      }
      state =
        keeps.map { checkpointed([state, weight], keepsActivations: $0, function) }?[0]
        ?? function([state, weight])[0]
    }
    return square(state).sum()
  }

  private func gradients(steps: Int, keeps: Bool?) -> Params {
    let point: Params = ["weight": .leaf(weight), "x": .leaf(start)]
    return valueAndGradient(at: point) {
      loss($0["weight"], $0["x"], steps: steps, keeps: keeps)
    }.gradient
  }

  @Test func bitsOfStoredActivations() throws {
    let (again, stored) = (gradients(steps: 5, keeps: false), gradients(steps: 5, keeps: true))
    #expect(again.isIdentical(to: stored))
    let plain = gradients(steps: 5, keeps: nil)
    #expect(
      try again.zip(with: plain) { abs($0 - $1).max(axis: 0).doubles.max()! }.leaves.allSatisfy { $0 < 1e-13 }
    )
  }

  @Test func pullbacksCanRunTwice() {
    let (_, pullback) = vjp(at: start) { x in
      checkpointed([x], keepsActivations: true) { [square($0[0])] }[0]
    }
    let seed = Tensor.ones([3, 4], dtype: .float64)
    #expect(pullback(seed).isIdentical(to: pullback(seed)))
    #expect(pullback(seed).isIdentical(to: 2 * start))
  }

  /// Forward mode over the reverse pass: Hessians do not see the checkpoints.
  @Test func nestedTransformationsAreExact() {
    let direction = 0.1 * start + 1
    func product(_ keeps: Bool?) -> Tensor {
      jvp(at: start, along: direction) { x in
        gradient(at: x) { loss(weight, $0, steps: 3, keeps: keeps) }
      }.tangent
    }
    #expect(abs(product(false) - product(nil)).doubles.max()! < 1e-12)
  }

  /// The memory of a long solve grows by its states, not by its activations.
  @Test func memoryGrowsByStates() {
    func peak(_ steps: Int, _ keeps: Bool) -> Int {
      TensorMemory.peak { gradients(steps: steps, keeps: keeps) }.bytes
    }
    let growth = (peak(60, false) - peak(20, false)) / 40
    let storing = (peak(60, true) - peak(20, true)) / 40
    // A state has 96 bytes, in blocks of 128; a step has some twenty results.
    #expect(growth <= 512 && storing > 4 * growth, "\(growth) \(storing)")
  }
}
