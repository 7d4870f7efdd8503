import Flows

extension Table {
  /// Warns of data that a continuous density does not suit, one line for each kind.
  func warnOfUnsuitableData(_ scales: Scales?, _ notices: Notices) {
    let (rows, width) = (values.rows, values.shape[1])
    let source = file.source
    let enough = max(100, 10 * width)
    if rows < enough {
      notices.warn(
        "\(counted(rows, "row")) are few for \(counted(width, "column")); "
          + "\(enough) or more give a held-out likelihood that one can trust")
    }
    // At most 20,000 rows and about four million numbers tell enough.
    let step = max(1, rows / max(100, min(20_000, (1 << 22) / width)))
    let sample = values.rows(Array(stride(from: 0, to: rows, by: step)))
    let columns = (0..<width).map { sample.sliced(axis: 1, $0..<$0 + 1).doubles.sorted() }
    let whole = columns.indices.filter { column in
      columns[column].allSatisfy { $0.rounded() == $0 } && mostTies(columns[column]) > 1
    }
    if !whole.isEmpty {
      notices.warn(
        "\(source): only whole numbers in \(list(whole)); the flow treats them as continuous, and its "
          + "likelihood can grow without bound; --type \(quotedInOption(name(whole[0]))):integer takes cells")
    }
    let spiked = columns.indices.filter { column in
      !whole.contains(column) && mostTies(columns[column]) > max(2, sample.rows / 20)
    }
    if !spiked.isEmpty {
      notices.warn(
        "\(source): more than 5% of the rows have the same number in \(list(spiked)); "
          + "the density there can grow without bound")
    }
    let twins = twins(in: sample, scales)
    if !twins.isEmpty {
      let pairs = twins.map { "\(name($0)) and \(name($1))" }.joined(separator: ", ")
      notices.warn(
        "\(source): columns hold the same numbers up to scale: \(pairs); "
          + "leave one out by --without, since their joint density is unbounded")
    }
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

  /// The pairs of columns that are linear functions of each other, each column with its first twin.
  ///
  /// Standardized columns are compared up to sign: first a few rows rounded to six digits, then all.
  private func twins(in sample: Tensor, _ scales: Scales?) -> [(Int, Int)] {
    let standardized = (scales ?? Scales(of: sample)).standardized(sample)
    let probes = standardized.rows(Array(stride(from: 0, to: sample.rows, by: max(1, sample.rows / 32))))
    var (first, twins): ([[Double]: Int], [(Int, Int)]) = ([:], [])
    for column in 0..<sample.shape[1] {
      let numbers = probes.sliced(axis: 1, column..<column + 1).doubles
      let sign = (numbers.first { $0 != 0 } ?? 1) < 0 ? -1.0 : 1
      let key = numbers.map { ($0 * sign * 1e6).rounded() }
      guard let other = first[key] else {
        first[key] = column
        continue
      }
      let own = standardized.sliced(axis: 1, column..<column + 1)
      let others = standardized.sliced(axis: 1, other..<other + 1)
      let distance = min(abs(own - others).max(axis: 0).item, abs(own + others).max(axis: 0).item)
      if distance < 1e-6 { twins.append((other, column)) }
    }
    return twins
  }
}
