import Networks
import Randomness
import Tensors

/// The velocity field of FFJORD: dense layers whose units the time gates and shifts.
///
/// Layer: u ← (u W + b) ⊙ sigmoid(g t + g₀) + h t, with a nonlinearity between layers. The first layer sees
/// [x, c].
///
/// The trace has a closed form. With one or two hidden layers it costs as much as the field, whatever D, with
/// more D times as much. Two layers cost D times as much in adaptive solves, where each row has its own time.
/// Wide samples then need an estimate in training: see the objective of `RegularizedLikelihood`.
///
/// Parameters, per layer: `weight` [in, out] and `bias` [out], uniform on ±1/√in; `gate`, `gateBias` and
/// `shift` [out], uniform on ±1.
///
/// FFJORD also learns the end of the time interval. Here it is 1: the layers' weights set the speed.
///
/// Errors: `mismatch` for a hidden layer without units, and for a context that is not a vector.
///
/// Grathwohl et al. 2018, *FFJORD*, arXiv 1810.01367, and its public code for the layers.
public struct ConcatSquash: VelocityField {
  private let hidden: [Int]
  private let activation: Activation

  /// Makes a field with hidden layers of the given widths and a smooth nonlinearity.
  public init(hidden: [Int] = [64, 64], activation: Activation = .tanh) {
    (self.hidden, self.activation) = (hidden, activation)
  }

  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    if let width = hidden.first(where: { $0 < 1 }) {
      throw .mismatch(who: "ConcatSquash", what: "units", expected: "at least 1", got: "\(width)")
    }
    let size = site.inputDim.count
    let inputs = [size + (try site.contextSize(who: "ConcatSquash"))] + hidden
    let layers = zip(inputs, hidden + [size]).enumerated().map { i, widths in
      Self.initialLayer(key.folded(in: i), widths.0, widths.1, site.dtype)
    }
    let (activation, count) = (activation, layers.count)
    return (
      .branch(layers.enumerated().map { .init("layer_\($0)", $1) }),
      Velocity(
        { params, x, time, context in
          var u = context.map { concatenate(x, $0, axis: 1) } ?? x
          for i in 0..<count {
            u = Self.moved(u, by: params.child(i), time).value
            if i < count - 1 { u = activation(u) }
          }
          return u
        },
        closedForm: { params, x, time, context in
          var u = context.map { concatenate(x, $0, axis: 1) } ?? x
          var (weights, slopes, last) = ([Tensor](), [Tensor](), Tensor?.none)
          for i in 0..<count {
            let layer = params.child(i)
            let (moved, gate) = Self.moved(u, by: layer, time)
            u = moved
            weights.append(i == 0 ? layer["weight"][0..<size] : layer["weight"])
            if i < count - 1 {
              let (value, slope) = activation.valueAndSlope(u)
              u = value
              slopes.append(slope * gate)
            } else if gate.rank == 1 {
              weights[i] = weights[i] * gate
            } else {
              last = gate
            }
          }
          let trace = DenseTrace(weights: weights, slopes: slopes, gate: last).value
          return .init(velocity: u, trace: trace.repeated(forRows: x.rows))
        })
    )
  }

  /// A layer before its nonlinearity, and its gate: [out] at one time, [rows, out] at a time per row.
  private static func moved(_ u: Tensor, by layer: Params, _ time: Tensor) -> (value: Tensor, gate: Tensor) {
    let gate = sigmoid(time * layer["gate"] + layer["gateBias"])
    return (dense(u, layer["weight"], layer["bias"]) * gate + time * layer["shift"], gate)
  }

  private static func initialLayer(_ key: Key, _ inputs: Int, _ outputs: Int, _ dtype: DType) -> Params {
    func uniform(_ purpose: Int, _ shape: Shape, _ bound: Double) -> Params {
      .leaf(Initializer.uniform(-bound..<bound)(key.folded(in: purpose), shape, dtype: dtype))
    }
    let bound = 1 / Double(inputs).squareRoot()
    return [
      "weight": uniform(0, [inputs, outputs], bound), "bias": uniform(1, [outputs], bound),
      "gate": uniform(2, [outputs], 1), "gateBias": uniform(3, [outputs], 1),
      "shift": uniform(4, [outputs], 1),
    ]
  }
}
