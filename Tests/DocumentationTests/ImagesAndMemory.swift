import Flows

/// The code of the article ImagesAndMemory, block by block to the letter.
// swift-format-ignore
func imagesAndMemory(images: Tensor) throws -> (draws: Tensor, slopes: Params) {
  // block 1
  // Grey levels 0 to 16 in [rows, 8, 8, 1]: uniform noise fills each level's bin, a logit takes pixels to
  // the real line.
  let glow = Flow.glow(levels: 2, steps: 2, hidden: 8)
  let flow = Flow(Serial(PixelLogit(), glow.bijection), prior: glow.prior)
  let fitted = try fit(
    flow, to: images, key: Key(0), epochs: 1, batchSize: 32,
    augment: { key, rows in (rows + key.uniform(rows.shape)) / 17 })

  let draws = try fitted.sample(Key(1), fitted.params, count: 16) * 17
  // end
  // block 2
  let deep = Reversible(Serial((0..<8).map { _ in AffineCoupling(MLP(hidden: [16])) }))
  let (params, forward, _) = try deep(Key(2), inputDim: 6)
  let x = Key(3).normal([32, 6])
  let slopes = try gradient(at: params) { params in try forward(params, x).logDet.sum() }
  // end
  return (draws, slopes)
}
