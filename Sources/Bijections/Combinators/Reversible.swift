import Randomness
import Tensors

/// A bijection whose reverse pass keeps no activations: each layer's input is recovered from its output by the inverse, and
/// that layer alone is differentiated there.
///
/// Map, log|det J|, inverse, parameters, domain, statistics and errors: those of the bijection, unwrapped.
///
/// Chains, members side by side and changes of the context, nested or not, are taken layer by layer, so that the memory of a
/// gradient is one layer's whatever the depth; anything else is one layer. Couplings evaluate their conditioner once on the way back, other layers run forward,
/// inverse and forward again: with a backward pass worth two forward ones that is 4/3 and 5/3 of the time of a pass that
/// stores. It pays where activations, not parameters, fill the memory.
///
/// Gradients are those of the stored pass up to the drift: how far a recovered input is from the one that was there, which
/// grows with depth where layers are ill-conditioned. `drift` reports it; `checkpointEvery: k` stores each k-th layer's
/// output, where the recovery starts anew. Only one reverse pass over values works this way; in forward mode and where
/// transformations nest, the bijection is evaluated as it is.
///
/// Should an inverse throw on the way back (a domain missed by rounding), the gradient is NaN: `fit` reports divergence.
///
/// Gomez et al. 2017, *The reversible residual network*, arXiv 1707.04585, section 3.1.
public struct Reversible: Bijection {
  /// What runs.
  public let bijection: any Bijection
  /// After how many layers an output is stored; nil: never.
  public let checkpoint: Int?

  /// A bijection in the reversible mode.
  ///
  /// - Precondition: `checkpointEvery` is positive.
  public init(_ bijection: any Bijection, checkpointEvery checkpoint: Int? = nil) {
    require(checkpoint ?? 1 > 0, "Reversible: checkpointEvery is positive, got \(checkpoint ?? 0)")
    self.bijection = bijection
    self.checkpoint = checkpoint
  }

  public var members: [any Bijection] { [bijection] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try bijection.initialize(key, at: site)
    return (params, reversible(forward, undoneBy: inverse), reversible(inverse, undoneBy: forward))
  }

  /// The drift of each layer in running order: the largest |difference| / max(1, |value|) between the layer's inputs and those
  /// recovered from the outputs of the last layer.
  ///
  /// Throws what the bijection throws for these inputs.
  public func drift(_ params: Params, _ inputs: Tensor, given context: Tensor? = nil) throws(FlowError)
    -> [Double]
  {
    let (_, forward, inverse) = try bijection(
      Key(0), inputDim: inputs.shape.sample, contextDim: context?.shape.sample, dtype: inputs.dtype)
    try forward.boundary.check(params, inputs, given: context)
    return try Replay(mapping: forward, inverse: inverse, checkpoint: checkpoint).drift(
      params, inputs, context)
  }

  private func reversible(_ mapping: Mapping, undoneBy inverse: Mapping) -> Mapping {
    if mapping.traits.contains(.couplesRows) { return mapping }
    let replay = Replay(mapping: mapping, inverse: inverse, checkpoint: checkpoint)
    return mapping.evaluated("Reversible(\(mapping.name))") { (params, x, context) throws(FlowError) in
      let leaves = params.learnedLeaves
      let results = try withReverseRule([x] + leaves + (context.map { [$0] } ?? [])) {
        (inputs) throws(FlowError) in
        let own = params.replacingLearned(with: Array(inputs[1..<leaves.count + 1]))
        let (y, logDet) = try mapping.body(own, inputs[0], context == nil ? nil : inputs[leaves.count + 1])
        return [y, logDet]
      } rule: { (inputs, wanted) throws(FlowError) in
        let own = params.replacingLearned(with: Array(inputs[1..<leaves.count + 1]))
        let context = context == nil ? nil : inputs[leaves.count + 1]
        return try replay.run(
          own, inputs[0], context, wanted: (wanted[0], context != nil && wanted[leaves.count + 1]))
      }
      return (results[0], results[1])
    }
  }
}
