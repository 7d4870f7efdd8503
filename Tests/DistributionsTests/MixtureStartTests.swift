import Distributions
import Randomness
import Tensors
import Testing

/// The start of a learned `GaussianMixture` from data, by expectation-maximization.
@Suite struct MixtureStartTests {
  /// 2,000 rows of two clusters with weights 0.3 and 0.7, means (-4, 0) and (3, 1).
  private let rows: Tensor = {
    let isFirst = (Key(0).uniform([2_000], dtype: .float64) .< 0.3).cast(to: .float64).expanded(axis: 1)
    let noise = Key(1).normal([2_000, 2], dtype: .float64)
    let first =
      matmul(noise, Tensor([[1, 0.5], [0, 0.5]], dtype: .float64)) + Tensor([-4, 0], dtype: .float64)
    let second =
      matmul(noise, Tensor([[0.5, -0.3], [0, 1]], dtype: .float64)) + Tensor([3, 1], dtype: .float64)
    return isFirst * first + (1 - isFirst) * second
  }()

  @Test func recoversClusters() throws {
    let (params, logPDF, _) = try GaussianMixture(components: 2, shrinkage: 1e-3)(
      Key(3), inputDim: 2, initInputs: rows, dtype: .float64)
    let weights = params["logWeights"].softmax(axis: 0).doubles
    let order = weights[0] < weights[1] ? [0, 1] : [1, 0]
    #expect(abs(weights[order[0]] - 0.3) < 0.03)
    for (k, mean) in zip(order, [[-4.0, 0], [3, 1]]) {
      let found = params.child("components").child(k)["mean"].doubles
      #expect(zip(found, mean).allSatisfy { abs($0 - $1) < 0.15 }, "\(found)")
    }
    let truth = GaussianMixture(
      means: [[-4, 0], [3, 1]],
      covariances: [[[1, 0.5], [0.5, 0.5]], [[0.25, -0.15], [-0.15, 1.09]]], weights: [0.3, 0.7])
    let exact = try truth(Key(0), inputDim: 2, dtype: .float64)
    let gap = try (logPDF(params, rows) - exact.logPDF(exact.params, rows)).mean().item
    // A maximum of the likelihood is above the truth's, by about half the number of parameters per row.
    #expect(gap > 0 && gap < 0.01, "\(gap)")
  }

  /// One component is the mean and the covariance; the shrinkage is that of the documented formula.
  @Test func oneComponentIsTheNormal() throws {
    let shrinkage = 50.0
    let (params, _, _) = try GaussianMixture(components: 1, shrinkage: shrinkage)(
      Key(3), inputDim: 2, initInputs: rows, dtype: .float64)
    let mean = rows.mean(axis: 0)
    let scatter = matmul(rows - mean, rows - mean, transposeA: true)
    let variance = square(rows - mean).mean(axis: 0)
    let wanted = (scatter + shrinkage * variance.diagonalMatrix()) / (2_000 + shrinkage)
    let component = params.child("components").child(0)
    let (diagonal, entry) = (exp(component["logDiagonal"]), component["entries"])
    let factor = Tensor(
      [diagonal.doubles[0], 0, entry.doubles[0], diagonal.doubles[1]], shape: [2, 2], dtype: .float64)
    let found = matmul(factor, factor, transposeB: true)
    #expect(abs(found - wanted).max(axis: 0).max(axis: 0).item < 1e-9)
    #expect(abs(component["mean"] - mean).max(axis: 0).item < 1e-12)
  }

  /// Rows that leave nothing to estimate give a finite mixture: equal rows, one row, fewer than components.
  @Test(arguments: [(1, 1), (2, 1), (3, 8), (5, 2)])
  func degenerateRows(count: Int, components: Int) throws {
    for data in [rows[0..<count], Tensor.ones([count, 2], dtype: .float64)] {
      let (params, logPDF, sample) = try GaussianMixture(components: components)(
        Key(3), inputDim: 2, initInputs: data, dtype: .float64)
      #expect(try logPDF(params, rows).isFinite)
      #expect(try sample(Key(1), params, count: 10).isFinite)
    }
  }
}
