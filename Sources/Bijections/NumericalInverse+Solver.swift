import Tensors

/// Solves f(x) = y for all elements at once, on values, where f increases in x.
///
/// Each element has a search of its own (`RootSearch`), so its bits do not depend on the other elements.
struct MonotoneSolver {
  /// f and its derivative.
  let function: (_ x: Tensor) -> (value: Tensor, slope: Tensor)

  /// The largest number of evaluations. An element that needs more is NaN.
  private static let limit = 400

  /// Solves f(x) = y, for x in a bracket if there is one.
  func solve(_ y: Tensor, between bracket: (lower: Tensor, upper: Tensor)? = nil) -> Tensor {
    let floats = FloatOrder(y.dtype)
    let lower = bracket.map { $0.lower.broadcast(to: y.shape).doubles }
    let upper = bracket.map { $0.upper.broadcast(to: y.shape).doubles }
    var searches = y.doubles.enumerated().map { i, y in
      if let lower, let upper { return RootSearch(of: y, from: lower[i], to: upper[i], among: floats) }
      return RootSearch(of: y, among: floats)
    }
    for _ in 0..<Self.limit where searches.contains(where: { !$0.isOver }) {
      let (value, slope) = function(
        Tensor(searches.map(\.point), shape: y.shape, dtype: y.dtype))
      let (values, slopes) = (
        value.broadcast(to: y.shape).doubles, slope.broadcast(to: y.shape).doubles
      )
      for i in searches.indices where !searches[i].isOver { searches[i].advance(values[i], slopes[i]) }
    }
    return Tensor(searches.map { $0.isOver ? $0.root : .nan }, shape: y.shape, dtype: y.dtype)
  }
}
