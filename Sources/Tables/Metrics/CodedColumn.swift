/// A column of a real and a synthetic table as whole numbers, from 0: one for each category or bin.
struct CodedColumn {
  let real, synthetic: [Int]
  /// Whether bins could be made of the numbers. Ten bins do not fit into a range of few floats.
  let isSound: Bool
  /// The number of codes.
  let count: Int

  /// Numbers the categories of both tables; the missing value is one of them.
  init(_ real: [String?], _ synthetic: [String?]) {
    var codes: [String?: Int] = [:]
    func code(_ value: String?) -> Int {
      if let known = codes[value] { return known }
      codes[value] = codes.count
      return codes.count - 1
    }
    self.real = real.map(code)
    self.synthetic = synthetic.map(code)
    count = codes.count
    isSound = true
  }

  /// Cuts numbers into equal bins.
  init(_ real: [Double], _ synthetic: [Double], by binning: TableMetrics.Binning) {
    let edges = binEdges(real.present)
    switch binning {
    case .ofEachTable:
      self.real = real.map { bin(of: $0, edges) }
      let own = binEdges(synthetic.present)
      self.synthetic = synthetic.map { bin(of: $0, own) }
      isSound = isRising(edges) && isRising(own)
    case .ofRealTable:
      isSound = isRising(edges)
      let open = [-.infinity] + edges[1..<edges.count - 1] + [.infinity]
      self.real = real.map { bin(of: $0, open) }
      self.synthetic = synthetic.map { bin(of: $0, open) }
    }
    count = edges.count + 1
  }
}

/// The ends of ten equal bins from the smallest number to the largest, as NumPy's `histogram_bin_edges` gives
/// them: one unit around a single number, and 0 to 1 without any.
private func binEdges(_ values: [Double]) -> [Double] {
  var (low, high) = (values.min() ?? 0, values.max() ?? 1)
  if low == high { (low, high) = (low - 0.5, high + 0.5) }
  let step = (high - low) / 10
  return (0..<10).map { Double($0) * step + low } + [high]
}

private func isRising(_ edges: [Double]) -> Bool { zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 } }

/// The number of edges up to a value. A missing value is behind all of them.
private func bin(of value: Double, _ edges: [Double]) -> Int {
  if value.isNaN { return edges.count }
  return edges.firstIndex { $0 > value } ?? edges.count
}
