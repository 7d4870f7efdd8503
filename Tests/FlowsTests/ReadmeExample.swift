import Flows

/// What the README's example makes, for the test to look at.
struct ReadmeResults {
  let inputs, outputs, logDet, restored, inverseLogDet: Tensor
  let initial, trained: Params
  let density, draws: Tensor
}

/// The README's example between the marks, to the letter; `data` and `inputs` are what the reader brings.
// swift-format-ignore
func readmeExample(data: Tensor, inputs: Tensor) throws -> ReadmeResults {
  // README begin
  // A bijection is a value. A key and an input dimension turn it into parameters and two pure functions.
  // An array of layers has the type [any Bijection].
  let bijection = Serial(
    AffineCoupling(MLP(hidden: [64, 64])),
    InvertibleLinear(),
    ActNorm())

  let (params, forward, inverse) = try bijection(Key(0), inputDim: 5)
  let (outputs, logDet) = try forward(params, inputs)            // [batch, 5], [batch]
  let (restored, inverseLogDet) = try inverse(params, outputs)   // ≈ inputs, ≈ -logDet

  // A bijection with a prior is a distribution.
  let flow = Flow(bijection, prior: Normal())
  let (initial, logPDF, sample) = try flow(Key(0), inputDim: 5)

  // Train it.
  let optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 1e-3))
  var trained = initial
  var state = optimizer.initialize(trained)
  for step in 0..<1_000 {
    let batch = data.rows(Key(7).folded(in: step).choice(256, of: data.shape[0]))
    let (loss, gradient) = try valueAndGradient(at: trained, over: batch) { trained, rows in
      try -logPDF(trained, rows)             // one loss a row; rows are sharded over cores
    }
    (trained, state) = try optimizer.update(gradient, state, trained)
    if step % 100 == 0 { print(step, loss) }
  }

  let density = try logPDF(trained, inputs)                      // [batch]
  let draws = try sample(Key(1), trained, count: 1_000)          // [1000, 5]; sample.withLogPDF gives both

  // Trust it: hand-written log-dets against the dual-number Jacobian, both directions.
  try LogDetCheck(of: bijection, inputDim: 5, key: Key(2)).verify()
  // README end
  return ReadmeResults(
    inputs: inputs, outputs: outputs, logDet: logDet, restored: restored, inverseLogDet: inverseLogDet,
    initial: initial, trained: trained, density: density, draws: draws)
}
