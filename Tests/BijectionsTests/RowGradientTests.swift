import Bijections
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Verification

/// Gradients by row of every layer of the laws table, against those of one row at a time.
@Suite struct RowGradientTests {
  @Test(arguments: lawsTable.filter { hasRowGradients($0) })
  func inDoublePrecision(_ row: LawsRow) throws { try check(row, .float64) }

  @Test(arguments: lawsTable.enumerated().filter { $0 % 9 == 0 && hasRowGradients($1) }.map(\.element))
  func inSinglePrecision(_ row: LawsRow) throws { try check(row, .float32) }

  /// The layers of the usual flows have rules for many rows.
  @Test(
    arguments: [
      "ActNorm", "AffineCoupling, odd", "AffineCoupling, context", "AffineCoupling, image",
      "InvertibleLinear", "Householder, three", "Householder, more than channels", "QRLinear",
      "Coupling, CubicSpline, odd", "Autoregressive, odd",
    ])
  func rowsAtOnce(_ name: String) throws {
    let row = try #require(lawsTable.first { $0.name == name })
    let (losses, params, x, context) = try #require(try cases(row, .float64).first)
    let found = try weightedRowGradients(at: params, over: x, given: context, factors: { $0 }, losses)
    #expect(!found.isOneByOne)
  }

  /// A reflection of one number changes its sign, whatever the vector.
  @Test func reflectionsOfOneNumberHaveNoGradient() throws {
    let (params, forward, _) = try Householder(reflections: 3)(Key(1), inputDim: 1)
    let found = try weightedRowGradients(at: params, over: wave([5, 1], dtype: .float32), factors: { $0 }) {
      params, x, _ in square(try forward(params, x).outputs - 1).sumPerRow()
    }
    #expect(found.norms.doubles.allSatisfy { $0 == 0 } && found.sums[0].doubles.allSatisfy { $0 == 0 })
  }

  private func check(_ row: LawsRow, _ dtype: DType) throws {
    for (losses, params, x, context) in try cases(row, dtype) {
      let explicit = try (0..<x.rows).map { i in
        try valueAndGradient(at: params) { try losses($0, x[i..<i + 1], context?[i..<i + 1]).sum() }
          .gradient.leaves
      }
      for norms in [RowNorms.ofAll, .ofUnits] {
        let found = try weightedRowGradients(
          at: params, over: x, given: context, norms: norms, factors: { 1 / (1 + $0) }, losses)
        try compare(found, explicit, norms, dtype)
        if norms.count(in: params) > 1 { continue }
        // The common part is the same for other rows.
        let other = try weightedRowGradients(
          at: params, over: x[0..<1], given: context?[0..<1], factors: { $0 }, losses)
        for (a, b) in zip(found.common, other.common) { #expect(a.isIdentical(to: b)) }
        try compareWhole(
          weightedRowGradients(
            at: params, over: x, given: context, separatesCommon: false, factors: { 1 / (1 + $0) }, losses),
          explicit, dtype)
      }
    }
  }
}

/// Gradients with their common part.
private func compareWhole(
  _ found: WeightedRowGradients, _ explicit: [[Tensor]], _ dtype: DType
) throws {
  let tolerance = dtype == .float64 ? 1e-12 : 1e-5
  let (factors, common) = (1 / (1 + found.norms), found.common)
  var scale = 0.0
  for (i, leaves) in explicit.enumerated() {
    let size = leaves.reduce(0) { $0 + Tensors.square($1.cast(to: .float64)).sum().item }
    let parts = common.reduce(size) { $0 + Tensors.square($1.cast(to: .float64)).sum().item }
    let norm = found.norms[i].item
    #expect(abs(norm * norm - size) <= 4 * tolerance * parts, "row \(i): \(norm)², expected \(size)")
    scale += abs(factors[i].item) * parts.squareRoot()
  }
  for (k, sum) in found.sums.enumerated() {
    let expected = explicit.indices.map { factors[$0].item * explicit[$0][k] }.reduce(0.0 * sum) { $0 + $1 }
    #expect(abs(sum - expected).doubles.max() ?? 0 <= tolerance * scale, "leaf \(k)")
  }
}

private func compare(
  _ found: WeightedRowGradients, _ explicit: [[Tensor]], _ norms: RowNorms, _ dtype: DType
) throws {
  let factors = 1 / (1 + found.norms)
  let tolerance = dtype == .float64 ? 1e-12 : 1e-5
  // Of each row, the gradient without the common part.
  let own = explicit.map { zip($0, found.common).map { $0 - $1 } }
  let size = explicit.map { $0.reduce(0) { $0 + square($1.cast(to: .float64)).sum().item }.squareRoot() }
  if case .ofAll = norms {
    for (i, leaves) in own.enumerated() {
      let norm = leaves.reduce(0) { $0 + square($1.cast(to: .float64)).sum().item }.squareRoot()
      let difference = abs(norm - found.norms[i].item)
      #expect(difference <= tolerance * size[i], "row \(i): \(found.norms[i].item), expected \(norm)")
    }
    let scale = zip(size, factors.doubles).reduce(0) { $0 + $1.0 * abs($1.1) }
    for (k, sum) in found.sums.enumerated() {
      let expected = own.indices.map { factors[$0].item * own[$0][k] }.reduce(0.0 * own[0][k]) { $0 + $1 }
      #expect(abs(sum - expected).doubles.max() ?? 0 <= tolerance * scale, "leaf \(k)")
    }
  } else {
    // Squared norms of units add up.
    for (i, leaves) in own.enumerated() {
      let norm = leaves.reduce(0) { $0 + square($1.cast(to: .float64)).sum().item }.squareRoot()
      let sum = square(found.norms[i].cast(to: .float64)).sum().item.squareRoot()
      #expect(abs(norm - sum) <= tolerance * size[i], "row \(i), units: \(sum), expected \(norm)")
    }
  }
}

/// Whether rows are independent, and gradients are more than the rounding of zero.
private func hasRowGradients(_ row: LawsRow) -> Bool {
  !isCoupled(row) && !(row.name.hasPrefix("Householder") && row.inputDim.count == 1)
}

private func isCoupled(_ row: LawsRow) -> Bool {
  let made = try? row.bijection(Key(1), inputDim: row.inputDim, contextDim: row.contextDim)
  return made?.forward.traits.contains(.couplesRows) ?? true
}

private typealias Losses = @Sendable (Params, Tensor, Tensor?) throws -> Tensor

/// A loss of outputs and log-determinants in each direction, with its parameters and some rows.
private func cases(
  _ row: LawsRow, _ dtype: DType
) throws -> [(losses: Losses, params: Params, x: Tensor, context: Tensor?)] {
  let specimen = try row.laws.specimens(dtype)[1]
  if specimen.params.learnedLeaves.isEmpty { return [] }
  return try specimen.directions().prefix(2).compactMap { direction in
    let near = direction.inputs.rows
    let some = direction.at(Array(Array(0..<near).prefix(3)))
    if some.inputs.rows < 2 { return nil }
    let mapping = direction.mapping
    let losses: Losses = { params, x, context in
      let (y, logDet) = try mapping(params, x, given: context)
      return (y * wave(y.shape.sample, phase: 2, dtype: y.dtype)).sumPerRow() + logDet
    }
    return (losses, direction.params, some.inputs, some.context)
  }
}
