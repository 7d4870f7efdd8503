import Flows

/// Measures the peak memory and time of a gradient step at a depth: `--workload memory`.
///
/// Activations are stored, or recovered with `--reversible`. The depth of `ot-flow` is the number of steps,
/// which are stored or computed again. A process measures one depth, so that its peak
/// resident set can be measured from outside (`/usr/bin/time -v`). A step is the gradient over a batch and
/// plain gradient descent.
///
///     benchmarks --workload memory --depth 64 [--model realnvp|glow|ot-flow] [--reversible] [--json]
struct MemoryWorkload {
  let model: String
  let depth: Int
  let isReversible: Bool
  let threads: Int
  let repetitions: Int
  let isJSON: Bool

  /// The model: RealNVP of 64 numbers with 256 hidden units, or Glow's steps on 64x64x3 images squeezed to
  /// 16x16x48.
  private var setting: (layers: [any Bijection], inputDim: Shape, batch: Int, before: [any Bijection]) {
    if model == "glow" {
      let network = ConvNet(hidden: [64, 64], lastWeight: .normal(standardDeviation: 0.01))
      let steps = (0..<depth).flatMap { _ -> [any Bijection] in
        [ActNorm(), InvertibleLinear(), AffineCoupling(network, scale: .sigmoid(shift: 2))]
      }
      return (steps, [64, 64, 3], 8, [Squeeze(), Squeeze()])
    }
    let network = MLP(hidden: [256, 256], lastWeight: .normal(standardDeviation: 0.01))
    return (
      (0..<depth).flatMap { _ -> [any Bijection] in [AffineCoupling(network), Reverse()] }, 64, 4096, []
    )
  }

  private var flow: (flow: Flow, inputDim: Shape, batch: Int) {
    if model == "ot-flow" {
      let motion = ContinuousFlow(
        OTFlowPotential(width: 64), solver: .steps(depth), keepsActivations: !isReversible)
      return (Flow(motion), 8, 1024)
    }
    let (layers, inputDim, batch, before) = setting
    let chain: any Bijection = isReversible ? Reversible(Serial(layers)) : Serial(layers)
    return (Flow(Serial(before + [chain])), inputDim, batch)
  }

  func run() throws {
    let (flow, inputDim, batch) = flow
    try Parallelism.$threads.withValue(threads) {
      let (initial, logPDF, _) = try flow(Key(0), inputDim: inputDim)
      let rows = Key(1).normal(inputDim.batched(batch))
      var params = initial
      func gradient() throws -> Params {
        try valueAndGradient(at: params, over: rows) { params, rows in -(try logPDF(params, rows)) }.gradient
      }
      let time = try Measurement("\(model), depth \(depth)", repetitions: repetitions, warmUp: 1) {
        params = try SGD(learningRate: 1e-4).update(
          gradient(), SGD(learningRate: 1e-4).initialize(params), params
        ).0
      }
      // A stored pass peaks at the end of its forward half, beside the sum of earlier shards' gradients. A
      // reversible pass peaks when its own gradients are almost complete too. Each thread works on one shard.
      let (result, bytes) = try TensorMemory.peak { try gradient() }
      let gradients = result.learnedLeaves.reduce(0) { $0 + 4 * $1.count }
      let shards = (batch + Parallelism.shardRows(of: inputDim) - 1) / Parallelism.shardRows(of: inputDim)
      let copies = (shards > 1 ? 1 : 0) + (isReversible ? min(threads, shards) : 0)
      let mebibytes = Double(bytes - copies * gradients) / 1_048_576
      if isJSON {
        print(
          "{\"workload\": \"memory\", \"model\": \"\(model)\", \"depth\": \(depth), \"reversible\": "
            + "\(isReversible), "
            + "\"threads\": \(threads), \"params\": \(params.learnedCount), "
            + "\"peak_activation_mib\": \(mebibytes), "
            + "\"median_ms\": \(time.median)}")
      } else {
        print(
          "\(model), depth \(depth), \(isReversible ? "reversible" : "stored"): \(mebibytes) MiB of "
            + "activations, "
            + "\(time.median) ms per step, \(params.learnedCount) parameters")
      }
    }
  }
}
