import Bijections
import Randomness
import Tensors
import Testing
import Verification

/// The checks of layers whose rows depend on each other.
@Suite struct CoupledRowsCheckTests {
  private func wrong(
    _ logDet: @escaping @Sendable (_ params: Params, _ variance: Tensor) -> Tensor
  ) -> Lambda {
    Lambda { (key, site) throws(FlowError) in
      let (params, forward, inverse) = try BatchNorm(momentum: 0).initialize(key, at: site)
      let broken = Mapping(
        forward.boundary, to: forward.codomain, traits: .couplesRows, statistics: forward.statistics
      ) {
        (params, x, context) throws(FlowError) in
        let variance = square(x - x.mean(axis: 0)).mean(axis: 0) + 1e-5
        return (
          try forward.body(params, x, context).outputs, logDet(params, variance).broadcast(to: [x.rows])
        )
      }
      return (params, broken, inverse)
    }
  }

  @Test func rightClaimsPass() throws {
    let right = wrong { params, variance in (params["logScale"] - 0.5 * log(variance)).sum() }
    try LogDetCheck(of: right, inputDim: 3, key: Key(1)).verify()
  }

  /// A check that cannot fail is a defect.
  @Test func wrongClaimsAreRejected() throws {
    let missing = wrong { params, _ in params["logScale"].sum() }
    let sign = wrong { params, variance in (params["logScale"] + 0.5 * log(variance)).sum() }
    let full = wrong { params, variance in (params["logScale"] - log(variance)).sum() }
    for broken in [missing, sign, full] {
      #expect(throws: FlowError.self) { try LogDetCheck(of: broken, inputDim: 3, key: Key(1)).verify() }
      #expect(throws: FlowError.self) { try Laws(of: broken, inputDim: 3, key: Key(1)).check(.logDet) }
    }
  }

  /// Undeclared coupling is still caught, by both laws on rows.
  @Test func undeclaredCouplingIsRejected() throws {
    let silent = Lambda { (key, site) throws(FlowError) in
      let (params, forward, inverse) = try BatchNorm().initialize(key, at: site)
      return (params, Mapping(forward.boundary, to: forward.codomain, body: forward.body), inverse)
    }
    let laws = Laws(of: silent, inputDim: 3, key: Key(1))
    for law in [Laws.Law.rowBits, .rowIndependence] {
      #expect(throws: FlowError.self) { try laws.check(law) }
    }
  }
}
