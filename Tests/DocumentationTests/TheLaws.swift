import Flows

/// The code of the article TheLaws, block by block to the letter.
// swift-format-ignore
func theLaws() throws -> Bool {
  // block 1
  try checkLaws(of: AffineCoupling(MLP(hidden: [16])), inputDim: 5)
  // end
  // block 2
  let coupling = AffineCoupling(MLP(hidden: [16]))
  let (params, forward, inverse) = try coupling(Key(0), inputDim: 4, dtype: .float64)
  let rows = Key(1).normal([8, 4], dtype: .float64)
  let moved = params.perturbed(Key(2))   // untrained, this coupling is the identity
  let report = try LogDetCheck(moved, forward: forward, inverse: inverse, inputs: rows).run()
  print(report.passes, report.largestError)
  // end
  return report.passes
}
