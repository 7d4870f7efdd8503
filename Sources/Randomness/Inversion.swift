import Tensors

// Draws by inversion: the inverse distribution function of one uniform number. Where it is infinite at an end
// of the interval, the interval stops one step short of that end. The steps are those of JAX.

extension Key {
  /// Draws standard Gumbel numbers, density exp(−(x + exp(−x))): −log(−log u) for u uniform on (0, 1).
  ///
  /// Equals `jax.random.gumbel` (mode "low") to 1e-6 absolute. In float32 values lie between −4.47 and 15.95.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func gumbel(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    gumbel("gumbel", shape, dtype, first)
  }

  /// Draws Gumbel numbers for the draw `name`, under which the recorder notes them.
  func gumbel(_ name: StaticString, _ shape: Shape, _ dtype: DType, _ first: Int) -> Tensor {
    -log(-log(uniform(name, shape, dtype.leastNormal, 1, dtype, first)))
  }

  /// Draws exponential numbers of rate 1, density exp(−x) for x ≥ 0: −log(1 − u) for u uniform on [0, 1).
  ///
  /// Equals `jax.random.exponential` to 1e-6 relative. In float32 values are at most 15.95.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func exponential(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    -log1p(-uniform("exponential", shape, 0, 1, dtype, first))
  }

  /// Draws standard Laplace numbers, density exp(−|x|) / 2: sign(u) · log(1 − |u|) for u uniform on (−1, 1).
  ///
  /// Equals `jax.random.laplace` to 1e-6 relative.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func laplace(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    let u = uniform("laplace", shape, dtype.nextUp(-1), 1, dtype, first)
    return sign(u) * log1p(-abs(u))
  }

  /// Draws standard logistic numbers, density σ(x) · σ(−x): log u − log(1 − u) for u uniform on (0, 1).
  ///
  /// Equals `jax.random.logistic` to 1e-6, absolute below 1 and relative above.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func logistic(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    let u = uniform("logistic", shape, dtype.leastNormal, 1, dtype, first)
    return log(u) - log1p(-u)
  }

  /// Draws standard Cauchy numbers, density 1 / (π (1 + x²)): tan(π (u − 1/2)) for u uniform on (0, 1).
  ///
  /// Equals `jax.random.cauchy` to 1e-6 relative.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func cauchy(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    // The angle is rounded to the dtype, as in JAX. Its tangent is sensitive near ±π/2, so it is computed in
    // double.
    let u = uniform("cauchy", shape, dtype.epsilon, 1, dtype, first)
    let angle = ((u - 0.5) * .pi).cast(to: .float64)
    return (sin(angle) / cos(angle)).cast(to: dtype)
  }
}

extension DType {
  /// The smallest positive normal number.
  var leastNormal: Double {
    self == .float64 ? Double.leastNormalMagnitude : Double(Float.leastNormalMagnitude)
  }
}
