import Bijections
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// 0 and ±10⁻⁶ … ±10⁸.
private let ladder: [Double] = {
  let positive = (-6...8).map { pow(Tensor(10, dtype: .float64), Double($0)).item }
  return [0] + positive + positive.map { -$0 }
}()

/// A map of single numbers in both directions, with log-dets: its float32 form is held against float64.
private struct Row: Sendable, CustomTestStringConvertible {
  typealias Direction = @Sendable (Tensor) -> (outputs: Tensor, logDet: Tensor)
  let name: String
  let maps: @Sendable (DType) -> [Direction]
  /// The domains of the two directions.
  let domains: [Domain.Values]
  var testDescription: String { name }

  /// A transformer with raw parameters that single precision holds, the same for all numbers.
  init(_ transformer: any Transformer, _ size: Double) {
    name = "\(transformer.name), \(size)"
    domains = [.reals, .reals]
    let raw = size * Key(5).normal([1, transformer.parameterCount])
    maps = { dtype in
      let raw = raw.cast(to: dtype)
      return [
        { transformer.forward($0, raw.broadcast(to: [$0.rows, transformer.parameterCount])) },
        { transformer.inverse($0, raw.broadcast(to: [$0.rows, transformer.parameterCount])) },
      ]
    }
  }

  /// A layer of one number with its initial parameters.
  init(_ name: String, _ layer: any Bijection, _ domains: [Domain.Values] = [.reals, .reals]) {
    self.name = name
    self.domains = domains
    maps = { dtype in
      let (params, forward, inverse) = try! layer(Key(5), inputDim: 1, dtype: dtype)
      return [forward, inverse].map { map in { try! map(params, $0) } }
    }
  }

  /// The numbers of the ladder in a direction's domain.
  func numbers(_ direction: Int) -> [Double] {
    let domain = domains[direction]
    return ladder.filter { x in
      switch domain {
      case .positive: x > 0
      case .unitInterval: x > 0 && x < 1
      case .interval(let a, let b): x > a && x < b
      default: true
      }
    }
  }
}

private let transformers: [any Transformer] = [
  Affine(), Affine(scale: .exponential), Affine(scale: .sigmoid(shift: 2)),
  Affine(scale: .within(low: 0.1, high: 3)), Affine(scale: .arctangent(1.272)), Shift(),
  VolumePreservingAffine(), RationalQuadraticSpline(), CircularRationalQuadraticSpline(), LinearSpline(),
  QuadraticSpline(), CubicSpline(), SumOfSquares(), SumOfSquares(degree: 0), DeepSigmoidal(),
  DeepSigmoidal(layers: 3), MixtureOfLogistics(), InverseTransformer(SumOfSquares(degree: 1)),
]

private let layers: [Row] = [
  Row("Sigmoid", Sigmoid(), [.reals, .unitInterval]), Row("Logit", Logit(), [.unitInterval, .reals]),
  Row("Tanh", Tanh(), [.reals, .interval(-1, 1)]), Row("Softplus", Softplus(), [.reals, .positive]),
  Row("Exp", Exp(), [.reals, .positive]), Row("Log", Log(), [.positive, .reals]),
  Row("LeakyReLU", LeakyReLU()), Row("Power 3", Power(3), [.positive, .positive]),
  Row("Power -0.5", Power(-0.5), [.positive, .positive]),
  Row("BoxCox 0.5", BoxCox(lambda: 0.5), [.positive, .interval(-2, .infinity)]),
  Row("BoxCox -1", BoxCox(lambda: -1), [.positive, .interval(-.infinity, 1)]),
  Row("YeoJohnson 0.5", YeoJohnson(lambda: 0.5)),
  Row("YeoJohnson 3", YeoJohnson(lambda: 3), [.reals, .interval(-1, .infinity)]),
  Row("PixelLogit", PixelLogit(), [.interval(-0.05, 1.05), .reals]),
  Row("ActNorm", ActNorm()), Row("ElementwiseAffine", ElementwiseAffine()),
  Row("FromInterval", FromInterval(-1, 1), [.interval(-1, 1), .reals]),
  Row("FromInterval, above", FromInterval(above: 2), [.interval(2, .infinity), .reals]),
  Row("Planar", Planar()), Row("Radial", Radial()), Row("Sylvester", Sylvester(units: 1)),
  Row("BlockAutoregressive", BlockAutoregressive()),
]

/// Far out, and near 0, float32 is never NaN. It overflows only where float64 is beyond its range.
@Suite struct LadderTests {
  @Test(arguments: transformers.flatMap { t in [0, 1, 3].map { Row(t, $0) } } + layers)
  private func singlePrecisionIsFinite(_ row: Row) {
    for direction in 0..<2 {
      let numbers = row.numbers(direction)
      func results(_ dtype: DType) -> [(String, [Double])] {
        let x = Tensor(numbers, shape: [numbers.count, 1], dtype: .float32).cast(to: dtype)
        let (outputs, logDet) = row.maps(dtype)[direction](x)
        return [("value", outputs.doubles), ("log-det", logDet.doubles)]
      }
      for ((what, single), (_, double)) in zip(results(.float32), results(.float64)) {
        for i in numbers.indices {
          let (a, b) = (single[i], double[i])
          let place = "\(what) of direction \(direction) at \(numbers[i]): \(a), in float64 \(b)"
          if row.name.hasPrefix("Circular") && abs(numbers[i]) > 100 {
            #expect(a.isFinite, "\(place)")  // In float32 the rounded period adds up.
          } else if abs(b) > Double(Float.greatestFiniteMagnitude) {
            // A layer with a bounded codomain gives the greatest number instead.
            #expect(a == b.sign(.infinity) || a == Double(Float.greatestFiniteMagnitude), "\(place)")
          } else {
            #expect(a.isFinite && abs(a - b) <= 1e-3 * max(1, abs(b)), "\(place)")
          }
        }
      }
    }
  }
}

extension Double {
  /// A magnitude with this number's sign.
  fileprivate func sign(_ magnitude: Double) -> Double { self < 0 ? -magnitude : magnitude }
}
