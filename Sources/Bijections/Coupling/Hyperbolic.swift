import Networks
import Randomness
import Tensors

/// A volume-preserving leapfrog step of a wave equation on a pair (x₋, x), concatenated on the last axis.
///
/// Map: (x₋, x) ↦ (x, x₊) with x₊ = 2x − x₋ − h Kᵀ relu(K x + b + M c), where K is a convolution for images
/// and a matrix for vectors, Kᵀ its adjoint, and c the context, if there is one.
///
/// log|det J| = 0: the Jacobian is [[0, −1], [1, ∂x₊/∂x]] in blocks, of determinant ±1.
///
/// Inverse: x₋ = 2x − x₊ − h Kᵀ relu(K x + b + M c). Cost, both ways: two convolutions.
///
/// Parameters, under `net`: `weight` [window..., channels / 2, hidden] ([channels / 2, hidden] for vectors),
/// Glorot uniform; `bias` [hidden], zeros. A context adds `context` [context channels, hidden], Glorot
/// uniform.
///
/// Domain: all reals. Errors: `mismatch` for an odd number of channels, and for a context that is neither a
/// vector nor has the image's positions.
///
/// Lensink, Peters & Haber 2019, *Fully hyperbolic convolutional neural networks*, arXiv 1905.10484, eq. 6;
/// the sign of the last term is InvertibleNetworks.jl's.
public struct Hyperbolic: Bijection {
  /// The number of hidden channels.
  public let hidden: Int
  /// The convolution's window.
  public let window: Shape
  /// The step size h.
  public let step: Double

  /// Makes a leapfrog step.
  ///
  /// - Precondition: `hidden` is positive.
  public init(hidden: Int, window: Shape = 3, step: Double = 1) {
    require(hidden > 0, "Hyperbolic: hidden is positive, got \(hidden)")
    (self.hidden, self.window, self.step) = (hidden, window, step)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.expect(site.channels % 2 == 0, "Hyperbolic", "channels", "an even number")
    let turn = Lambda { _, site in
      site.volumePreserving("Hyperbolic") { _, pair, _ in
        concatenate(pair.block(1, of: 2), -pair.block(0, of: 2), axis: -1)
      } inverse: { _, pair, _ in
        concatenate(-pair.block(1, of: 2), pair.block(0, of: 2), axis: -1)
      }
    }
    let step = AdditiveCoupling(Leapfrog(hidden: hidden, window: window, step: step))
    return try site.chain("Hyperbolic", [(turn, key, nil), (step, key, nil)])
  }
}

/// The network 2x − h Kᵀ relu(K x + b + M c). Its input is x, followed by the context c on the last axis.
private struct Leapfrog: Network {
  let hidden: Int
  let window: Shape
  let step: Double

  func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (size, contexts) = (outputDim[-1], inputDim[-1] - outputDim[-1])
    let (isVector, step) = (inputDim.rank == 1, step)
    let layer: any Network = isVector ? Dense() : Conv(window, weight: .glorotUniform)
    var (params, _) = try layer(
      key.folded(in: 0), inputDim: outputDim, outputDim: outputDim.replacing(-1, by: hidden), dtype: dtype)
    if contexts > 0 {
      let weight = Initializer.glorotUniform(key.folded(in: 1), [contexts, hidden], dtype: dtype)
      params = .branch(params.children + [.init("context", .leaf(weight))])
    }
    return (
      params,
      { params, input in
        let (x, context) = (input.sliced(axis: -1, 0..<size), input.sliced(axis: -1, size..<size + contexts))
        let weight = params["weight"]
        var sum = (isVector ? matmul(x, weight) : convolution(x, weight)) + params["bias"]
        if contexts > 0 { sum = sum + matmul(context, params["context"]) }
        let h = relu(sum)
        return 2 * x - step
          * (isVector ? matmul(h, weight, transposeB: true) : transposedConvolution(h, weight))
      }
    )
  }
}
