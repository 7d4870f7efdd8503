import Tensors

/// Applies a function whose reverse pass computes it again, so that only its inputs are kept.
///
/// The cotangents have the same bits whether activations are kept or computed again.
///
/// - Parameters:
///   - inputs: all tensors that the function is differentiated by.
///   - keepsActivations: whether to keep intermediate results from the forward pass instead.
///   - function: a pure function.
package func checkpointed(
  _ inputs: [Tensor], keepsActivations: Bool = false, _ function: @escaping ([Tensor]) -> [Tensor]
) -> [Tensor] {
  withReverseRule(inputs, composed: function) { inputs, wanted in
    typealias Recorded = (values: [Tensor], pullback: ([Tensor?]) -> [Tensor?])
    func recorded() -> Recorded { pullbackOnce(at: inputs, wanted: wanted, function) }
    if !keepsActivations { return (function(inputs), { recorded().pullback($0) }) }
    let kept = recorded()
    var pullback: (([Tensor?]) -> [Tensor?])? = kept.pullback
    return (
      kept.values,
      { cotangents in
        // A record serves one pass.
        let first = pullback.take()
        return (first ?? recorded().pullback)(cotangents)
      }
    )
  }
}
