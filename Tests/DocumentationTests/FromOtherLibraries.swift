import Flows

/// The code of the article FromOtherLibraries, block by block to the letter.
// swift-format-ignore
func fromOtherLibraries(data: Tensor, context: Tensor) throws -> (
  scores: Tensor, draws: Tensor, drawScores: Tensor, logDet: Tensor, restored: Tensor
) {
  // block 1
  // normflows: 8 times flows += [AffineCouplingBlock(MLP([1, 64, 64, 2])), Permute(2, "swap")]
  //            model = NormalizingFlow(DiagGaussian(2), flows); loss = model.forward_kld(x)
  let realNVP = Flow(
    Serial(
      (0..<8).flatMap { _ -> [any Bijection] in
        [Reverse(), Inverted(AffineCoupling(MLP(hidden: [64, 64]), scale: .exponential))]
      }),
    prior: Normal(location: .learned, scale: .learned))
  let fitted = try fit(realNVP, to: data, key: Key(0), epochs: 5)
  let scores = try fitted.logPDF(fitted.params, data)                    // model.log_prob(x)
  // model.sample(100), which gives both
  let (draws, drawScores) = try fitted.sample.withLogPDF(Key(1), fitted.params, count: 100)

  // FrEIA: inn = SequenceINN(2), and twice inn.append(GLOWCouplingBlock, cond=0, cond_shape=(3,), ...)
  //        and inn.append(PermuteRandom)
  let block: [any Bijection] = [
    AffineCoupling(MLP(hidden: [64]), scale: .arctangent(1.272), split: .firstHalf.swapped),
    AffineCoupling(MLP(hidden: [64]), scale: .arctangent(1.272)), Shuffle(),
  ]
  let inn = Serial(block + block)
  let (params, forward, inverse) = try inn(Key(2), inputDim: 2, contextDim: 3)
  let (latents, logDet) = try forward(params, data, given: context)      // inn(x, c=[c])
  let (restored, _) = try inverse(params, latents, given: context)       // inn(z, c=[c], rev=True)
  // end
  return (scores, draws, drawScores, logDet, restored)
}
