import Flows

/// Rows to train on, to choose by and to test with, and the loss of the true density where that is known.
public struct DataSet: Sendable {
  /// The name.
  public let name: String
  /// The rows of each part.
  public let training, validation, test: Tensor
  /// The loss of the true density on the test rows, where it is known.
  public private(set) var trueLoss: Double?

  /// The names of all sets.
  public static let names = ToySet.allCases.map(\.rawValue) + ["mixture-43d", "breast-cancer", "digits"]

  /// The data set of a name.
  public init(_ name: String, _ key: Key) throws {
    self.name = name
    if let toy = ToySet(rawValue: name) {
      training = toy.draw(key.folded(in: 0), count: 20_000)
      validation = toy.draw(key.folded(in: 1), count: 2_000)
      test = toy.draw(key.folded(in: 2), count: 10_000)
    } else if name == "mixture-43d" {
      let (params, logPDF, sample) = try DataSet.mixture(key.folded(in: 3))
      func draw(_ purpose: Int, _ count: Int) throws -> Tensor {
        try sample(key.folded(in: purpose), params, count: count).cast(to: .float32)
      }
      (training, validation, test) = (try draw(0, 10_000), try draw(1, 1_000), try draw(2, 2_000))
      trueLoss = -(try logPDF(params, test.cast(to: .float64))).mean().item
    } else {
      let rows = name == "digits" ? try DataSet.digits(key) : try DataSet.breastCancer()
      let order = key.folded(in: 4).permutation(rows.rows)
      let held = rows.rows / 5
      let parts = [order[..<held], order[held..<held + rows.rows / 10], order[(held + rows.rows / 10)...]]
      let (test, validation, training) = (
        rows.rows(Array(parts[0])), rows.rows(Array(parts[1])), rows.rows(Array(parts[2]))
      )
      let (mean, spread) = (training.mean(axis: 0), deviation(training) + 1e-3)
      func standardized(_ rows: Tensor) -> Tensor { (rows - mean) / spread }
      self.training = standardized(training)
      (self.validation, self.test) = (standardized(validation), standardized(test))
    }
  }

  /// Eight normal distributions in 43 dimensions with full covariances.
  private static func mixture(_ key: Key) throws -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let size = 43
    let components = (0..<8).map { k -> MultivariateNormal in
      let own = key.folded(in: k)
      let factor = own.folded(in: 0).normal([size, 6], dtype: .float64) / 6.0.squareRoot()
      let covariance =
        matmul(factor, factor, transposeB: true)
        + Tensor.full([size], 0.1, dtype: .float64).diagonalMatrix()
      let mean = 1.2 * own.folded(in: 1).normal([size], dtype: .float64)
      return MultivariateNormal(mean: .fixed(mean), covariance: .fixed(covariance))
    }
    let mixture = Mixture(components, weights: .fixed(Tensor.full([8], 1.0 / 8, dtype: .float64)))
    return try mixture(Key(0), inputDim: Shape([size]), dtype: .float64)
  }

  /// The logits of dequantized pixels of the digits, squeezed into 0.05...0.95.
  private static func digits(_ key: Key) throws -> Tensor {
    let images = try DigitImages.all()
    let grey = (images + key.folded(in: 5).uniform(images.shape)) / Double(DigitImages.levels)
    let squeezed = 0.05 + 0.9 * grey
    return (log(squeezed) - log(1 - squeezed)).reshaped(to: [images.rows, 64])
  }

  /// The 30 measurements of UCI's breast cancer table.
  private static func breastCancer() throws -> Tensor {
    try CSV.read(exampleFile("tabular/breast_cancer.csv")).values.sliced(axis: 1, 0..<30)
  }
}
