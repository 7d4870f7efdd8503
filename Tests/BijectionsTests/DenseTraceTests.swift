import Networks
import Randomness
import Tensors
import Testing

@testable import Bijections

/// The closed traces of fields of dense layers against the diagonals of their Jacobians.
@Suite struct DenseTraceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String, field: any VelocityField
    var testDescription: String { name }
  }

  static let cases = [[], [5], [5, 4], [5, 4, 6], [3, 3, 3, 3]].flatMap { hidden -> [Case] in
    let last = Initializer.normal(standardDeviation: 0.5)
    let network = MLP(hidden: hidden, activation: .elu, lastWeight: last)
    return [
      Case(name: "NetworkField \(hidden)", field: NetworkField(network)),
      Case(name: "ConcatSquash \(hidden)", field: ConcatSquash(hidden: hidden, activation: .softplus)),
    ]
  }

  @Test(arguments: cases, [true, false]) func isTheTrace(_ field: Case, isAdaptive: Bool) throws {
    let site = Site(inputDim: 3, contextDim: 2, dtype: .float64)
    let (params, velocity) = try field.field.initialize(Key(0), at: site)
    let (x, context) = (Key(1).normal([4, 3], dtype: .float64), Key(2).normal([4, 2], dtype: .float64))
    let time =
      isAdaptive ? Tensor([[0.1], [0.4], [0.8], [1]], dtype: .float64) : Tensor(0.3, dtype: .float64)
    func loss(_ traced: Velocity.Traced) -> Tensor {
      (square(traced.velocity).sumPerRow() * traced.trace).sum()
    }
    let plain = Velocity(velocity.function)
    let (own, wanted) = (velocity.traced(params, x, time, context), plain.traced(params, x, time, context))
    #expect(abs(own.velocity - wanted.velocity).doubles.max()! < 1e-12)
    #expect(abs(own.trace - wanted.trace).doubles.max()! < 1e-12)
    #expect(own.trace.shape == [4])
    let gradient = valueAndGradient(at: params) { loss(velocity.traced($0, x, time, context)) }.gradient
    let other = valueAndGradient(at: params) { loss(plain.traced($0, x, time, context)) }.gradient
    #expect(abs((gradient - other).flattened()).doubles.max()! < 1e-10)
    #expect(abs(other.flattened()).doubles.max()! > 1e-4)
  }

  /// Pieces of a batch give the bits of the whole.
  @Test func rowsStandAlone() throws {
    let field = ConcatSquash(hidden: [40, 40, 40])
    let (params, velocity) = try field.initialize(Key(0), at: Site(inputDim: 50))
    let x = Key(1).normal([130, 50])
    let whole = velocity.traced(params, x, Tensor(0.5), nil).trace
    let alone = velocity.traced(params, x[77..<78], Tensor(0.5), nil).trace
    #expect(whole[77].item == alone[0].item)
  }
}
