/// A function with a reverse pass of its own, which need not keep what it computes on the way.
///
/// - Parameters:
///   - inputs: what the function takes.
///   - composed: the function in ordinary operations: what runs on values, in forward mode and where transformations nest.
///   - rule: the function on values under one reverse pass, told which inputs are followed; and the map from its results'
///     cotangents to its inputs' (nil: zero), which may be called more than once.
package func withReverseRule<Failure: Error>(
  _ inputs: [Tensor], composed: ([Tensor]) throws(Failure) -> [Tensor],
  rule: (_ inputs: [Tensor], _ wanted: [Bool]) throws(Failure) -> (
    outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]
  )
) throws(Failure) -> [Tensor] {
  guard let innermost = inputs.max(by: { $0.level < $1.level }),
    case .traced(let traced) = innermost.payload,
    inputs.allSatisfy({ traced.tape.primal(of: $0).level == 0 })
  else { return try composed(inputs) }
  return try traced.tape.apply(inputs, rule)
}

/// The values of `f` at points, and the map from their cotangents to those of the points that are wanted (nil: zero). The
/// map can be called once: memory is let go on the way.
package func pullbackOnce<Failure: Error>(
  at points: [Tensor], wanted: [Bool], _ f: ([Tensor]) throws(Failure) -> [Tensor]
) throws(Failure) -> (values: [Tensor], pullback: ([Tensor?]) -> [Tensor?]) {
  let tape = Tape()
  let leaves = zip(points, wanted).map { $1 ? tape.leaf($0) : $0 }
  let outcome = Transformation.$isUnderWay.withValue(true) { () -> Result<[Tensor], Failure> in
    do throws(Failure) { return .success(try f(leaves)) } catch { return .failure(error) }
  }
  let results = try outcome.get()
  return (
    results.map(tape.primal),
    { cotangents in
      let seeds = zip(results, cotangents).compactMap { output, cotangent in
        cotangent.map { (output: output, cotangent: $0) }
      }
      return tape.cotangents(of: leaves, seeds: seeds, consuming: true)
    }
  )
}
