/// Applies a function with a reverse pass of its own, which need not keep intermediate results.
///
/// - Parameters:
///   - inputs: the inputs of the function.
///   - composed: the function in ordinary operations. It runs on values, in forward mode and where
///     transformations nest or gradients are found by row.
///   - rule: the function on values under one reverse pass, and its pullback. It is told which inputs are
///     wanted. The pullback maps cotangents of the results to those of the inputs (nil: zero). It may be
///     called more than once.
package func withReverseRule<Failure: Error>(
  _ inputs: [Tensor], composed: ([Tensor]) throws(Failure) -> [Tensor],
  rule: (_ inputs: [Tensor], _ wanted: [Bool]) throws(Failure) -> (
    outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]
  )
) throws(Failure) -> [Tensor] {
  guard let innermost = inputs.max(by: { $0.level < $1.level }),
    case .traced(let traced) = innermost.payload, !traced.tape.isByRow,
    inputs.allSatisfy({ traced.tape.primal(of: $0).level == 0 })
  else { return try composed(inputs) }
  return try traced.tape.apply(inputs, rule)
}

/// The values of `f` at points, and the pullback to the wanted points (nil: zero).
///
/// The pullback can be called once, since it frees memory as it goes.
package func pullbackOnce<Failure: Error>(
  at points: [Tensor], wanted: [Bool], _ f: ([Tensor]) throws(Failure) -> [Tensor]
) throws(Failure) -> (values: [Tensor], pullback: ([Tensor?]) -> [Tensor?]) {
  let tape = Tape()
  let leaves = zip(points, wanted).map { $1 ? tape.leaf($0) : $0 }
  let outcome = Transformation.$isUnderWay.withValue(true) {
    Result { () throws(Failure) in try f(leaves) }
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
