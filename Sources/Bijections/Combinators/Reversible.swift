import Randomness
import Tensors

/// Runs a bijection with a reverse pass that keeps no activations. Each layer's inverse recovers the layer's
/// input from its output, and the layer alone is differentiated there.
///
/// Map, log|det J|, inverse, parameters, domain, statistics and errors: those of the bijection.
///
/// The reverse pass enters chains, members side by side and changes of the context, at any depth of nesting.
/// It holds the activations of one layer at a time. Any other bijection counts as one layer.
///
/// Couplings evaluate their conditioner once on the way back: 4/3 of the time of a pass that stores
/// activations. Other layers run forward, inverse and forward again: 5/3 of that time. (A backward pass
/// counts as two forward passes.) This pays when activations, not parameters, fill the memory.
///
/// A recovered input differs from the original one by rounding. This drift grows with depth if layers are
/// ill-conditioned, and gradients inherit it. `drift` reports it. `checkpointEvery: k` stores every k-th
/// layer's output, and recovery restarts there.
///
/// Only a single reverse pass over values works this way. In forward mode and in nested transformations the
/// bijection runs unchanged. If an inverse throws on the way back because rounding leaves its domain, the
/// gradient is NaN, and `fit` reports divergence.
///
/// Gomez et al. 2017, *The reversible residual network*, arXiv 1707.04585, section 3.1.
public struct Reversible: Bijection {
  /// The bijection that runs.
  public let bijection: any Bijection
  /// The number of layers between stored outputs; nil stores none.
  public let checkpoint: Int?

  /// Wraps a bijection, and stores every k-th layer's output if k is given.
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

  /// The drift of each layer in running order: the largest |difference| / max(1, |value|) between the layer's
  /// inputs and those recovered from the outputs of the last layer.
  ///
  /// Throws what the bijection throws for these inputs.
  public func drift(_ params: Params, _ inputs: Tensor, given context: Tensor? = nil) throws(FlowError)
    -> [Double]
  {
    let (_, forward, inverse) = try bijection(
      Key(0), inputDim: inputs.shape.sample, contextDim: context?.shape.sample, dtype: inputs.dtype)
    _ = try forward(params, inputs, given: context)
    return try Replay(mapping: forward, inverse: inverse, checkpoint: checkpoint).drift(
      params, inputs, context)
  }

  private func reversible(_ mapping: Mapping, undoneBy inverse: Mapping) -> Mapping {
    if mapping.traits.contains(.couplesRows) { return mapping }
    let replay = Replay(mapping: mapping, inverse: inverse, checkpoint: checkpoint)
    return mapping.evaluated("Reversible(\(mapping.name))") { (params, x, context) throws(FlowError) in
      let point = Arguments(inputs: [x], params: params, context: context)
      let results = try withReverseRule(point.tensors) { (tensors) throws(FlowError) in
        try mapping.results(at: point.replaced(by: tensors))
      } rule: { (tensors, wanted) throws(FlowError) in
        try replay.run(
          point.replaced(by: tensors), wanted: (wanted[0], context != nil && wanted[wanted.count - 1]))
      }
      return (results[0], results[1])
    }
  }
}
