import Networks
import Randomness
import Tensors

/// The velocity field of OT-Flow: minus the gradient of a potential, with its exact trace.
///
/// Φ(s) = wᵀ N(s) + ½ ‖A s‖² + bᵀ s for s = (x, c, t) with context c. N is a residual network of width m:
/// u₀ = σ(K₀ s + b₀), then uᵢ = uᵢ₋₁ + h σ(Kᵢ uᵢ₋₁ + bᵢ) for i = 1, ..., M with h = 1/M. Here σ(x) =
/// log(eˣ + e⁻ˣ), so that σ′ = tanh. The velocity is −∇ₓΦ, and the trace −tr ∇ₓ²Φ over x alone.
///
/// Cost per row: O(m d + M m²) for the velocity, O(M m² d) with the trace, as matrix products.
///
/// Parameters: `first` with `weight` [d + c, m], `time` [m] and `bias` [m]; `hidden_1`, ..., `hidden_M` with
/// `weight` [m, m] and `bias` [m]; `scale`, the vector w [m]; `quadratic` with `weight` [d + c, r] and `time`
/// [r], together Aᵀ; `linear`, the entries of b for x and t [d + 1]. Initially w is 1, b is 0, A is Glorot
/// uniform, and the layers are uniform on ±1/√inputs. The paper's constant c and b's entries for the context
/// have no effect on the flow, and are left out.
///
/// Errors: `mismatch` for a context that is not a vector.
///
/// Onken, Wu Fung, Li & Ruthotto 2021, *OT-Flow*, arXiv 2006.00104, eqs. 9 (potential), 11 (gradient) and 13
/// (trace).
public struct OTFlowPotential: VelocityField {
  private let width, layers: Int
  private let rank: Int?

  /// Makes a potential.
  ///
  /// - Parameters:
  ///   - width: the width m of the residual network.
  ///   - layers: its number of layers M + 1, the first one included.
  ///   - rank: the number r of rows of A; by default min(10, d + 1).
  /// - Precondition: The width and the rank are positive, and there are at least two layers.
  public init(width: Int = 32, layers: Int = 2, rank: Int? = nil) {
    require(
      width > 0 && layers > 1 && rank ?? 1 > 0,
      "a potential needs a positive width, two layers and a positive rank")
    (self.width, self.layers, self.rank) = (width, layers, rank)
  }

  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let (size, contextSize) = (site.inputDim.count, try site.contextSize(who: "OTFlowPotential"))
    let params = initialParams(key, size, contextSize, site.dtype)
    let hidden = layers - 1
    return (
      params,
      Velocity(
        { params, x, time, context in -Potential(params, x, time, context, hidden).gradient },
        closedForm: { params, x, time, context in
          let potential = Potential(params, x, time, context, hidden)
          return .init(
            velocity: -potential.gradient, trace: -potential.trace, timeSlope: potential.timeSlope)
        }, hasPotential: true)
    )
  }

  private func initialParams(_ key: Key, _ size: Int, _ contextSize: Int, _ dtype: DType) -> Params {
    let inputs = size + contextSize
    func uniform(_ purpose: Int, _ shape: Shape, _ bound: Double) -> Tensor {
      Initializer.uniform(-bound..<bound)(key.folded(in: purpose), shape, dtype: dtype)
    }
    func layer(_ purpose: Int, _ inputs: Int) -> (weight: Tensor, bias: Tensor) {
      let bound = 1 / Double(inputs).squareRoot()
      return (uniform(purpose, [inputs, width], bound), uniform(purpose + 1, [width], bound))
    }
    let first = layer(0, inputs + 1)
    let rank = rank ?? min(10, size + 1)
    let quadratic = uniform(2, [inputs + 1, rank], (6 / Double(inputs + 1 + rank)).squareRoot())
    let hidden = (1..<layers).map { i -> Params.Child in
      let (weight, bias) = layer(1 + 2 * i, width)
      return .init("hidden_\(i)", ["weight": .leaf(weight), "bias": .leaf(bias)])
    }
    return .branch(
      [
        .init(
          "first",
          [
            "weight": .leaf(first.weight[0..<inputs]), "time": .leaf(first.weight[inputs]),
            "bias": .leaf(first.bias),
          ])
      ] + hidden + [
        .init("scale", .leaf(.ones([width], dtype: dtype))),
        .init(
          "quadratic", ["weight": .leaf(quadratic[0..<inputs]), "time": .leaf(quadratic[inputs])]),
        .init("linear", .leaf(.zeros([size + 1], dtype: dtype))),
      ])
  }
}

/// The derivatives of the potential at a batch of points. σ′ is tanh and σ″ is 1 − tanh².
private struct Potential {
  let params: Params
  /// The number d of coordinates of x, and the number M of hidden layers.
  let size, hidden: Int
  /// The arguments of σ and σ′ there, layer by layer.
  private var arguments, slopes: [Tensor]
  /// The products z₁, ..., z_{M+1} of the backward pass, in this order.
  private var products: [Tensor]
  /// A s.
  private let quadratic: Tensor

  private var step: Double { 1 / Double(hidden) }
  private var first: Params { params.child(0) }
  private func layer(_ i: Int) -> Params { params.child(i) }

  init(_ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?, _ hidden: Int) {
    (self.params, self.hidden, size) = (params, hidden, x.shape[1])
    let s = context.map { concatenate(x, $0, axis: 1) } ?? x
    let (first, step) = (params.child(0), 1 / Double(hidden))
    let start = matmul(s, first["weight"]) + (time * first["time"] + first["bias"])
    (arguments, slopes) = ([start], [tanh(start)])
    var u = LogCosh()(start)
    for i in 1...hidden {
      let argument = dense(u, params.child(i)["weight"], params.child(i)["bias"])
      arguments.append(argument)
      slopes.append(tanh(argument))
      if i < hidden { u = u + step * LogCosh()(argument) }
    }
    products = [params["scale"]]
    for i in (1...hidden).reversed() {
      let part = matmul(slopes[i] * products[0], params.child(i)["weight"], transposeB: true)
      products.insert(products[0] + step * part, at: 0)
    }
    let matrix = params.child("quadratic")
    quadratic = matmul(s, matrix["weight"]) + time * matrix["time"]
  }

  /// ∇ₓΦ, eq. 11.
  var gradient: Tensor {
    let network = matmul(slopes[0] * products[0], first["weight"], transposeB: true)
    let squares = matmul(quadratic, params.child("quadratic")["weight"], transposeB: true)
    let all = network + squares
    let own = all.shape[1] == size ? all : all.sliced(axis: 1, 0..<size)
    return own + params["linear"][0..<size]
  }

  /// ∂Φ/∂t.
  var timeSlope: Tensor {
    (slopes[0] * products[0] * first["time"]).sumPerRow()
      + (quadratic * params.child("quadratic")["time"]).sumPerRow() + params["linear"][size]
  }

  /// tr ∇ₓ²Φ, eq. 13.
  var trace: Tensor {
    let inputs = first["weight"][0..<size]
    let square0 = square(inputs).sum(axis: 0)
    var total = (tanhSlope(arguments[0]) * products[0] * square0).sumPerRow()
    let weights = (1...hidden).map { layer($0)["weight"] }
    let squares = squaredJacobians(Array(slopes[..<hidden]), [inputs] + weights)
    for i in 1...hidden {
      let own = squares.sliced(axis: 1, (i - 1) * inputs.shape[1]..<i * inputs.shape[1])
      total = total + step * (tanhSlope(arguments[i]) * products[i] * own).sumPerRow()
    }
    return total + square(params.child("quadratic")["weight"][0..<size]).sum()
  }

  /// Σⱼ (Kᵢ J)² for the hidden layers i, side by side. J holds a row of the layer's Jacobian by x per
  /// coordinate j of x: d · m numbers per row of the batch, so only a few rows fit into the cache.
  private func squaredJacobians(_ slopes: [Tensor], _ weights: [Tensor]) -> Tensor {
    let step = step
    return inPieces(slopes, weights, of: max(1, 100_000 / weights[0].count)) { slopes, weights in
      var jacobian = slopes[0].expanded(axis: 1) * weights[weights.startIndex]
      var squares: [Tensor] = []
      for i in slopes.indices {
        let moved = matmul(jacobian, weights[weights.startIndex + i + 1])
        squares.append(square(moved).sum(axis: 1))
        if i + 1 < slopes.count { jacobian = jacobian + step * (slopes[i + 1].expanded(axis: 1) * moved) }
      }
      return squares.count == 1 ? squares[0] : concatenate(squares, axis: 1)
    }
  }
}
