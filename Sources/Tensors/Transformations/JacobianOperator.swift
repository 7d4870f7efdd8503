/// The Jacobian J of a function of parameters at a point, as an operator on vectors. It forms no matrix.
///
/// The point is any tree: parameters, `.leaf(inputs)`, or both under labels of your own. Directions have the
/// structure of `point.learned`, and results are tensors. A product costs about twice the function, an
/// adjoint product about three times.
public struct JacobianOperator {
  /// The point at which J is taken.
  public let point: Params
  /// The function that is differentiated.
  public let function: (Params) throws -> Tensor

  /// The Jacobian of a function at a point.
  public init(at point: Params, of function: @escaping (Params) throws -> Tensor) {
    (self.point, self.function) = (point, function)
  }

  /// The Jacobian of a function of one tensor at a point.
  public init(at point: Tensor, of function: @escaping (Tensor) throws -> Tensor) {
    self.init(at: .leaf(point)) { try function($0.value!) }
  }

  /// The function's value.
  public func value() throws -> Tensor { try function(point) }

  /// The product J v. Throws `FlowError.structure` for a direction of another structure.
  public func product(_ direction: Params) throws -> Tensor {
    try jvp(at: point, along: direction, function).tangent
  }

  /// The adjoint product Jᵀ u.
  ///
  /// - Precondition: u has the value's shape.
  public func adjoint(_ cotangent: Tensor) throws -> Params {
    let (_, leaves) = try valueAndLeafGradients(
      at: point,
      seed: { value in
        require(
          value.shape == cotangent.shape, "adjoint: expected shape \(value.shape), got \(cotangent.shape)")
        return cotangent
      }, function)
    return point.learned.replacingLearned(with: leaves)
  }

  /// The Gauss-Newton product Jᵀ H J v.
  ///
  /// H is the Hessian of the objective by the function's value. The default is the identity.
  public func gaussNewton(_ direction: Params, hessian: (Tensor) throws -> Tensor = { $0 }) throws -> Params {
    try adjoint(hessian(product(direction)))
  }
}

/// The product of a scalar function's Hessian with a direction, by forward mode over reverse mode.
///
/// It costs about four times the function.
///
/// - Precondition: `f` gives a single number.
public func hessianProduct(
  at point: Params, along direction: Params, _ f: @escaping (Params) throws -> Tensor
) throws -> Params {
  let tangent = try jvp(at: point, along: direction) { try gradient(at: $0, f).flattened() }.tangent
  return point.learned.unflattened(tangent)
}

/// Solves A x = b for a symmetric positive definite operator by conjugate gradients from x = 0.
///
/// - Parameters:
///   - product: v ↦ A v.
///   - b: the right-hand side.
///   - iterations: the largest number of products.
///   - tolerance: the iteration ends when the residual's norm is this fraction of the norm of b.
/// - Returns: the solution, or the latest x when the curvature along a direction is not positive.
///
/// Hestenes & Stiefel 1952.
public func conjugateGradient(
  _ product: (Params) throws -> Params, _ b: Params, iterations: Int = 50, tolerance: Double = 1e-6
) rethrows -> Params {
  var (x, residual, direction) = (b.filled(with: 0), b, b)
  var square = residual.dot(residual).item
  let enough = tolerance * tolerance * square
  for _ in 0..<iterations where square > enough && square > 0 {
    let image = try product(direction)
    let curvature = direction.dot(image).item
    if !(curvature > 0) { return x }
    let step = square / curvature
    x = x + step * direction
    residual = residual - step * image
    let next = residual.dot(residual).item
    direction = residual + (next / square) * direction
    square = next
  }
  return x
}
