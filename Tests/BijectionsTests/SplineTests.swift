import Bijections
import Tensors
import TestSupport
import Testing

/// A spline and raw parameters for it.
struct SplineCase: Sendable, CustomTestStringConvertible {
  let name: String
  let spline: any Transformer
  let bound: Double
  let dtype: DType
  var testDescription: String { "\(name), \(dtype)" }
  var eps: Double { dtype == .float32 ? 1.2e-7 : 2.3e-16 }

  static let all = [DType.float32, .float64].flatMap { dtype in
    [
      ("rational-quadratic", RationalQuadraticSpline(), 3),
      ("rational-quadratic, one bin", RationalQuadraticSpline(bins: 1, bound: 0.7), 0.7),
      ("rational-quadratic, wide", RationalQuadraticSpline(bins: 10, bound: 30), 30),
      ("circular", CircularRationalQuadraticSpline(), .pi),
      ("linear", LinearSpline(), 3), ("quadratic", QuadraticSpline(), 3), ("cubic", CubicSpline(), 3),
      ("cubic, two bins", CubicSpline(bins: 2), 3),
    ].map { (name: String, spline: any Transformer, bound: Double) in
      SplineCase(name: name, spline: spline, bound: bound, dtype: dtype)
    }
  }

  /// Inside, on the bounds and next to them, outside, far.
  var numbers: [Double] {
    let edge = dtype == .float32 ? Double(Float(bound)) : bound
    let beside =
      dtype == .float32
      ? [Double(Float(bound).nextUp), Double(Float(bound).nextDown)] : [bound.nextUp, bound.nextDown]
    let outside = beside + [edge, 1.001 * edge, 5 * edge, 1e4, 1e30]
    return outside + outside.map { -$0 } + [0, 1e-30, -1e-30] + (0..<41).map { edge * (Double($0) / 20 - 1) }
  }

  /// Raw parameters for `rows` numbers: random ones of a size, all at one extreme, and extremes in turn.
  func raws(_ rows: Int, size: Double) -> [Tensor] {
    let shape: Shape = [rows, spline.parameterCount]
    let noise = size * wave(shape, phase: size, dtype: dtype)
    let signs = select(
      where: wave(shape, phase: 4, dtype: dtype) .> 0, .full(shape, size, dtype: dtype), -size)
    return [noise, signs, .full(shape, size, dtype: dtype), .full(shape, -size, dtype: dtype)]
  }

  /// Numbers with the knots, x or y, of each raw parameter set exactly among them, and those parameters.
  func cases(size: Double) -> [(x: Tensor, raw: Tensor)] {
    let numbers = numbers
    return raws(1, size: size).map { row in
      let bins = name == "linear" ? spline.parameterCount : spline.binCount
      let knots = (0..<(spline.parameterCount / bins)).flatMap { i in
        Spline("knots", bins: bins, bound: bound, minimumBin: 1e-3).knots(
          row.sliced(axis: 1, i * bins..<(i + 1) * bins)
        ).doubles
      }
      let x = Tensor(numbers + knots, shape: [numbers.count + knots.count, 1], dtype: dtype)
      return (x, row.broadcast(to: [x.rows, spline.parameterCount]))
    }
  }
}

extension Transformer {
  fileprivate var binCount: Int {
    switch self {
    case is CircularRationalQuadraticSpline: parameterCount / 3
    case is QuadraticSpline: (parameterCount + 1) / 2
    case is CubicSpline: (parameterCount - 2) / 2
    default: (parameterCount + 1) / 3
    }
  }
}

@Suite struct SplineTests {
  @Test(arguments: SplineCase.all, [0, 1, 10, 1e4, 1e30]) func nothingIsNaN(
    _ item: SplineCase, _ size: Double
  ) {
    for (x, raw) in item.cases(size: size) {
      for isInverse in [false, true] {
        let map = { (x: Tensor, raw: Tensor) in
          isInverse ? item.spline.inverse(x, raw) : item.spline.forward(x, raw)
        }
        let (y, logDet) = map(x, raw)
        #expect(y.isFinite && logDet.isFinite)
        let byRaw = gradient(at: raw) { raw in
          let (y, logDet) = map(x, raw)
          return (minimum(maximum(y, -100), 100) + logDet.expanded(axis: 1)).sum()
        }
        let byInputs = gradient(at: x) { x in
          let (y, logDet) = map(x, raw)
          return (y + logDet.expanded(axis: 1)).sum()
        }
        #expect(byRaw.isFinite, "by parameters, inverse \(isInverse)")
        #expect(byInputs.isFinite, "by inputs, inverse \(isInverse)")
        let tangent = jvp(at: x, along: .ones(x.shape, dtype: x.dtype)) { map($0, raw).outputs }.tangent
        #expect(tangent.isFinite)
      }
    }
  }

  /// x − inverse(forward(x)) within 10⁻⁵ for raw parameters within ±1 in float32, and within the rounding of
  /// y beyond.
  @Test(arguments: SplineCase.all, [0, 1, 10, 1e4]) func roundTrips(_ item: SplineCase, _ size: Double) {
    // There a rounding of y can be wider than a bin is high, and the slope at x says nothing about what it
    // costs.
    if item.bound > 10 && size > 10 { return }
    for (x, raw) in item.cases(size: size) {
      let (y, logDet) = item.spline.forward(x, raw)
      let back = item.spline.inverse(y, raw).outputs
      for (i, (a, b)) in zip(x.doubles, back.doubles).enumerated() where abs(a) < 2 * item.bound {
        let slope = exp(Tensor(logDet.doubles[i], dtype: .float64)).item
        let allowed =
          size <= 1 && item.bound <= 3.2 ? item.eps * 80 : 16 * item.eps * (item.bound + 1 / slope)
        #expect(abs(a - b) <= allowed, "x \(a) came back as \(b), slope \(slope)")
      }
      // x is now a number on the image's side. Its source is rounded by up to eps · bound / 2, and the slope
      // is what that costs: no arithmetic has less.
      let (source, backDet) = item.spline.inverse(x, raw)
      let again = item.spline.forward(source, raw).outputs
      for (i, (a, b)) in zip(x.doubles, again.doubles).enumerated() where abs(a) < 2 * item.bound {
        let slope = exp(Tensor(-backDet.doubles[i], dtype: .float64)).item
        let allowed =
          size <= 1 && item.bound <= 3.2 ? item.eps * 80 : item.eps * item.bound * (16 + slope)
        #expect(abs(a - b) <= allowed, "y \(a) came back as \(b), slope \(slope)")
      }
    }
  }

  @Test(arguments: SplineCase.all) func outsideIsTheIdentity(_ item: SplineCase) {
    if item.name == "circular" { return }
    let x = Tensor([-1e30, -31, -30.5, 31, 40], shape: [5, 1], dtype: item.dtype)
    let raw = 5 * wave([5, item.spline.parameterCount], dtype: item.dtype)
    for result in [item.spline.forward(x, raw), item.spline.inverse(x, raw)] {
      #expect(result.outputs.isIdentical(to: x))
      #expect(result.logDet.doubles.allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: SplineCase.all) func aNaNStaysWhereItIs(_ item: SplineCase) {
    if item.name.hasSuffix("one bin") { return }  // the identity, whatever its parameters
    let count = item.spline.parameterCount
    let raw = wave([3, count], phase: 1, dtype: item.dtype)
    let x = Tensor([0.3, .nan, 0.6], shape: [3, 1], dtype: item.dtype)
    let spoiled = concatenate([raw[0..<1], .full([1, count], .nan, dtype: item.dtype), raw[2..<3]], axis: 0)
    for map in [item.spline.forward, item.spline.inverse] {
      for result in [map(x, raw), map(.full([3, 1], 0.5, dtype: item.dtype), spoiled)] {
        let (y, logDet) = (result.outputs.doubles, result.logDet.doubles)
        #expect(y[1].isNaN && y[0].isFinite && y[2].isFinite && logDet[0].isFinite && logDet[2].isFinite)
      }
    }
  }

  @Test(arguments: SplineCase.all) func boundsStayInPlace(_ item: SplineCase) {
    let edge = Tensor(item.bound, dtype: item.dtype).item
    let x = Tensor([-edge, edge], shape: [2, 1], dtype: item.dtype)
    let raw = 5 * wave([2, item.spline.parameterCount], dtype: item.dtype)
    #expect(isClose(item.spline.forward(x, raw).outputs, x, 4 * item.eps))
    #expect(isClose(item.spline.inverse(x, raw).outputs, x, 4 * item.eps))
  }

  @Test func theCircleIsJoinedSmoothly() {
    let spline = CircularRationalQuadraticSpline(bins: 6)
    let raw = 3 * wave([3, 18], phase: 2)[0..<1].broadcast(to: [3, 18])
    let x = Tensor([-.pi, .pi, 3 * .pi], shape: [3, 1], dtype: .float64)
    let (y, logDet) = spline.forward(x, raw)
    #expect(isClose(y, x, 1e-15))
    #expect(isClose(logDet, logDet[0..<1].broadcast(to: [3]), 1e-12) && abs(logDet.doubles[0]) > 0.1)
    // A turn more at the input is a turn more at the output.
    let angle = Tensor([0.4, 0.4 + 2 * .pi, 0.4 - 4 * .pi], shape: [3, 1], dtype: .float64)
    let images = spline.forward(angle, raw).outputs.doubles
    #expect(abs(images[1] - images[0] - 2 * .pi) < 1e-12 && abs(images[2] - images[0] + 4 * .pi) < 1e-12)
  }

  @Test func derivativesAtTheBoundsAreContinuous() {
    let x = Tensor([Double(3).nextDown, Double(3).nextUp], shape: [2, 1], dtype: .float64)
    for spline in [RationalQuadraticSpline(), QuadraticSpline()] as [any Transformer] {
      let raw = 2 * wave([2, spline.parameterCount], phase: 1)
      #expect(isClose(spline.forward(x, raw).logDet, .zeros([2], dtype: .float64), 1e-12))
    }
  }
}
