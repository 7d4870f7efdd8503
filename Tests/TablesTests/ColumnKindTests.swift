import Tables
import Testing

@Suite struct ColumnKindTests {
  @Test func kindsAreNamed() { #expect(ColumnKind(rawValue: "integer") == .integer) }
}
