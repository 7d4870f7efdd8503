import Bijections
import Randomness
import Tensors
import Training

extension LogDetCheck {
  /// Compares the log-dets of a direction with those of its Jacobians.
  func compare(_ item: Case, _ meter: inout ProgressMeter) throws -> Report.Entry {
    let (direction, mapping, x) = (item.direction, item.direction.mapping, item.direction.inputs)
    func refuse(_ why: String) -> Report.Entry {
      Report.Entry(
        label: direction.label, worstRow: 0, claimed: .nan, jacobian: .nan, error: .infinity, refusal: why)
    }
    if x.rows == 0 { return refuse("there are no rows with finite results") }
    let (source, target) = charts(of: item)
    let size = source?.dimension ?? mapping.domain.shape.count
    let outputSize = target?.dimension ?? mapping.codomain.shape.count
    if size != outputSize {
      return refuse("the Jacobian is not square: \(outputSize) outputs of \(size) inputs")
    }
    let claimed = try direction().logDet
    if let row = claimed.firstNonFinite {
      return refuse("the log-det of row \(row) is \(claimed.doubles[row])")
    }
    let claims = claimed.doubles
    let preservesVolume = mapping.traits.contains(.volumePreserving)
    if preservesVolume, let row = claims.firstIndex(where: { $0 != 0 }) {
      return refuse("the layer declares itself volume preserving, and row \(row) has log-det \(claims[row])")
    }
    if !preservesVolume && !item.mayBeZero && claims.allSatisfy({ $0 == 0 }) {
      return refuse("every log-det is exactly 0 and the layer does not declare itself volume preserving")
    }
    let jacobians = try jacobians(of: direction, from: source, to: target) {
      meter.advance("log-det check, \(direction.label)")
    }
    var allowances: [Double]?
    func allowance(_ row: Int) throws -> Double {
      if let allowances { return allowances[row] }
      let key = Key(0)
      let own = try Conditioning(
        of: .float64, mapping, direction.params, x, direction.context, key
      ).allowance { (mapping, params, x, context) throws in try mapping.perRow(params, x, context).logDet }
      let all = zip(own, try direction.saturatedRows()).map { $1 ? .infinity : $0 }
      allowances = all
      return all[row]
    }
    var worst = (row: 0, truth: 0.0, error: -1.0)
    for row in 0..<x.rows {
      let (truth, spread) = logAbsDeterminantAndSpread(jacobians[row])
      var excess = abs(claims[row] - truth)
      // A tolerance of 0 asks for equal numbers.
      if tolerance > 0, !truth.isFinite || excess > tolerance * max(1, abs(truth)) {
        let allowed = try allowance(row)
        let isFar = direction.isFar(row) && !truth.isFinite
        let isUnderflow = !truth.isFinite && abs(claims[row]) > LogDetCheck.largestExponent
        // Rounding hides how singular a Jacobian is, beyond its precision.
        let isSingular = spread * 0x1p-53 > 0.01 && claims[row] < truth
        let isLost = allowed == .infinity || isFar || isUnderflow || isSingular
        let rounding = allowed + 64 * spread * Conditioning.unit
        excess = isLost ? 0 : truth.isFinite ? max(0, excess - rounding) : .infinity
      }
      let error = excess == 0 ? 0 : truth.isFinite ? excess / max(1, abs(truth)) : .infinity
      if error > worst.error { worst = (row, truth, error) }
    }
    return Report.Entry(
      label: direction.label, worstRow: worst.row, claimed: claims[worst.row], jacobian: worst.truth,
      error: worst.error, refusal: nil)
  }

  /// The size of a log-det beyond which a Jacobian's entries underflow or overflow.
  private static let largestExponent = 600.0

  /// log|det| of a matrix, and the largest ratio of its pivots, by which rounding grows.
  private func logAbsDeterminantAndSpread(_ matrix: Tensor) -> (value: Double, spread: Double) {
    let pivots = abs(lu(matrix).packed.diagonal())
    let sizes = pivots.doubles
    return (log(pivots).sum().item, (sizes.max() ?? 1) / (sizes.min() ?? 1))
  }

  /// The Jacobians of all rows by dual numbers, in the charts' coordinates.
  private func jacobians(
    of direction: Specimen.Direction, from source: Chart?, to target: Chart?, afterEachInput: () -> Void
  ) throws(FlowError) -> Tensor {
    let couplesRows = direction.mapping.traits.contains(.couplesRows)
    var failure: FlowError?
    /// The outputs at several copies of the rows.
    func outputs(_ x: Tensor, _ copies: Int) -> Tensor {
      let context = direction.context.map { concatenate([Tensor](repeating: $0, count: copies), axis: 0) }
      do throws(FlowError) {
        let y = try direction.mapping.body(direction.params, source?.embedding(x) ?? x, context).outputs
        return target?.coordinates(y) ?? y
      } catch {
        failure = error
        return x
      }
    }
    let x = source?.coordinates(direction.inputs) ?? direction.inputs
    let result =
      couplesRows
      ? rowJacobiansOfCoupledRows(at: x, afterEachInput) { outputs($0, 2) }
      : rowJacobiansOfCopies(at: x, afterEachInput, outputs)
    if let failure { throw failure }
    return result
  }
}

/// The Jacobians of all rows of a row-wise function. A pass takes a copy of the rows for each of several
/// inputs, up to 1024 rows.
private func rowJacobiansOfCopies(
  at x: Tensor, _ afterEachInput: () -> Void, _ f: (_ x: Tensor, _ copies: Int) -> Tensor
) -> Tensor {
  let (rows, sample) = (x.rows, x.shape.sample)
  let units = Tensor.identity(sample.count, dtype: x.dtype)
  let most = max(1, 1024 / rows)
  let parts = stride(from: 0, to: sample.count, by: most).map { start in
    let inputs = start..<min(start + most, sample.count)
    let copies = concatenate([Tensor](repeating: x, count: inputs.count), axis: 0)
    let directions = units[inputs].expanded(axis: 1).broadcast(to: [inputs.count, rows, sample.count])
    let tangent = jvp(at: copies, along: directions.reshaped(to: copies.shape)) {
      f($0, inputs.count)
    }.tangent
    inputs.forEach { _ in afterEachInput() }
    return tangent.reshaped(to: [inputs.count, rows, tangent.shape.sample.count])
  }
  return concatenate(parts, axis: 0).permuted(axes: [1, 2, 0])
}

/// The Jacobians of all rows of a function of a batch, with the batch's statistics held constant.
///
/// A statistic of the batch, such as a mean or a variance, does not change if two rows are exchanged. Let the
/// batch hold every row twice, with one copy moved by +ε and the other by −ε. Exchanging the copies turns ε
/// into −ε and leaves the statistic unchanged, so its derivative by ε is 0. The derivative of the copy that
/// moves by +ε is its row's own Jacobian.
private func rowJacobiansOfCoupledRows(
  at x: Tensor, _ afterEachInput: () -> Void, _ f: (Tensor) -> Tensor
) -> Tensor {
  let (rows, size) = (x.rows, x.shape.sample.count)
  let units = Tensor.identity(size, dtype: x.dtype)
  let twice = concatenate(x, x, axis: 0)
  let columns = (0..<size).map { position in
    let direction = units[position].reshaped(to: x.shape.sample).broadcast(to: x.shape)
    let tangent = jvp(at: twice, along: concatenate(direction, -direction, axis: 0), f).tangent
    afterEachInput()
    return tangent[0..<rows].reshaped(to: [rows, size])
  }
  return stack(columns, axis: 2)
}
