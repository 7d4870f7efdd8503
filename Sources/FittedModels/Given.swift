import Files
import Tensors

/// The context columns of a model with the mean and deviation that standardize them.
package struct Given: Sendable, Equatable {
  package let columns: [String]
  package let scales: Scales

  /// Computes the mean and deviation of context columns; a constant column keeps its scale.
  package init(_ columns: [String], of values: Tensor) {
    (self.columns, scales) = (columns, Scales(of: values.cast(to: .float64)))
  }

  /// Reads the value of `json`; nil for any other JSON.
  package init?(_ json: JSON) {
    guard let columns = json["columns"]?.array?.compactMap(\.string), (1...100_000).contains(columns.count),
      let scales = Scales(json), scales.mean.count == columns.count
    else { return nil }
    (self.columns, self.scales) = (columns, scales)
  }

  /// The value for a model file.
  package var json: JSON {
    [
      "columns": .strings(columns), "mean": .array(scales.mean.map(JSON.number)),
      "deviation": .array(scales.deviation.map(JSON.number)),
    ]
  }
}
