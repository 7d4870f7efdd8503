import Randomness
import Tensors

/// A perceptron with a bounded Lipschitz constant: dense layers with spectral normalization, and LipSwish.
///
/// f(x) = W̃ₙ a(… a(W̃₀ x + C c + b₀) …) + bₙ with W̃ = W / max(1, σ̂ / coefficient). Here c is the
/// context, and a(h) = h · sigmoid(β h) / 1.1 is LipSwish with β = softplus(sharpness). Its slopes are
/// between −0.1 and 1.
///
/// σ̂ = vᵀ W u estimates the largest singular value of W. The unit vectors u and v come from power
/// iterations. They are frozen, and gradients treat them as constants. `updatingNorms` moves them after W
/// has changed. Once they have converged, the Lipschitz constant in x is at most coefficientⁿ⁺¹; that in
/// c has no bound. Between updates σ̂ is too small. `lipschitzBound` gives a bound that holds at any
/// parameters.
///
/// Inputs: D numbers, and then the context, if `contexts` is not 0. Cost: that of dense layers.
///
/// Parameters: `dense_0`, `dense_1`, ... with `weight` [in, out] (Glorot uniform; the last layer starts at
/// zero) and `bias` [out], 0. The first layer has `context` [contexts, out] too, if there is one. A layer
/// before an activation has `sharpness` [1], 0.5. Frozen: `u` [out] and `v` [in].
///
/// Errors: `mismatch` for shapes that are not vectors, and for a layer without units.
///
/// Miyato, Kataoka, Koyama & Yoshida 2018, *Spectral normalization for generative adversarial networks*,
/// arXiv 1802.05957, eq. 8 and algorithm 1; Chen, Behrmann, Duvenaud & Jacobsen 2019, *Residual flows for
/// invertible generative modeling*, arXiv 1906.02735, section 3.3.
public struct SpectralMLP: Network {
  /// The widths of the hidden layers.
  public let hidden: [Int]
  /// The bound of each weight's largest singular value.
  public let coefficient: Double
  /// The number of inputs, behind the others, in which the network has no Lipschitz bound.
  public private(set) var contexts = 0
  private let weight, lastWeight: Initializer

  /// Whether the caller needs no more than the structure of initial parameters, as where a file holds the
  /// values. Then the power iterations are left out.
  @TaskLocal package static var isTemplate = false

  /// A perceptron with hidden layers of the given widths.
  ///
  /// - Precondition: 0 < coefficient < 1.
  public init(
    hidden: [Int], coefficient: Double = 0.9, weight: Initializer = .glorotUniform,
    lastWeight: Initializer = .zeros
  ) {
    require(
      coefficient > 0 && coefficient < 1,
      "SpectralMLP: the coefficient is between 0 and 1, got \(coefficient)")
    (self.hidden, self.coefficient, self.weight, self.lastWeight) = (hidden, coefficient, weight, lastWeight)
  }

  /// The network with a context as its last `contexts` inputs.
  public func conditioned(on contexts: Int) -> SpectralMLP {
    var network = self
    network.contexts = contexts
    return network
  }

  /// The Lipschitz constant in x, once the power iterations have converged.
  public var lipschitz: Double { (0...hidden.count).reduce(1) { bound, _ in bound * coefficient } }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let numbers = inputDim.count - contexts
    guard inputDim.rank == 1, outputDim.rank == 1, numbers > 0 else {
      throw .mismatch(
        who: "SpectralMLP", what: "vectors", expected: "with more inputs than \(contexts) of context",
        got: "\(inputDim) to \(outputDim)")
    }
    let widths = [numbers] + hidden + [outputDim[0]]
    if let width = widths.first(where: { $0 < 1 }) {
      throw .mismatch(who: "SpectralMLP", what: "units", expected: "at least 1", got: "\(width)")
    }
    let layers = (0...hidden.count).map { i in
      Params.Child("dense_\(i)", layer(key.folded(in: i), widths[i], widths[i + 1], at: i))
    }
    // The power iterations run in float32 for both dtypes, so that both have the same initial values.
    let iterations = Self.isTemplate ? 1 : 200
    let params = updatingNorms(.branch(layers), iterations: iterations).cast(to: dtype)
    let (network, contexts) = (self, contexts)
    return (
      params,
      { params, x in
        let context = contexts > 0 ? x.sliced(axis: 1, numbers..<numbers + contexts) : nil
        return network.function(params, given: context)(x.sliced(axis: 1, 0..<numbers))
      }
    )
  }

  private func layer(_ key: Key, _ inputs: Int, _ outputs: Int, at i: Int) -> Params {
    let isLast = i == hidden.count
    func direction(_ purpose: Int, _ count: Int) -> Tensor {
      normalized(key.folded(in: purpose).normal([count]), or: .full([count], 1 / Double(count).squareRoot()))
    }
    var children: [Params.Child] = [
      .init("weight", .leaf((isLast ? lastWeight : weight)(key.folded(in: 0), [inputs, outputs]))),
      .init("bias", .leaf(.zeros([outputs]))),
      .init("u", .frozen(direction(1, outputs))), .init("v", .frozen(direction(2, inputs))),
    ]
    if i == 0 && contexts > 0 {
      children.append(.init("context", .leaf(weight(key.folded(in: 3), [contexts, outputs]))))
    }
    if !isLast { children.append(.init("sharpness", .leaf(.full([1], 0.5)))) }
    return .branch(children)
  }

  /// The function of x at parameters and a context, with normalized weights.
  package func function(_ params: Params, given context: Tensor?) -> LipschitzFunction {
    var tensors: [Tensor] = []
    for (i, layer) in params.children.map(\.tree).enumerated() {
      let shift = i == 0 ? context.map { dense($0, layer["context"], layer["bias"]) } : nil
      tensors += [normalizedWeight(layer), shift ?? layer["bias"]]
      if i < hidden.count { tensors.append(softplus(layer["sharpness"])) }
    }
    return LipschitzFunction(tensors)
  }

  func normalizedWeight(_ layer: Params) -> Tensor {
    let (weight, u, v) = (layer["weight"], layer["u"].detached, layer["v"].detached)
    let norm = (matmul(v.expanded(axis: 0), weight) * u).sum()
    return weight / maximum(norm / coefficient, 1)
  }
}
