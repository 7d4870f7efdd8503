import Flows

/// The code of the article PrivateFits, block by block to the letter.
// swift-format-ignore
func privateFits() throws -> (
  isPrivate: Bool, clippings: [RowClipping], bounds: ClosedRange<Double>, plan: PrivacyPlan) {
  // block 1
  let rows = Key(1).uniform([5_000, 3])   // a table whose columns are known to lie in 0...1
  let plan = try PrivacyPlan(epsilon: 3, delta: 1e-6, rate: 0.02, batch: 100, steps: 500)

  let bounded = Standardize(mean: .full([3], 0.5), deviation: .full([3], 0.3))
  let flow = Flow(Serial(bounded, Flow.maf(layers: 3).bijection))
  let result = try fit(flow, to: rows, privately: plan, key: Key(0))
  print(plan.mechanism.noiseMultiplier, result.isPrivate)
  // end
  let incomes = (0..<5_000).map { 1_000 + 7 * Double($0) }
  // block 2
  let search = try RangeSearch(epsilon: 0.3, delta: 1e-6)
  let bought = try search([.init("income", incomes)], noise: .secret())[0]
  let rest = try PrivacyPlan(
    epsilon: 3, delta: 1e-6, rate: 0.02, batch: 100, steps: 500, besides: search.ledger)
  // end
  // block 3
  let byRow = RowClipping.perRow(1)
  let byUnit = RowClipping.perUnit(1)
  let sparse = RowClipping.perRow(1).keeping(0.5)
  // end
  // block 4
  let known = NoiseSource.notPrivate(seed: 1)
  let repeated = try fit(flow, to: rows, privately: plan, noise: known, key: Key(0), progress: .silent)
  print(repeated.isPrivate)   // false
  // end
  return (repeated.isPrivate, [byRow, byUnit, sparse], bought, rest)
}
