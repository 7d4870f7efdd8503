/// The gradients of one loss per row that a backward pass has found for the rows of one shard.
struct RowPass {
  /// A value of the parameters alone that all shards share.
  struct Shared {
    let place: SharedValues.Place
    let outputs: [(sum: RowSum?, value: Tensor)]
  }

  /// The gradients by each learned leaf; nil where no loss depends on it.
  let whole: [RowSum?]
  /// Those of the direct uses, which are not through shared values.
  let own: [RowSum?]
  /// The gradients by the shared values.
  let shared: [Shared]
}

extension Params {
  /// The gradients of one loss per row, in one backward pass.
  ///
  /// Throws `NoRowRule` where a primitive has no rule for several rows.
  func rowSums(
    _ rows: Tensor, _ context: Tensor?, sharing values: SharedValues? = nil,
    _ loss: (Params, Tensor, Tensor?) throws -> Tensor
  ) throws -> RowPass {
    let tape = Tape(sharing: values, byRow: true)
    let leaves = learnedLeaves.map { tape.leaf($0.ownView) }
    let losses = try Transformation.$isUnderWay.withValue(true) {
      try loss(replacingLearned(with: leaves), rows, context)
    }
    require(
      losses.shape == [rows.rows],
      "the loss must give one number a row, shape [\(rows.rows)], got \(losses.shape)")
    let (own, sums) = try tape.rowGradients(of: leaves, losses: losses)
    guard let values else { return RowPass(whole: own, own: own, shared: []) }
    var whole = own
    let shared = try sums.map { place, sums in
      let (found, outputs) = try values.pullBackByRow(place, sums, rows: rows.rows)
      // Leaves have the first slots.
      for (k, sum) in found.enumerated() where place.slots[k] >= 0 {
        guard let sum else { continue }
        let leaf = Int(place.slots[k])
        if whole[leaf] == nil { whole[leaf] = sum } else { whole[leaf]!.add(sum) }
      }
      return RowPass.Shared(place: place, outputs: sums.indices.map { (sums[$0], outputs[$0]) })
    }
    return RowPass(whole: whole, own: own, shared: shared)
  }
}
