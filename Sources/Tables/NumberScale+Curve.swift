import Tensors

extension NumberScale {
  /// Chooses the curve under which a normal distribution gives the numbers the highest likelihood, and its
  /// mean and deviation. A logarithm needs a floor below the numbers.
  mutating func chooseCurve(_ numbers: [Double], floor: Double?, isLog: Bool) {
    let x = Tensor(numbers, dtype: .float64)
    let sorted = numbers.sorted()
    func quantile(_ share: Double) -> Double { sorted[Int(share * Double(sorted.count - 1))] }
    let spread = (quantile(0.75) - quantile(0.25)) / 1.35
    let width = spread > 0 ? spread : max((most - least) / 10, step, 1e-300)
    let inside = max(step, 1e-3 * width)
    var curves: [Curve] = []
    let origin = floor.map { step == 0 && least > $0 ? $0 : $0 - inside }
    if lower != nil, let origin, let upper {
      curves = [.logit(low: origin, high: step == 0 && most < upper ? upper : upper + inside)]
    } else if isLog {
      curves = [.log(origin: step > 0 ? min(0, least - step) : 0)]
    } else if lower != nil, let origin {
      curves = [.log(origin: origin)]
    } else {
      curves = [.identity, .asinh(center: quantile(0.5), width: width)]
      if let origin { curves.append(.log(origin: origin)) }
    }
    var best = -Double.infinity
    for curve in curves {
      let y = curve(x)
      let mean = y.mean().item
      let deviation = sqrt(square(y - mean).mean()).item
      let own = deviation > 0 && deviation.isFinite ? deviation : 1
      let likelihood = curve.logSlope(x).mean().item - log(Tensor(own, dtype: .float64)).item
      // A curve must be clearly better than a straight line.
      if curves.count == 1 || likelihood > best + (best == -.infinity ? 0 : 0.02) {
        (self.curve, self.mean, self.deviation, best) = (curve, mean, own, likelihood)
      }
    }
  }
}
