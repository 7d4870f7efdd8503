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
      curves = [.identity]
      let arc = Curve.asinh(center: quantile(0.5), width: width)
      if arc.contains(least), arc.contains(most) { curves.append(arc) }
      if let origin { curves.append(.log(origin: origin)) }
    }
    var best = -Double.infinity
    for curve in curves {
      let y = curve(x)
      let (mean, deviation) = moments(y)
      let own = deviation > 0 && deviation.isFinite ? deviation : 1
      let likelihood = curve.logSlope(x).mean().item - log(Tensor(own, dtype: .float64)).item
      // A curve must be clearly better than a straight line.
      if curves.count == 1 || likelihood > best + (best == -.infinity ? 0 : 0.02) {
        (self.curve, self.mean, self.deviation, best) = (curve, mean, own, likelihood)
      }
    }
  }

  /// The mean and the deviation. Powers of two keep squares in the range of float64, and change no bits.
  private func moments(_ y: Tensor) -> (mean: Double, deviation: Double) {
    func power(_ size: Double) -> Double { size > 0x1p400 && size.isFinite ? size.binade : 1 }
    let top = power(y.doubles.reduce(0) { max($0, abs($1)) })
    let mean = (y / top).mean().item * top
    let rest = y - mean
    let unit = power(rest.doubles.reduce(0) { max($0, abs($1)) })
    return (mean, sqrt(square(rest / unit).mean()).item * unit)
  }

  /// Whether the middle half of some numbers is wider than 10⁻³⁰ in the flow's units. If not, float32 gives
  /// them one value, whose density has no bound.
  func separates(_ numbers: [Double]) -> Bool {
    guard numbers.count > 3 else { return mean.isFinite && deviation.isFinite }
    let sorted = numbers.sorted()
    let (low, high) = (sorted[numbers.count / 4], sorted[numbers.count * 3 / 4])
    let y = curve(Tensor([low, high], dtype: .float64)).doubles
    return (most - least).isFinite && (low == high || (y[1] - y[0]) / deviation > 1e-30)
  }
}
