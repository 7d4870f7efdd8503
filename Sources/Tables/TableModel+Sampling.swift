import Bijections
import Distributions
import Files
import Randomness
import Tensors

extension TableModel {
  /// Whether draws can be conditioned on real numbers: the flows take them in one order.
  public var ordersNumbers: Bool { ordered != nil }

  /// Draws rows, on condition that some columns have given values.
  ///
  /// Columns are drawn in order: codes first, then real numbers. A draw has the given values, and a weight:
  /// the probability of each given value under the columns before it. If the given columns come first, all
  /// weights are equal and the draws are exact. If not, ten draws or more per row are made, and rows are
  /// drawn among them by weight. The effective number of draws says how good that is.
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - count: the number of rows.
  ///   - first: the number of the first row: the rows are a part of the same long sample.
  ///   - given: texts by column name, as in a table; an empty text for a missing value.
  /// - Throws: `FlowError` for an unknown column or a text that does not fit it, for given numbers of a model
  ///   whose flow has no order, and for values of probability 0. Also for a `first` above 0 where rows are
  ///   drawn by weight: those of a part are not those of the whole.
  /// - Precondition: neither `count` nor `first` is negative.
  public func sample(
    _ key: Key, count: Int, from first: Int = 0, given: [String: String] = [:]
  ) throws(FlowError) -> TableDraws {
    require(count >= 0 && first >= 0, "a count of draws is not negative, got \(count) from \(first) on")
    let fixed = try GivenCells(given, of: schema)
    if !fixed.cells.isEmpty, !ordersNumbers {
      throw .verification(
        who: "given",
        message: "draws given numbers need a flow that takes them in one order: architecture ordered-splines")
    }
    var draws = try weighted(key.folded(in: 0), count: count, from: first, fixed)
    var (effectiveSampleSize, givenLogLikelihood): (Double?, Double?)
    if !given.isEmpty, count > 0 {
      func checkPossible(_ draws: Weighted) throws(FlowError) {
        if draws.logWeights.allSatisfy({ $0 == -.infinity }) {
          throw .verification(who: "given", message: "the given values have probability 0 under the model")
        }
      }
      var isWeighted = isUneven(draws)
      if !isWeighted {
        isWeighted = isUneven(try weighted(key.folded(in: 1), count: 2_000, from: 0, fixed))
      }
      if isWeighted {
        if first > 0 {
          throw .verification(
            who: "given",
            message: "rows among weighted ones cannot be drawn in parts; draw all of them at once, from row 0"
          )
        }
        let more = try weighted(key.folded(in: 1), count: max(10 * count, 2_000), from: 0, fixed)
        try checkPossible(more)
        givenLogLikelihood = logMean(more.logWeights)
        let weights = normalized(more.logWeights)
        effectiveSampleSize = 1 / weights.reduce(0) { $0 + $1 * $1 }
        let chosen = systematic(weights, count: count, key.folded(in: 2))
        draws = (more.codes.rows(chosen), more.numbers.rows(chosen), [])
      } else {
        try checkPossible(draws)
        givenLogLikelihood = logMean(draws.logWeights)
      }
    }
    let columns = schema.decode(codes: draws.codes, numbers: draws.numbers, given: fixed.texts)
    return TableDraws(
      schema: schema, columns: columns, effectiveSampleSize: effectiveSampleSize,
      givenLogLikelihood: givenLogLikelihood.map { $0 + fixed.logScale },
      givenLogLikelihoodOfFlow: givenLogLikelihood)
  }

  /// Draws of real numbers in the flow's units, with their context.
  package func encodedDraws(
    _ key: Key, count: Int
  ) throws(FlowError) -> (numbers: Tensor, context: Tensor?) {
    let draws = try weighted(key, count: count, from: 0, GivenCells([:], of: schema))
    return (draws.numbers, schema.features(draws.codes, dtype: dtype))
  }

  private typealias Weighted = (codes: Tensor, numbers: Tensor, logWeights: [Double])

  /// Whether the draws count differently. A few draws may have equal weights by chance.
  private func isUneven(_ draws: Weighted) -> Bool {
    draws.logWeights.max()! - draws.logWeights.min()! > 1e-9
  }

  /// Draws with given values and the logarithms of their weights, in pieces that bound the memory.
  private func weighted(
    _ key: Key, count: Int, from first: Int, _ fixed: GivenCells
  ) throws(FlowError) -> Weighted {
    let (size, end) = (10_000, first + count)
    var pieces: [Weighted] = []
    for chunk in (first / size)..<max((end + size - 1) / size, first / size + 1) {
      let start = chunk * size
      var piece = try weightedPiece(key.folded(in: chunk), count: min(size, end - start), fixed)
      guard piece.numbers.isFinite else {
        throw .verification(who: "TableModel", message: "some draws are not finite")
      }
      if start < first {
        let own = first - start..<piece.logWeights.count
        piece = (piece.codes[own], piece.numbers[own], Array(piece.logWeights[own]))
      }
      pieces.append(piece)
    }
    if pieces.count == 1 { return pieces[0] }
    return (
      concatenate(pieces.map(\.codes), axis: 0), concatenate(pieces.map(\.numbers), axis: 0),
      pieces.flatMap(\.logWeights)
    )
  }

  private func weightedPiece(_ key: Key, count: Int, _ fixed: GivenCells) throws(FlowError) -> Weighted {
    var codes = Tensor.zeros([count, 0], dtype: dtype)
    var logWeight = Tensor.zeros([count], dtype: .float64)
    if !levels.counts.isEmpty {
      (codes, logWeight) = levels.draw(
        key.folded(in: 0), params.child("codes"), count: count, fixed: fixed.codes)
    }
    guard let density else { return (codes, .zeros([count, 0]), logWeight.doubles) }
    let context = schema.features(codes, dtype: dtype)
    if fixed.cells.isEmpty {
      let numbers = try density.sample(
        key.folded(in: 1), params.child("numbers"), count: count, given: context)
      return (codes, numbers, logWeight.doubles)
    }
    let (numbers, terms) = try orderedDraws(key.folded(in: 1), count: count, context, fixed)
    return (codes, numbers, (logWeight + terms).doubles)
  }

  /// Draws with given numbers of a mixture of ordered flows. Each row comes from one member.
  private func orderedDraws(
    _ key: Key, count: Int, _ context: Tensor?, _ fixed: GivenCells
  ) throws(FlowError) -> (numbers: Tensor, logWeight: Tensor) {
    let own = params.child("numbers")
    let picks =
      flows.count == 1
      ? [Int](repeating: 0, count: count)
      : key.folded(in: 0).categorical(logits: own["logWeights"], count: count).ints
    var (numbers, weights, order): ([Tensor], [Tensor], [Int]) = ([], [], [])
    for (i, map) in (ordered ?? []).enumerated() {
      let rows = picks.indices.filter { picks[$0] == i }
      if rows.isEmpty { continue }
      let member = flows.count == 1 ? own : own.child("components").child(i)
      let (x, logWeight) = try orderedDraws(
        map, member, key.folded(in: 1).folded(in: i), context.map { $0.rows(rows) }, count: rows.count, fixed
      )
      numbers.append(x)
      weights.append(logWeight)
      order += rows
    }
    let back = Tensor(ints: order).inversePermutation
    return (
      concatenate(numbers, axis: 0).gathered(back, axis: 0),
      concatenate(weights, axis: 0).gathered(back, axis: 0)
    )
  }

  /// Draws with given numbers of one ordered flow.
  ///
  /// The latents y are drawn first. A given xᵢ replaces yᵢ by the map of xᵢ and of the numbers before it, in
  /// order. Later latents stay. The weight is prior(yᵢ) · ∂yᵢ/∂xᵢ, which a Jacobian-vector product gives.
  private func orderedDraws(
    _ map: (forward: Mapping, inverse: Mapping, prior: Sampler), _ params: Params, _ key: Key,
    _ context: Tensor?, count: Int, _ fixed: GivenCells
  ) throws(FlowError) -> (numbers: Tensor, logWeight: Tensor) {
    let (own, latent) = (params.child("bijection"), params.child("prior"))
    var y = try map.prior(key.folded(in: 0), latent, count: count)
    var x = try map.inverse(own, y, given: context).outputs
    var logWeight = Tensor.zeros([count], dtype: .float64)
    for (position, low, high) in fixed.cells {
      let noise = key.folded(in: 1).folded(in: position).uniform([count, 1], dtype: .float64)
      let number = (low + (high - low) * noise).cast(to: dtype)
      x = replacing(position, of: x, by: number)
      let unit = Tensor((0..<x.shape[1]).map { $0 == position ? 1 : 0 }, dtype: dtype)
      let body = map.forward.body
      let image = catching {
        try jvp(at: x, along: unit.broadcast(to: x.shape)) { try body(own, $0, context).outputs }
      }
      let (mapped, slopes) = try image.get()
      let density = HeavyNormal.logDensities(latent, mapped).sliced(axis: 1, position..<position + 1)
      let slope = log(slopes.sliced(axis: 1, position..<position + 1))
      logWeight = logWeight + (density + slope).reshaped(to: [count]).cast(to: .float64)
      y = replacing(position, of: y, by: mapped.sliced(axis: 1, position..<position + 1))
      x = try map.inverse(own, y, given: context).outputs
    }
    return (x, logWeight)
  }

  private func replacing(_ position: Int, of x: Tensor, by column: Tensor) -> Tensor {
    let n = x.shape[1]
    var parts = [column]
    if position > 0 { parts.insert(x.sliced(axis: 1, 0..<position), at: 0) }
    if position < n - 1 { parts.append(x.sliced(axis: 1, position + 1..<n)) }
    return parts.count == 1 ? column : concatenate(parts, axis: 1)
  }

  /// The logarithm of the weights' mean.
  private func logMean(_ logWeights: [Double]) -> Double {
    Tensor(logWeights, dtype: .float64).logSumExp(axis: 0).item
      - log(Tensor(Double(logWeights.count), dtype: .float64)).item
  }

  /// Weights with sum 1.
  private func normalized(_ logWeights: [Double]) -> [Double] {
    Tensor(logWeights, dtype: .float64).softmax(axis: 0).doubles
  }

  /// Indices in proportion to weights, in an order from the key: one uniform number places them all.
  private func systematic(_ weights: [Double], count: Int, _ key: Key) -> [Int] {
    let start = key.folded(in: 0).uniform([1], dtype: .float64).doubles[0]
    var (chosen, sum, i) = ([Int](), 0.0, 0)
    for place in 0..<count {
      let level = (Double(place) + start) / Double(count)
      while i < weights.count - 1, sum + weights[i] < level { (sum, i) = (sum + weights[i], i + 1) }
      chosen.append(i)
    }
    return key.folded(in: 1).permutation(count).map { chosen[$0] }
  }
}

/// The result of a body that throws `FlowError`s among calls that rethrow any error.
private func catching<T>(_ body: () throws -> T) -> Result<T, FlowError> {
  do { return .success(try body()) } catch {
    return .failure(error as? FlowError ?? .verification(who: "TableModel", message: "\(error)"))
  }
}
