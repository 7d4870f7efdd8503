import ExampleSupport
import Flows

/// The sizes of the pairs and of the fits.
struct Settings {
  let pairs, steps, width: Int
  /// κ of the draws; 0: by held-out rows.
  let kappa: Double
  /// The steps from a latent to its row.
  let integration: Int

  /// The bandwidth that suits held-out rows, or that of the κ that is asked for.
  func bandwidth(_ rows: Tensor, heldOut: Tensor) throws -> Double {
    if kappa > 0 { return (1 - kappa).squareRoot() }
    return min(0.999, try KernelDensity(of: rows, choosingBy: heldOut).bandwidth)
  }

  /// The epochs of so many rows that take the settings' steps of 256 rows.
  func epochs(_ rows: Int) -> Int { max(1, steps / max(1, rows * 9 / 10 / 256)) }

  /// Adam at a rate that falls to 0, and a running mean of the parameters.
  func optimizer(rate: Double) -> any Optimizer {
    MovingAverage(
      Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(rate, steps: steps))), decay: 0.99)
  }
}

/// The sliced Wasserstein distance of blocks of rows to a distribution: the mean over 64 directions of W₁
/// between projections. The distribution is known by its quantiles, from a large sample.
struct SlicedDistance {
  static let directions = 64
  let block: Int
  private let units: Tensor
  private let quantiles: [[Double]]

  /// Takes the quantiles of a sample, whose number of rows is a multiple of a block's.
  init(to sample: Tensor, block: Int) {
    let directions = Key(7).normal([Self.directions, sample.shape[1]])
    units = directions / sqrt(square(directions).sum(axis: 1, keepDims: true))
    self.block = block
    let (projections, share) = (matmul(units, sample, transposeB: true), sample.rows / block)
    quantiles = (0..<Self.directions).map { i in
      let sorted = projections[i].doubles.sorted()
      return (0..<block).map { j in
        sorted[j * share..<(j + 1) * share].reduce(0, +) / Double(share)
      }
    }
  }

  /// The mean distance of consecutive blocks, and its standard error.
  func callAsFunction(_ rows: Tensor) -> (mean: Double, error: Double) {
    let count = rows.rows / block
    let distances = (0..<count).map { k -> Double in
      let projections = matmul(units, rows[k * block..<(k + 1) * block], transposeB: true)
      let sums = (0..<Self.directions).map { i in
        zip(projections[i].doubles.sorted(), quantiles[i]).reduce(0) { $0 + abs($1.0 - $1.1) }
      }
      return sums.reduce(0, +) / Double(block * Self.directions)
    }
    let mean = distances.reduce(0, +) / Double(count)
    let square = distances.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(count - 1, 1))
    return (mean, (square / Double(count)).squareRoot())
  }
}

/// Writes a row of the table: a name and numbers.
func printRow(_ name: String, _ numbers: [String]) {
  print(column(name, 22) + numbers.map { column($0, 18) }.joined())
}
