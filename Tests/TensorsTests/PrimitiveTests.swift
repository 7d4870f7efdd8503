import TestSupport
import Testing

extension PrimitiveRow: CustomTestStringConvertible {
  /// The name.
  public var testDescription: String { name }
}

/// Every rule of every primitive against finite differences and against the other rules.
@Suite struct PrimitiveTests {
  @Test(arguments: primitiveTable) func tangentEqualsFiniteDifference(_ row: PrimitiveRow) {
    #expect(row.checkTangents() == [])
  }

  @Test(arguments: primitiveTable) func cotangentEqualsFiniteDifference(_ row: PrimitiveRow) {
    #expect(row.checkCotangents() == [])
  }

  @Test(arguments: primitiveTable) func secondDerivativesNest(_ row: PrimitiveRow) {
    #expect(row.checkNesting() == [])
  }

  @Test(arguments: primitiveTable) func float32EqualsFloat64(_ row: PrimitiveRow) {
    #expect(row.checkSinglePrecision() == [])
  }
}
