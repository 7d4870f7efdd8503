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
    var points = searches.map { $0.point }
    var open = searches.indices.filter { !searches[$0].isOver }
    for _ in 0..<Self.limit where !open.isEmpty {
      let (value, slope) = function(Tensor(points, shape: y.shape, dtype: y.dtype))
      let (values, slopes) = (
        value.broadcast(to: y.shape).doubles, slope.broadcast(to: y.shape).doubles
      )
      var rest: [Int] = []
      for i in open {
        searches[i].advance(values[i], slopes[i])
        points[i] = searches[i].point
        if !searches[i].isOver { rest.append(i) }
      }
      open = rest
    }
    return Tensor(searches.map { $0.isOver ? $0.root : .nan }, shape: y.shape, dtype: y.dtype)
  }
}
