import Bijections
import Distributions
import Randomness
import Tables
import Tensors
import Testing

@Suite struct MemorizationTests {
  /// As κ tends to 1, draws of a kernel density become copies of its rows.
  @Test func copiesAreFound() throws {
    let mix = Tensor([[1, 0.8], [0, 0.6]])
    func correlated(_ seed: Int) -> Tensor { matmul(Key(seed).normal([300, 2]), mix) }
    let (training, fresh) = (correlated(0), correlated(1))
    let ratios = try [0.9999, 0.99, 0.9].map { kappa -> Double in
      let density = KernelDensity(of: training, bandwidth: (1 - kappa).squareRoot())
      let (params, _, sample) = try density(Key(0), inputDim: 2)
      let draws = try sample(Key(2), params, count: 300)
      return try Memorization(of: draws, training: training, fresh: fresh).ratio
    }
    #expect(ratios[0] < 0.3 && ratios[1] > 0.5 && ratios[1] < 1 && ratios[2] > 0.85, "\(ratios)")
    let copies = try Memorization(of: training, training: training, fresh: fresh)
    #expect(copies.ratio == 0 && copies.shareCloser == 1)
  }

  @Test func wrongRows() {
    #expect(throws: FlowError.self) {
      try Memorization(of: .zeros([0, 2]), training: .zeros([3, 2]), fresh: .zeros([3, 2]))
    }
    #expect(throws: FlowError.self) {
      try Memorization(of: .zeros([3, 1]), training: .zeros([3, 2]), fresh: .zeros([3, 2]))
    }
  }

  /// A column that is constant but for the draws' rounding tells nothing, and NaN is no distance.
  @Test func constantColumnsAndNaN() throws {
    let training = concatenate(
      Key(1).normal([50, 2], dtype: .float64), .ones([50, 1], dtype: .float64), axis: 1)
    let jitter = Tensor([0, 0, 1e-6], dtype: .float64)
    let fresh = concatenate(
      Key(2).normal([50, 2], dtype: .float64), .ones([50, 1], dtype: .float64), axis: 1)
    #expect(try Memorization(of: training + jitter, training: training, fresh: fresh).ratio == 0)
    #expect(throws: FlowError.self) {
      try Memorization(of: training * .nan, training: training, fresh: fresh)
    }
    let equal = Tensor.ones([5, 2])
    #expect(throws: FlowError.self) { try Memorization(of: equal, training: equal, fresh: equal) }
  }
}
