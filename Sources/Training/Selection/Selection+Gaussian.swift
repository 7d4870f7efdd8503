import Distributions
import Randomness
import Tensors

extension Selection {
  /// The loss of a normal distribution with a full covariance on the same held-out rows, in nats per row.
  ///
  /// A flow should beat it. Each fold's normal has the mean and covariance of the rows that the fold trains
  /// on. Under a context c the density is p(x, c) / p(c) with a joint normal: a linear regression. A row
  /// costs O(D²).
  ///
  /// - Parameters:
  ///   - data: the rows of the selection.
  ///   - context: their context.
  /// - Returns: the loss, or nil if nothing was held out or a covariance is singular.
  /// - Throws: the errors of reading rows.
  public func gaussianLoss(of data: some RowSource, given context: Tensor? = nil) throws -> Double? {
    let rows = data.shape[0]
    var (total, count) = (0.0, 0)
    for fold in heldOut where !fold.isEmpty {
      let isHeldOut = Set(fold)
      let training = (0..<rows).filter { !isHeldOut.contains($0) }
      guard let joint = try logDensity(training, fold, { try Self.flat(data.rows($0), context?.rows($0)) })
      else { return nil }
      total += joint
      if let context {
        guard let own = try logDensity(training, fold, { Self.flat(context.rows($0), nil) }) else {
          return nil
        }
        total -= own
      }
      count += fold.count
    }
    return count > 0 && total.isFinite ? -total / Double(count) : nil
  }

  /// Rows as vectors in float64, followed by their context.
  private static func flat(_ rows: Tensor, _ context: Tensor?) -> Tensor {
    let own = rows.reshaped(to: [rows.rows, rows.shape.sample.count]).cast(to: .float64)
    return context.map { concatenate([own, flat($0, nil)], axis: 1) } ?? own
  }

  /// The sum of the log-densities of some rows under the normal of others; nil for a singular covariance.
  private func logDensity(
    _ training: [Int], _ heldOut: [Int], _ read: ([Int]) throws -> Tensor
  ) throws -> Double? {
    guard !training.isEmpty else { return nil }
    func pieces(_ rows: [Int], _ body: (Tensor) throws -> Void) throws {
      for start in stride(from: 0, to: rows.count, by: 4_096) {
        try body(read(Array(rows[start..<min(start + 4_096, rows.count)])))
      }
    }
    var (sum, products) = (Tensor.zeros([1], dtype: .float64), Tensor.zeros([1, 1], dtype: .float64))
    try pieces(training) { sum = sum + $0.sum(axis: 0) }
    let mean = sum / Double(training.count)
    try pieces(training) { products = products + matmul($0 - mean, $0 - mean, transposeA: true) }
    let normal = MultivariateNormal(
      mean: .fixed(mean), covariance: .fixed(products / Double(training.count)))
    guard
      let (params, logPDF, _) = try? normal(Key(0), inputDim: Shape([mean.count]), dtype: .float64)
    else { return nil }
    var total = 0.0
    try pieces(heldOut) { total += try logPDF(params, $0).sum().item }
    return total
  }
}
