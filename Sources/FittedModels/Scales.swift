import Files
import Tensors

/// The map that standardizes columns in float64: a log where it is asked for, minus a mean, over a deviation.
///
/// Columns far from 0, such as times in seconds, keep their digits: only the standardized numbers are rounded
/// to the model's dtype.
package struct Scales: Sendable, Equatable {
  package let mean, deviation: [Double]
  /// Whether the log of each column is standardized.
  package let logs: [Bool]

  /// Computes the mean and deviation of float64 columns, or of their logs. A constant column keeps its scale.
  ///
  /// Powers of two keep squares and sums in the range of float64. They change no bits.
  package init(of values: Tensor, logs: [Bool]? = nil) {
    let logs = logs ?? [Bool](repeating: false, count: values.shape[1])
    let zeros = Tensor.zeros([values.shape[1]], dtype: .float64)
    self.init(rows: values.rows, logs: logs) { step in values.pieces.reduce(zeros) { step($0, values[$1]) } }
  }

  /// The same of so many rows, which are read in pieces.
  ///
  /// - Parameter reduce: combines all pieces, in their order, one after the other with zeros.
  package init<Failure: Error>(
    rows: Int, logs: [Bool],
    _ reduce: (_ step: @escaping (Tensor, Tensor) -> Tensor) throws(Failure) -> Tensor
  ) throws(Failure) {
    func total(_ step: @escaping (Tensor, Tensor) -> Tensor) throws(Failure) -> Tensor {
      try reduce { step($0, Scales.logarithms($1, where: logs)) }
    }
    let top = Scales.power(of: try total { maximum($0, abs($1).max(axis: 0)) })
    let mean = try total { $0 + ($1 / top).sum(axis: 0) } / Double(rows) * top
    let unit = Scales.power(of: try total { maximum($0, abs($1 - mean).max(axis: 0)) })
    let squares = try total { $0 + square(($1 - mean) / unit).sum(axis: 0) }
    let deviation = sqrt(squares / Double(rows)) * unit
    self.logs = logs
    self.mean = mean.doubles
    self.deviation = deviation.doubles.map { $0 > 0 ? $0 : 1 }
  }

  /// Takes logs of some columns, and changes no others.
  package init(logs: [Bool]) {
    self.logs = logs
    mean = logs.map { _ in 0 }
    deviation = logs.map { _ in 1 }
  }

  /// The scales of a mean and a deviation; nil if they are not finite and positive.
  package init?(mean: [Double], deviation: [Double], logs: [Bool]? = nil) {
    let logs = logs ?? mean.map { _ in false }
    guard deviation.count == mean.count, logs.count == mean.count, (mean + deviation).allSatisfy(\.isFinite),
      deviation.allSatisfy({ $0 > 0 })
    else { return nil }
    (self.mean, self.deviation, self.logs) = (mean, deviation, logs)
  }

  /// The standardized rows, rounded to a dtype piece by piece.
  package func standardized(_ rows: Tensor, roundedTo dtype: DType) -> Tensor {
    concatenate(rows.pieces.map { standardized(rows[$0]).cast(to: dtype) }, axis: 0)
  }

  /// The standardized rows in float64.
  package func standardized(_ rows: Tensor) -> Tensor {
    (Scales.logarithms(rows.cast(to: .float64), where: logs) - vector(mean)) / vector(deviation)
  }

  /// The rows of standardized ones, in float64.
  package func restored(_ rows: Tensor) -> Tensor {
    let columns = rows.cast(to: .float64) * vector(deviation) + vector(mean)
    return logs.contains(true)
      ? select(where: mask.broadcast(to: columns.shape), exp(columns), columns) : columns
  }

  /// The log|det J| of standardizing each row, in float64.
  package func logDet(_ rows: Tensor) -> Tensor {
    let constant = -log(vector(deviation)).sum()
    guard logs.contains(true) else { return constant.broadcast(to: [rows.rows]) }
    let ones = Tensor.ones(rows.shape, dtype: .float64)
    let safe = select(where: mask.broadcast(to: rows.shape), rows.cast(to: .float64), ones)
    return constant - log(safe).sumPerRow()
  }

  private var mask: Tensor { vector(logs.map { $0 ? 1 : 0 }) .> 0 }

  private func vector(_ numbers: [Double]) -> Tensor { Tensor(doubles: numbers, shape: [numbers.count]) }

  private static func logarithms(_ values: Tensor, where logs: [Bool]) -> Tensor {
    guard logs.contains(true) else { return values }
    let mask = Tensor(logs.map { $0 ? 1 : 0 }, dtype: .float64) .> 0
    let wide = mask.broadcast(to: values.shape)
    return select(where: wide, log(select(where: wide, values, 1)), values)
  }

  /// The power of two at or below each number; 1 for 0.
  private static func power(of numbers: Tensor) -> Tensor {
    let powers = numbers.doubles.map { number in
      number > 0 && number.isFinite ? max(number.binade, 0x1p-1000) : 1
    }
    return Tensor(doubles: powers, shape: [powers.count])
  }
}

extension Scales {
  /// The value for a model file.
  package var json: JSON {
    [
      "mean": .array(mean.map(JSON.number)), "deviation": .array(deviation.map(JSON.number)),
      "log": .array(logs.map(JSON.bool)),
    ]
  }

  /// Reads the value of `json`; nil for any other JSON.
  package init?(_ json: JSON) {
    guard let mean = json["mean"]?.array?.compactMap(\.number),
      let deviation = json["deviation"]?.array?.compactMap(\.number)
    else { return nil }
    self.init(mean: mean, deviation: deviation, logs: json["log"]?.array?.map { $0 == true })
  }
}

extension Tensor {
  /// Ranges of rows with about a million numbers each. Working on one at a time saves memory.
  package var pieces: [Range<Int>] {
    let size = Swift.max(1, (1 << 20) / Swift.max(shape.sample.count, 1))
    return stride(from: 0, to: rows, by: size).map { $0..<Swift.min($0 + size, rows) }
  }
}
