import Distributions
import Randomness
import Tensors
import Testing
import Training

@testable import Tables

@Suite struct LevelsTests {
  private let counts = [3, 1, 2, 4]

  /// All rows of codes.
  private func cells() -> Tensor {
    var rows: [[Double]] = [[]]
    for count in counts { rows = rows.flatMap { row in (0..<count).map { row + [Double($0)] } } }
    return Tensor(rows, dtype: .float64)
  }

  private func functions(_ key: Key) -> (AutoregressiveLevels.Functions, Params) {
    let functions = AutoregressiveLevels.Functions(counts, hidden: 12, dtype: .float64)
    var i = 0
    let params = functions.initialParams(key, nil).map { leaf in
      i += 1
      return leaf + key.folded(in: i).normal(leaf.shape, dtype: .float64)
    }
    return (functions, params)
  }

  @Test func probabilitiesSumToOne() {
    let (functions, params) = functions(Key(3))
    let all = functions.logProbability(params, cells())
    #expect(abs(exp(all).sum().item - 1) < 1e-14)
    let outside = Tensor([[3, 0, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, -1]], dtype: .float64)
    #expect(functions.logProbability(params, outside).doubles.allSatisfy { $0 == -.infinity })
  }

  /// A draw with fixed codes has the probability of its free ones, and the weight of the fixed ones.
  @Test func weightsAreConditionalProbabilities() {
    let (functions, params) = functions(Key(4))
    let (all, logs) = (cells(), functions.logProbability(params, cells()).doubles)
    let count = 20_000
    let fixed = [2: 1, 3: 2]
    let (codes, weights) = functions.draw(Key(5), params, count: count, fixed: fixed)
    let first = codes.sliced(axis: 1, 0..<1).doubles
    let total = exp(weights).doubles.reduce(0, +)
    for level in 0..<3 {
      // The exact conditional probability of the first code.
      let (rows, kept) = (all.shape[0], all.doubles)
      let fitting = (0..<rows).filter { kept[$0 * 4 + 2] == 1 && kept[$0 * 4 + 3] == 2 }
      func sum(_ rows: [Int]) -> Double { exp(Tensor(rows.map { logs[$0] }, dtype: .float64)).sum().item }
      let truth = sum(fitting.filter { kept[$0 * 4] == Double(level) }) / sum(fitting)
      let weighted = zip(first, exp(weights).doubles).reduce(0) { $0 + ($1.0 == Double(level) ? $1.1 : 0) }
      #expect(abs(weighted / total - truth) < 0.02)
      // The weights' mean is the probability of the fixed codes.
      #expect(abs(total / Double(count) - sum(fitting)) < 0.01)
    }
  }

  /// Two dependent columns are learned to their entropy.
  @Test func dependenceIsLearned() throws {
    let n = 1_000
    let joint: [Double] = [0.3, 0.05, 0.05, 0.1, 0.1, 0.4]
    let cell = Key(1).categorical(logits: log(Tensor(joint)), count: n).ints
    let codes = Tensor(cell.flatMap { [Double($0 / 2), Double($0 % 2)] }, shape: [n, 2], dtype: .float32)
    let fitted = try fit(
      AutoregressiveLevels([3, 2], hidden: 8), to: codes, key: Key(2), epochs: 40, batchSize: 100,
      optimizer: Adam(learningRate: 0.02), validationFraction: 0, progress: .silent)
    let mean = try fitted.logPDF(fitted.params, codes).mean().item
    var counts = [Double](repeating: 0, count: 6)
    for i in cell { counts[i] += 1 }
    let best = counts.reduce(0) { $0 + $1 / Double(n) * log(Tensor($1 / Double(n), dtype: .float64)).item }
    #expect(mean <= best + 1e-5 && mean > best - 3e-3, "\(mean) of at most \(best)")
  }
}
