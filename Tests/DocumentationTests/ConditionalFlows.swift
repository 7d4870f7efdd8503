import Flows

/// The code of the article ConditionalFlows, block by block to the letter.
// swift-format-ignore
func conditionalFlows() throws -> (scores: Tensor, draws: Tensor) {
  // block 1
  // x given c: a mean that follows c, and noise that grows with it.
  let context = Key(0).uniform([1_000, 1], in: -1..<1)
  let x = context + (0.1 + 0.3 * abs(context)) * Key(1).normal([1_000, 1])

  let flow = Flow(Serial(AffineCoupling(MLP(hidden: [32, 32])), ActNorm()))
  let fitted = try fit(flow, to: x, given: context, key: Key(2), epochs: 20)

  let scores = try fitted.logPDF(fitted.params, x, given: context)   // one context per row
  let half = Tensor([[0.5]])                                         // or one for all
  let draws = try fitted.sample(Key(3), fitted.params, count: 100, given: half)
  // end
  return (scores, draws)
}
