import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Training

/// What the tests of `fit` fit, and how they look at it.
extension FitTests {
  /// Two correlated normal variables: mean (1, −2), covariance A Aᵀ with the factor A, of determinant 1.
  var truth: (mean: Tensor, factor: Tensor) { (Tensor([1, -2]), Tensor([[2, 0], [0.6, 0.5]])) }

  func gaussianData(_ rows: Int, _ key: Key = Key(200)) -> Tensor {
    matmul(key.normal([rows, 2]), truth.factor, transposeB: true) + truth.mean
  }

  var affineFlow: Flow { Flow(Serial(ActNorm(), InvertibleLinear())) }
  var smallFlow: Flow { Flow(Serial(ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: [8])))) }

  /// A flow with one number `a` to learn, 0 at first, and whatever log-determinant `body` gives.
  func fragile(_ body: @escaping @Sendable (_ a: Tensor, _ x: Tensor) -> Tensor) -> Flow {
    Flow(
      Lambda { _, site in
        site.layer("fragile", ["a": .leaf(Tensor(0, dtype: site.dtype))]) { params, x, _ in
          let a = params["a"]
          return (x, body(a, x))
        } inverse: { _, y, _ in
          (y, .zeros([y.rows], dtype: y.dtype))
        }
      })
  }

  /// Notes what is called; by one thread.
  final class Log<Value>: @unchecked Sendable { var entries: [Value] = [] }

  /// Plain descent that shows the parameters it is asked to move.
  struct Watched: Optimizer {
    let note: @Sendable (Params) -> Void
    func initialize(_ params: Params) -> Params { .empty }
    func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
      step: Params, state: Params
    ) {
      note(params)
      return (gradient.map { -0.01 * $0 }, state)
    }
  }
}
