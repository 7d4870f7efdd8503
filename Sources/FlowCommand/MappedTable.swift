import Arguments
import FittedModels
import Flows

/// The rows of one array file that stay on the disk. They are standardized when they are read.
struct MappedTable: RowSource {
  /// The file, for messages.
  let source: String
  let shape: Shape
  let dtype: DType
  /// The map from the data's units to those of the flow; nil for data that are taken as they are.
  private(set) var scales: Scales?
  private let array: MappedArray

  /// Maps the file of a command line; nil where it has to be read as a table.
  ///
  /// It is mapped if it is one `.npy` file of float32 or float64 in C order, and no option chooses columns or
  /// treats them one by one.
  init?(_ arguments: Arguments, _ dtype: DType) {
    let options = ["columns", "without", "context", "type", "bounds", "missing", "log", "array"]
    guard arguments.operands.count == 1, !options.contains(where: { arguments.value($0) != nil }) else {
      return nil
    }
    self.init(arguments.operands[0], dtype)
  }

  /// Maps a file; nil where it has to be read as a table, or is no such file.
  init?(_ path: String, _ dtype: DType) {
    guard path.lowercased().hasSuffix(".npy"), let array = try? MappedArray(path), array.holdsRealRows,
      (1...2).contains(array.shape.rank), array.shape.count > 0
    else { return nil }
    (self.array, self.dtype, source) = (array, dtype, FileBytes.displayed(path))
    shape = array.shape.rank == 2 ? array.shape : [array.shape[0], 1]
  }

  /// The file as a table of one row, for messages.
  var file: TableFile { .array(.zeros([1, shape[1]]), source: source) }

  /// An error at a number of the file.
  func error(row: Int, column: Int, _ message: String) -> FlowError {
    .inFile(source, row: row + 1, column: column + 1, message)
  }

  /// Whether the columns are those of a model, in their order.
  func suits(_ model: Model) -> Bool {
    let isByName = model.columns.map { Set($0).isSubset(of: file.names) } ?? false
    return model.given == nil && model.width == shape[1] && !isByName
  }

  /// The rows that a flow takes.
  func rows(_ indices: [Int]) throws(FlowError) -> Tensor {
    let values = try numbers(indices)
    return scales.map { $0.standardized(values).cast(to: dtype) } ?? values.cast(to: dtype)
  }

  /// The rows in the data's units, in float64.
  func numbers(_ indices: [Int]) throws(FlowError) -> Tensor {
    try array.rows(indices).cast(to: .float64).reshaped(to: [indices.count, shape[1]])
  }

  /// Reduces the rows in the data's units, about a million numbers at a time, in their order.
  func reduce<Value>(
    _ start: Value, _ step: (Value, Tensor, _ rows: Range<Int>) throws(FlowError) -> Value
  ) throws(FlowError) -> Value {
    var value = start
    for rows in pieces { value = try step(value, numbers(Array(rows)), rows) }
    return value
  }

  /// Calls `body` with the same pieces.
  func forEachPiece(_ body: (Tensor, _ rows: Range<Int>) throws -> Void) throws {
    for rows in pieces { try body(numbers(Array(rows)), rows) }
  }

  private var pieces: [Range<Int>] {
    let size = max(1, (1 << 20) / shape[1])
    return stride(from: 0, to: shape[0], by: size).map { $0..<min($0 + size, shape[0]) }
  }

  /// At most so many rows at equal distances, as a table.
  func sample(atMost most: Int) throws -> Table {
    let step = max(1, shape[0] / most)
    let rows = try numbers(Array(stride(from: 0, to: shape[0], by: step)))
    let file = TableFile.array(rows, source: source)
    return try Table(.init(file: file, own: file.names, context: [], isNamed: false))
  }

  /// The same rows, standardized by their means and deviations if asked for. Their bits are those of the
  /// same rows in memory.
  ///
  /// - Throws: `FlowError.file` for numbers that are not finite, and columns without a density or a scale.
  func standardized(_ isAsked: Bool) throws(FlowError) -> MappedTable {
    let (low, high) = try extremes()
    guard isAsked else {
      try checkDistinct(low, high)
      return self
    }
    if shape[0] < 2 { throw .inFile(source, "expected at least 2 rows, got 1") }
    if let flat = low.indices.first(where: { low[$0] == high[$0] }) {
      throw .inFile(
        source, column: flat + 1,
        "expected different numbers, got the same number in all rows: a constant has no density; "
          + "leave it out by --without #\(flat + 1)")
    }
    var copy = self
    let zeros = Tensor.zeros([shape[1]], dtype: .float64)
    let own = try Scales(rows: shape[0], logs: low.map { _ in false }) { (step) throws(FlowError) in
      try reduce(zeros) { (sum, piece, _) throws(FlowError) in step(sum, piece) }
    }
    if let wide = low.indices.first(where: { !own.mean[$0].isFinite || !own.deviation[$0].isFinite }) {
      throw .inFile(source, column: wide + 1, "expected a smaller range of numbers in #\(wide + 1)")
    }
    copy.scales = own
    try copy.checkSeparate(own)
    return copy
  }

  /// The lowest and the highest number of each column.
  private func extremes() throws(FlowError) -> (low: [Double], high: [Double]) {
    let width = shape[1]
    let both = try reduce((low: Tensor?.none, high: Tensor?.none)) { (both, piece, rows) throws(FlowError) in
      if let position = piece.firstNonFinite {
        throw error(
          row: rows.lowerBound + position / width, column: position % width,
          "expected a finite number, got NaN or infinity")
      }
      let (low, high) = (piece.min(axis: 0), piece.max(axis: 0))
      return (both.low.map { minimum($0, low) } ?? low, both.high.map { maximum($0, high) } ?? high)
    }
    return (both.low!.doubles, both.high!.doubles)
  }

  /// Checks that the dtype holds the numbers and tells them apart.
  private func checkDistinct(_ low: [Double], _ high: [Double]) throws(FlowError) {
    if dtype == .float64 { return }
    for column in low.indices {
      let (a, b) = (Float(low[column]), Float(high[column]))
      guard a.isFinite, b.isFinite, a != b || low[column] == high[column] else {
        throw .inFile(
          source, column: column + 1,
          "expected numbers that \(dtype) holds and tells apart in #\(column + 1), got \(low[column]) to "
            + "\(high[column]); take --dtype float64 or let them be standardized")
      }
    }
  }

  /// Checks that the middle half of each column is wider than 10⁻³⁰ standard deviations.
  private func checkSeparate(_ scales: Scales) throws(FlowError) {
    let some = try numbers(Array(stride(from: 0, to: shape[0], by: max(1, shape[0] / 10_000))))
    for column in scales.mean.indices {
      let sorted = some.sliced(axis: 1, column..<column + 1).doubles.sorted()
      let (low, high) = (sorted[sorted.count / 4], sorted[sorted.count * 3 / 4])
      guard sorted.count > 3, low < high, (high - low) / scales.deviation[column] < 1e-30 else { continue }
      throw .inFile(
        source, column: column + 1,
        "expected numbers of one scale in #\(column + 1), got some beside which the others are alike")
    }
  }
}
