import Tensors

extension SpectralMLP {
  /// Moves the vectors u and v of each layer by power iterations: u ← Wᵀ v, v ← W u, scaled to length 1.
  ///
  /// Vectors stay as they are where an iteration changes them by rounding alone, and where W is 0.
  ///
  /// - Precondition: There is at least one iteration.
  public func updatingNorms(_ params: Params, iterations: Int = 5) -> Params {
    require(iterations > 0, "SpectralMLP: at least one power iteration, got \(iterations)")
    return .branch(
      params.children.map { layer in
        let moved = powerIterated(layer.tree, iterations)
        let children = layer.tree.children.map { child in
          let vector = child.label == "u" ? moved.u : child.label == "v" ? moved.v : nil
          return Params.Child(child.label, vector.map { .frozen($0) } ?? child.tree)
        }
        return Params.Child(layer.label, .branch(children))
      })
  }

  private func powerIterated(_ layer: Params, _ iterations: Int) -> (u: Tensor, v: Tensor) {
    let (weight, u, v) = (layer["weight"].detached, layer["u"].detached, layer["v"].detached)
    if [weight, u, v].contains(where: \.isSymbolic) { return tracedPowerIterated(weight, u, v, iterations) }
    let inputs = Operands(weight, u, v)
    let iterate = PowerIteration(inputs.storage(0))
    let moved = iterate(inputs.storage(1), inputs.storage(2), iterations: iterations)
    return (Tensor(moved.u), Tensor(moved.v))
  }

  /// The same in a trace, where each iteration is computed and the vectors are chosen.
  private func tracedPowerIterated(
    _ weight: Tensor, _ u: Tensor, _ v: Tensor, _ iterations: Int
  ) -> (u: Tensor, v: Tensor) {
    func normalized(_ x: Tensor, or other: Tensor) -> Tensor {
      let size = abs(x).max(axis: 0)
      let isUsable = (size .> 0) * (size .< .infinity)
      let scaled = x / select(where: isUsable, size, 1)
      let norm = sqrt(square(scaled).sum())
      return select(
        where: isUsable.broadcast(to: x.shape), scaled / select(where: isUsable, norm, 1), other)
    }
    var (u, v, moves) = (u, v, Tensor.ones(.scalar, dtype: u.dtype))
    for _ in 0..<iterations {
      let right = normalized(matmul(v.expanded(axis: 0), weight).reshaped(to: [u.count]), or: u)
      let column = matmul(right.expanded(axis: 0), weight, transposeB: true)
      let left = normalized(column.reshaped(to: [v.count]), or: v)
      let change = maximum(abs(right - u).max(axis: 0), abs(left - v).max(axis: 0))
      moves = moves * (change .> 8 * u.dtype.epsilon)
      u = select(where: moves.broadcast(to: u.shape), right, u)
      v = select(where: moves.broadcast(to: v.shape), left, v)
    }
    return (u, v)
  }

  /// A certified bound of the Lipschitz constant in x at any parameters: the product of bounds of the layers.
  ///
  /// A layer's bound is that of its weight's largest singular value σ, divided as in the network. With the
  /// Gram matrix G = Wᵀ W, σ ≤ (tr Gᵐ)^(1/2m) for m = 2¹², which is at most n^(1/2m) too large. Cost: 12 n³.
  public func lipschitzBound(_ params: Params) -> Double {
    params.children.reduce(1) { bound, layer in
      bound * singularValueBound(normalizedWeight(layer.tree).detached.cast(to: .float64))
    }
  }
}

/// An upper bound of the largest singular value of a matrix in float64.
///
/// tr G² = |G|² for a symmetric matrix. Each squaring first divides G by its norm s, so that
/// (tr Gᵐ)^(1/m) = s (tr (G/s)ᵐ)^(1/m).
func singularValueBound(_ matrix: Tensor) -> Double {
  let largest = largest(matrix)
  guard largest > 0, largest.isFinite else { return largest }
  let scaled = matrix / largest
  let isWide = matrix.shape[1] > matrix.shape[0]
  var gram = matmul(scaled, scaled, transposeA: !isWide, transposeB: isWide)
  var (logBound, share) = (0.0, 1.0)
  for _ in 0..<12 {
    let norm = square(gram).sum().item.squareRoot()
    logBound += share * log(Tensor(norm, dtype: .float64)).item
    gram = gram / norm
    gram = matmul(gram, gram)
    share /= 2
  }
  let trace = gram.diagonal().sum().item
  logBound += share * log(Tensor(trace, dtype: .float64)).item
  // The margin is far above the rounding of the products.
  return (1 + 1e-12) * largest * exp(Tensor(0.5 * logBound, dtype: .float64)).item
}

/// A vector scaled to length 1. One of zeros, or not finite, becomes the other one.
func normalized(_ x: Tensor, or other: Tensor) -> Tensor {
  let size = largest(x)
  guard size > 0, size.isFinite else { return other }
  let scaled = x / size
  return scaled / sqrt(square(scaled).sum())
}

/// The largest absolute value of a tensor; NaN if there is one.
private func largest(_ x: Tensor) -> Double { abs(x).reshaped(to: [x.count]).max(axis: 0).item }
