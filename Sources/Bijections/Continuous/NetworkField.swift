import Networks
import Randomness
import Tensors

/// A velocity field given by any network of the position, the time and the context.
///
/// v(x, t) = net([x, cos πt, sin πt, ..., cos kπt, sin kπt, c]) with k frequencies of the time; without
/// frequencies the network sees t itself.
///
/// The trace of an `MLP` has a closed form: with one or two hidden layers it costs as much as the field,
/// whatever D, with more D times as much. For other networks it costs D Jacobian-vector products. There wide
/// samples need an estimate in training: see the objective of `RegularizedLikelihood`.
///
/// Parameters: those of the network. If its last layer starts at zero, as that of an `MLP` does by default,
/// the flow starts as the identity. The network has to be smooth: use `.tanh`, `.softplus` or `.elu`. The
/// slope of `.elu` has a kink at 0, where solvers need shorter steps.
///
/// Errors: `mismatch` for a context that is not a vector, and the errors of the network.
///
/// Chen et al. 2018, *Neural ordinary differential equations*, arXiv 1806.07366, section 4. The features of
/// the time are those of zuko's `CNF`.
public struct NetworkField: VelocityField {
  private let network: any Network
  private let frequencies: Int

  /// Makes a field of a network, which sees the time as sines and cosines of some frequencies.
  ///
  /// - Precondition: `frequencies` is not negative.
  public init(
    _ network: any Network = MLP(hidden: [64, 64], activation: .elu), frequencies: Int = 3
  ) {
    require(frequencies >= 0, "a number of frequencies is not negative, got \(frequencies)")
    (self.network, self.frequencies) = (network, frequencies)
  }

  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let contextSize = try site.contextSize(who: "NetworkField")
    let (size, frequencies) = (site.inputDim.count, frequencies)
    let (params, apply) = try network(
      key, inputDim: [size + max(2 * frequencies, 1) + contextSize], outputDim: [size], dtype: site.dtype)
    @Sendable func inputs(_ x: Tensor, _ time: Tensor, _ context: Tensor?) -> Tensor {
      let features = Self.features(time, frequencies)
      let seen = [x, features.broadcast(to: [x.rows, features.shape[-1]])] + (context.map { [$0] } ?? [])
      return concatenate(seen, axis: 1)
    }
    let closedForm = (network as? MLP).map { network -> Velocity.TracedFunction in
      { params, x, time, context in
        network.traced(params, inputs(x, time, context), of: size)
      }
    }
    return (
      params,
      Velocity(
        { params, x, time, context in apply(params, inputs(x, time, context)) }, closedForm: closedForm)
    )
  }

  /// The features of a scalar time, `[n]`, or of a column of times, `[rows, n]`.
  private static func features(_ time: Tensor, _ count: Int) -> Tensor {
    if count == 0 { return time.rank == 0 ? time.reshaped(to: [1]) : time }
    let angles = time * Tensor((1...count).map { Double($0) * .pi }, dtype: time.dtype)
    return concatenate([cos(angles), sin(angles)], axis: angles.rank - 1)
  }
}

extension MLP {
  /// The values, and the trace of their Jacobian by the first `size` inputs.
  fileprivate func traced(_ params: Params, _ inputs: Tensor, of size: Int) -> Velocity.Traced {
    var (u, slopes, weights) = (inputs, [Tensor](), [Tensor]())
    for i in 0...hidden.count {
      let layer = params.child(i)
      let y = dense(u, layer["weight"], layer["bias"])
      weights.append(i == 0 ? layer["weight"][0..<size] : layer["weight"])
      if i == hidden.count { u = y; break }
      let (value, slope) = activation.valueAndSlope(y)
      u = value
      slopes.append(slope)
    }
    let trace = DenseTrace(weights: weights, slopes: slopes).value
    return .init(velocity: u, trace: trace.repeated(forRows: inputs.rows))
  }
}

extension Site {
  /// The number of numbers in a context, which is a vector; 0 without a context.
  func contextSize(who: String) throws(FlowError) -> Int {
    guard let contextDim else { return 0 }
    if contextDim.rank != 1 {
      throw .mismatch(who: who, what: "contextDim", expected: "a vector", got: "\(contextDim)")
    }
    return contextDim[0]
  }
}
