import Networks
import Randomness
import Tensors

/// A leapfrog step of a wave equation on a pair (x₋, x), concatenated on the last axis: any network depth, no volume changed.
///
/// Map: (x₋, x) ↦ (x, x₊) with x₊ = 2x − x₋ − h Kᵀ relu(K x + b + M c), where K is a convolution for images and a matrix for
/// vectors, Kᵀ its adjoint, and c the context, if there is one.
///
/// log|det J| = 0: the Jacobian is [[0, −1], [1, ∂x₊/∂x]] in blocks, of determinant ±1.
///
/// Inverse: x₋ = 2x − x₊ − h Kᵀ relu(K x + b + M c). Cost, both ways: two convolutions.
///
/// Parameters: `weight` [window..., channels / 2, hidden] ([channels / 2, hidden] for vectors), Glorot uniform; `bias` [hidden],
/// zeros; with a context `context` [context channels, hidden], Glorot uniform.
///
/// Domain: all reals. Errors: `mismatch` for an odd number of channels, and for a context that is neither a vector nor has
/// the image's positions.
///
/// Lensink, Peters & Haber 2019, *Fully hyperbolic convolutional neural networks*, arXiv 1905.10484, eq. 6; the sign of the last
/// term is InvertibleNetworks.jl's.
public struct Hyperbolic: Bijection {
  /// The hidden channels.
  public let hidden: Int
  /// The convolution's window.
  public let window: Shape
  /// h.
  public let step: Double

  /// A leapfrog step.
  ///
  /// - Precondition: `hidden` is positive.
  public init(hidden: Int, window: Shape = 3, step: Double = 1) {
    require(hidden > 0, "Hyperbolic: hidden is positive, got \(hidden)")
    self.hidden = hidden
    self.window = window
    self.step = step
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if site.channels % 2 != 0 {
      throw .mismatch(
        who: "Hyperbolic", what: "channels", expected: "an even number", got: "\(site.inputDim)")
    }
    let (half, positions, step) = (
      site.inputDim.replacing(-1, by: site.channels / 2), site.inputDim.rank - 1, step
    )
    let inner = half.replacing(-1, by: hidden)
    let layer: any Network = positions == 0 ? Dense() : Conv(window, weight: .glorotUniform)
    var (params, _) = try layer(key.folded(in: 0), inputDim: half, outputDim: inner, dtype: site.dtype)
    if let contextDim = site.contextDim {
      if contextDim.rank != 1 && contextDim.removing(-1) != half.removing(-1) {
        throw .mismatch(
          who: "Hyperbolic", what: "contextDim", expected: "a vector, or \(half) but for the channels",
          got: "\(contextDim)")
      }
      let weight = Initializer.glorotUniform(key.folded(in: 1), [contextDim[-1], hidden], dtype: site.dtype)
      params = .branch(params.children + [.init("context", .leaf(weight))])
    }

    @Sendable func pull(_ params: Params, _ x: Tensor, _ context: Tensor?) -> Tensor {
      let weight = params["weight"]
      var sum = (positions == 0 ? matmul(x, weight) : convolution(x, weight)) + params["bias"]
      if let context {
        let push = matmul(context, params["context"])
        sum =
          sum
          + (push.rank == sum.rank
            ? push : push.reshaped(to: Shape([x.rows] + ones(positions) + [sum.shape[-1]])))
      }
      let h = relu(sum)
      return 2 * x - step
        * (positions == 0 ? matmul(h, weight, transposeB: true) : transposedConvolution(h, weight))
    }
    return site.layer("Hyperbolic", params, traits: .volumePreserving) { params, pair, context in
      let x = pair.block(1, of: 2)
      return (
        concatenate([x, pull(params, x, context) - pair.block(0, of: 2)], axis: -1),
        .zeros([pair.rows], dtype: pair.dtype)
      )
    } inverse: { params, pair, context in
      let x = pair.block(0, of: 2)
      return (
        concatenate([pull(params, x, context) - pair.block(1, of: 2), x], axis: -1),
        .zeros([pair.rows], dtype: pair.dtype)
      )
    }
  }
}

private func ones(_ count: Int) -> [Int] { [Int](repeating: 1, count: count) }
