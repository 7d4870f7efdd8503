import CKernels

/// The numbers of one step of Adam, the same for every leaf.
struct AdamPass: Sendable {
  private let numbers: ck_adam

  /// A step with a rate, the decays of both running means, the factors that correct them for their start at
  /// 0, ε, and the decay of the parameters.
  init(
    rate: Double, decay: (mean: Double, square: Double), correction: (mean: Double, square: Double),
    epsilon: Double, weightDecay: Double
  ) {
    numbers = ck_adam(
      rate: rate, mean_decay: decay.mean, square_decay: decay.square, mean_scale: correction.mean,
      square_scale: correction.square, epsilon: epsilon, weight_decay: weightDecay)
  }

  /// The next moments and the step of one leaf, in one pass over its values.
  ///
  /// - Precondition: one shape and dtype.
  func callAsFunction(
    gradient: Tensor, mean: Tensor, square: Tensor, parameter: Tensor
  ) -> (mean: Tensor, square: Tensor, step: Tensor) {
    let (shape, dtype) = (gradient.shape, gradient.dtype)
    func agrees(_ other: Tensor) -> Bool { other.shape == shape && other.dtype == dtype }
    require(
      dtype.isFloatingPoint && agrees(mean) && agrees(square) && agrees(parameter),
      "a gradient of \(shape) \(dtype) meets moments of \(mean.shape) \(mean.dtype) and \(square.shape) "
        + "\(square.dtype) and a parameter of \(parameter.shape) \(parameter.dtype)")
    func result(_ fill: (UnsafeMutableRawPointer) -> Void) -> Tensor {
      Tensor(shape: shape, dtype: dtype) { fill($0.baseAddress!) }
    }
    // A tensor's values stay where they are as long as it lives.
    func input<Scalar>(_ x: Tensor) -> UnsafePointer<Scalar> {
      x.withBytes { $0.baseAddress!.assumingMemoryBound(to: Scalar.self) }
    }
    func output<Scalar>(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Scalar> {
      address.assumingMemoryBound(to: Scalar.self)
    }
    func run(
      _ nextMean: UnsafeMutableRawPointer, _ nextSquare: UnsafeMutableRawPointer,
      _ step: UnsafeMutableRawPointer
    ) {
      withUnsafePointer(to: numbers) { numbers in
        dtype == .float64
          ? ck_adam_f64(
            numbers, shape.count, input(gradient), input(mean), input(square), input(parameter),
            output(nextMean), output(nextSquare), output(step))
          : ck_adam_f32(
            numbers, shape.count, input(gradient), input(mean), input(square), input(parameter),
            output(nextMean), output(nextSquare), output(step))
      }
      withExtendedLifetime((gradient, mean, square, parameter)) {}
    }
    var (nextSquare, step) = (gradient, gradient)
    let nextMean = result { m in nextSquare = result { v in step = result { s in run(m, v, s) } } }
    return (nextMean, nextSquare, step)
  }
}
