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
    var (total, judged) = (0.0, 0)
    for fold in heldOut where !fold.isEmpty {
      let count = rows - fold.count
      func read(_ rows: [Int]) throws -> Tensor { try Self.flat(data.rows(rows), context?.rows(rows)) }
      guard let joint = try logDensity(Complement(of: fold, in: rows), count, fold, read) else { return nil }
      total += joint
      if let context {
        func read(_ rows: [Int]) -> Tensor { Self.flat(context.rows(rows), nil) }
        guard let own = try logDensity(Complement(of: fold, in: rows), count, fold, read) else { return nil }
        total -= own
      }
      judged += fold.count
    }
    return judged > 0 && total.isFinite ? -total / Double(judged) : nil
  }

  /// Rows as vectors in float64, followed by their context.
  private static func flat(_ rows: Tensor, _ context: Tensor?) -> Tensor {
    let own = rows.reshaped(to: [rows.rows, rows.shape.sample.count]).cast(to: .float64)
    return context.map { concatenate([own, flat($0, nil)], axis: 1) } ?? own
  }

  /// The sum of the log-densities of some rows under the normal of others; nil for a singular covariance.
  private func logDensity(
    _ training: Complement, _ count: Int, _ heldOut: [Int], _ read: ([Int]) throws -> Tensor
  ) throws -> Double? {
    guard count > 0 else { return nil }
    func pieces(_ rows: some Sequence<Int>, _ body: (Tensor) throws -> Void) throws {
      var piece: [Int] = []
      for row in rows {
        piece.append(row)
        guard piece.count == 4_096 else { continue }
        try body(read(piece))
        piece.removeAll(keepingCapacity: true)
      }
      if !piece.isEmpty { try body(read(piece)) }
    }
    var (sum, products) = (Tensor.zeros([1], dtype: .float64), Tensor.zeros([1, 1], dtype: .float64))
    try pieces(training) { sum = sum + $0.sum(axis: 0) }
    let mean = sum / Double(count)
    try pieces(training) { products = products + matmul($0 - mean, $0 - mean, transposeA: true) }
    let normal = MultivariateNormal(
      mean: .fixed(mean), covariance: .fixed(products / Double(count)))
    guard
      let (params, logPDF, _) = try? normal(Key(0), inputDim: Shape([mean.count]), dtype: .float64)
    else { return nil }
    var total = 0.0
    try pieces(heldOut) { total += try logPDF(params, $0).sum().item }
    return total
  }
}

/// The row numbers below a count that are not among some, in rising order.
private struct Complement: Sequence {
  private let isLeftOut: [Bool]

  init(of rows: [Int], in count: Int) {
    var marks = [Bool](repeating: false, count: count)
    for row in rows { marks[row] = true }
    isLeftOut = marks
  }

  func makeIterator() -> some IteratorProtocol<Int> {
    isLeftOut.indices.lazy.filter { !isLeftOut[$0] }.makeIterator()
  }
}
