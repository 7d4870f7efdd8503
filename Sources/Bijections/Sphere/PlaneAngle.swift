import Tensors

/// The angle of points (x, y), between −π and π; 0 at the origin.
///
/// With r = √(x² + y²) it is 2 atan(y / (r + x)) for x ≥ 0, and otherwise the supplement of 2 atan(y / (r −
/// x)). Neither denominator cancels.
func planeAngle(_ x: Tensor, _ y: Tensor) -> Tensor {
  let isOrigin = (x.detached .== 0) * (y.detached .== 0)
  let isRight = x.detached .>= 0
  let size = select(where: isOrigin, 1, select(where: isRight, x, -x))
  let half = 2 * atan(y / (size + sqrt(square(size) + square(y))))
  let supplement = select(where: y.detached .>= 0, .pi - half, -.pi - half)
  return select(where: isRight, half, supplement)
}
