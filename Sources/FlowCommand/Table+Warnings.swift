import FittedModels
import Flows

extension Table {
  /// The columns whose numbers have no density, by their positions.
  struct Discrete {
    /// The columns of whole numbers that recur.
    var whole: [Int] = []
    /// The others where more than 5% of the rows have the same number.
    var spiked: [Int] = []
    /// The sorted numbers of each column, in a sample of the rows.
    let sorted: [[Double]]

    var isEmpty: Bool { whole.isEmpty && spiked.isEmpty }
  }

  /// The columns whose numbers have no density, by a sample of the rows.
  func discrete() -> Discrete {
    let sample = sample()
    let columns = (0..<values.shape[1]).map { sample.sliced(axis: 1, $0..<$0 + 1).doubles.sorted() }
    var discrete = Discrete(sorted: columns)
    discrete.whole = columns.indices.filter { column in
      columns[column].allSatisfy { $0.rounded() == $0 } && mostTies(columns[column]) > 1
    }
    discrete.spiked = columns.indices.filter { column in
      !discrete.whole.contains(column)
        && mostTies(columns[column]) > max(2, columns[column].count / 20)
    }
    return discrete
  }

  /// At most 20,000 rows and about four million numbers, which tell enough.
  private func sample() -> Tensor {
    let step = max(1, values.rows / max(100, min(20_000, (1 << 22) / values.shape[1])))
    return values.rows(Array(stride(from: 0, to: values.rows, by: step)))
  }

  /// Warns of data that a continuous density does not suit, one line for each kind.
  func warnOfUnsuitableData(_ discrete: Discrete, _ scales: Scales?, _ notices: Notices) {
    let (rows, width) = (values.rows, values.shape[1])
    let source = file.source
    let isText = if case .texts = file { true } else { false }
    let enough = max(100, 10 * width)
    if rows < enough {
      notices.warn(
        "\(counted(rows, "row")) are few for \(counted(width, "column")); "
          + "\(enough) or more give a held-out likelihood that one can trust")
    }
    if !discrete.whole.isEmpty {
      notices.warn(
        "\(source): only whole numbers in \(list(discrete.whole)); the flow treats them as continuous, and "
          + "its likelihood can grow without bound"
          + (context == nil && isText
            ? "; --type \(quotedInOption(name(discrete.whole[0]))):integer takes cells" : ""))
    }
    if !discrete.spiked.isEmpty {
      notices.warn(
        "\(source): more than 5% of the rows have the same number in \(list(discrete.spiked)); "
          + "the density there can grow without bound")
    }
    let sample = sample()
    let standardized = (scales ?? Scales(of: sample)).standardized(sample)
    for line in LinearDependence.all(in: standardized).warnings(source, name) { notices.warn(line) }
    let named = discrete.sorted.indices.filter { mayIdentifyRows(discrete.sorted[$0], named: name($0)) }
    if !named.isEmpty { notices.warn(Self.identifiers(named.map(name), in: source)) }
  }

  /// The warning of columns whose numbers all differ.
  static func identifiers(_ names: [String], in source: String) -> String {
    let list = names.map(quotedInOption).joined(separator: ",")
    return "\(source): all whole numbers of \(list) differ, as those that name the rows do; if they do, "
      + "--without \(list) leaves them out"
  }

  /// The names of some columns, of which the first five are listed.
  private func list(_ columns: [Int]) -> String {
    let shown = columns.prefix(5).map(name).joined(separator: ", ")
    return columns.count > 5 ? "\(shown) and \(columns.count - 5) more columns" : shown
  }

  /// The number of times that the most frequent of sorted numbers occurs.
  private func mostTies(_ sorted: [Double]) -> Int {
    var (most, count) = (0, 0)
    for (i, number) in sorted.enumerated() {
      count = i > 0 && sorted[i - 1] == number ? count + 1 : 1
      most = max(most, count)
    }
    return most
  }
}
