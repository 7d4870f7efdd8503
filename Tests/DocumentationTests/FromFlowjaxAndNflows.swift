import Flows

/// The code of the article FromFlowjaxAndNflows, block by block to the letter.
// swift-format-ignore
func fromFlowjaxAndNflows(data: Tensor) throws -> (scores: Tensor, draws: Tensor, drawScores: Tensor) {
  // block 1
  // nflows: Flow(CompositeTransform([ReversePermutation(2), MaskedAffineAutoregressiveTransform(2, 64)] * 5),
  //              StandardNormal([2]))
  // flowjax: masked_autoregressive_flow(key, base_dist=Normal(zeros(2)), flow_layers=5, nn_width=64)
  let maf = Flow.maf(layers: 5, hidden: [64, 64])
  let (params, logPDF, sample) = try maf(Key(0), inputDim: 2)

  // flow.log_prob(x); dist.log_prob(x)
  let scores = try logPDF(params, data)
  // flow.sample_and_log_prob(100); dist.sample_and_log_prob(key, (100,))
  let (draws, drawScores) = try sample.withLogPDF(Key(1), params, count: 100)
  // end
  return (scores, draws, drawScores)
}
