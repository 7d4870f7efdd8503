import Tensors

/// The share of values in each bin of a histogram, in float64.
///
/// Bin k holds the values from edge k on and below edge k + 1; the last bin holds its upper edge too. Values
/// outside all bins count in the whole, so that shares estimate probabilities.
///
/// - Parameters:
///   - values: the values, in any shape.
///   - edges: the edges of the bins, rising.
///   - weights: the weight of each value, not negative; nil where all count alike.
/// - Throws: `FlowError.mismatch` for edges that do not rise, for no values, and for weights that do not fit
///   or are all 0; `.notFinite` for NaN in values, edges or weights.
public func binShares(of values: Tensor, edges: [Double], weights: Tensor? = nil) throws(FlowError) -> Tensor
{
  func wrong(_ what: String, _ expected: String, _ got: String) -> FlowError {
    .mismatch(who: "binShares", what: what, expected: expected, got: got)
  }
  if edges.contains(where: \.isNaN) { throw .notFinite(who: "binShares", what: "edges", row: nil) }
  guard edges.count > 1, zip(edges, edges.dropFirst()).allSatisfy(<) else {
    throw wrong("edges", "two or more that rise", "\(edges)")
  }
  let numbers = values.doubles
  if numbers.isEmpty { throw wrong("values", "at least one", "none") }
  if let row = numbers.firstIndex(where: \.isNaN) {
    throw .notFinite(who: "binShares", what: "values", row: row)
  }
  var shares = weights?.doubles
  if let own = shares {
    if own.count != numbers.count {
      throw wrong("weights", "one for each of \(numbers.count) values", "\(own.count)")
    }
    if let row = own.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(who: "binShares", what: "weights", row: row)
    }
    if own.contains(where: { $0 < 0 }) || own.allSatisfy({ $0 == 0 }) {
      throw wrong("weights", "not negative and not all 0", "other ones")
    }
    // Large weights must not overflow in their sum.
    let largest = own.max()!
    shares = own.map { $0 / largest }
  }
  var (sums, total) = ([Double](repeating: 0, count: edges.count - 1), 0.0)
  for (i, x) in numbers.enumerated() {
    let weight = shares?[i] ?? 1
    total += weight
    guard x >= edges[0], x <= edges[edges.count - 1] else { continue }
    // The first edge above x, by bisection.
    var (low, high) = (0, edges.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if edges[middle] <= x { low = middle } else { high = middle }
    }
    sums[low] += weight
  }
  return Tensor(sums.map { $0 / total }, dtype: .float64)
}
