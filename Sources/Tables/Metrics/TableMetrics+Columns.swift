extension TableMetrics {
  /// The complement of the Kolmogorov-Smirnov statistic of two columns of numbers: 1 − sup |F − G|.
  ///
  /// F and G are the empirical distribution functions. Missing values are left out, and numbers are rounded
  /// to 14 decimals. NaN if a column has no numbers.
  public static func ksComplement(_ real: [Double], _ synthetic: [Double]) -> Double {
    func sorted(_ values: [Double]) -> [Double] { values.present.map(rounded).sorted() }
    let (a, b) = (sorted(real), sorted(synthetic))
    if a.isEmpty || b.isEmpty { return .nan }
    var (i, j, most) = (0, 0, 0.0)
    while i < a.count && j < b.count {
      let next = min(a[i], b[j])
      while i < a.count && a[i] == next { i += 1 }
      while j < b.count && b[j] == next { j += 1 }
      most = max(most, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
    }
    return 1 - most
  }

  private static func rounded(_ x: Double) -> Double {
    let scaled = x * 1e14
    return scaled.isFinite ? scaled.rounded(.toNearestOrEven) / 1e14 : x
  }

  /// The complement of the total variation distance of two columns of categories: 1 − ½ Σ |p − q|.
  ///
  /// Missing values are left out. A category that only the synthetic column has counts 10⁻⁶ times in the real
  /// one. NaN if a column has no categories.
  public static func tvComplement(_ real: [String?], _ synthetic: [String?]) -> Double {
    let coded = CodedColumn(real.filter { $0 != nil }, synthetic.filter { $0 != nil })
    if coded.real.isEmpty || coded.synthetic.isEmpty { return .nan }
    var (p, q) = (counts(coded.real, coded.count), counts(coded.synthetic, coded.count))
    for i in p.indices where p[i] == 0 { p[i] = 1e-6 }
    let (sumP, sumQ) = (p.reduce(0, +), q.reduce(0, +))
    for i in p.indices { (p[i], q[i]) = (p[i] / sumP, q[i] / sumQ) }
    return 1 - 0.5 * zip(p, q).reduce(0) { $0 + abs($1.0 - $1.1) }
  }

  /// The number of times that each code occurs.
  static func counts(_ codes: [Int], _ count: Int) -> [Double] {
    var counts = [Double](repeating: 0, count: count)
    for code in codes { counts[code] += 1 }
    return counts
  }
}
