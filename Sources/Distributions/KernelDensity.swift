import Bijections
import Randomness
import Tensors

/// A kernel density estimate: a mixture of equal normal distributions around the rows of data.
///
/// log p(x) = log Σⱼ exp(−‖x − xⱼ‖² / 2h²) − log J − D log h − (D/2) log 2π, for J rows of D numbers and the
/// bandwidth h. Cost: 4DJ operations and J exponentials per row, without a matrix of distances.
///
/// Draws: xⱼ + h ε with j from `key.integers` and ε = `key.normal`. They have the rows' covariance plus h².
///
/// It needs no training and is the law of ``TrainingFreeScore``'s draws, so it is the baseline for all that
/// is trained on them. Standardize the columns first, since one bandwidth serves all.
///
/// Parameters, frozen: `rows` [J, D] and `logBandwidth`. Domain: all reals. A context is ignored. Errors:
/// `mismatch` for rows of another shape or none, or a bandwidth that the dtype cannot hold; `notFinite` for
/// rows with NaN.
public struct KernelDensity: Distribution {
  /// The rows of data.
  public let rows: Tensor
  /// The standard deviation h of each normal distribution.
  public let bandwidth: Double

  /// Makes the estimate of some rows.
  ///
  /// - Precondition: the bandwidth is positive and finite.
  public init(of rows: Tensor, bandwidth: Double) {
    require(
      bandwidth > 0 && bandwidth.isFinite, "KernelDensity: a bandwidth is positive, got \(bandwidth)")
    (self.rows, self.bandwidth) = (rows.detached, bandwidth)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (who, size) = ("KernelDensity", site.inputDim.count)
    let (points, boundary) = (try site.points(rows, of: who), site.boundary(who))
    let logBandwidth = log(Tensor(bandwidth, dtype: .float64))
    try site.check("a bandwidth", Tensor(bandwidth, dtype: .float64), of: who)
    let constant = 0.5 * Double(size) * 1.8378770664093454836  // log 2π

    @Sendable func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
      let (points, logBandwidth) = (params["rows"], params["logBandwidth"])
      let rate = exp(-logBandwidth).broadcast(to: [x.rows])
      let logSum = apply(KernelMean(), Operands(x * exp(-logBandwidth), rate, points))[1]
      return logSum - Double(size) * logBandwidth - (logarithm(Double(points.rows)) + constant)
    }
    @Sendable func draw(_ key: Key, _ params: Params, _ count: Int) -> Tensor {
      let chosen = key.folded(in: 0).integers([count], in: 0..<params["rows"].rows)
      let noise = key.folded(in: 1).normal([count, size], dtype: site.dtype)
      return params["rows"].gathered(chosen, axis: 0) + exp(params["logBandwidth"]) * noise
    }
    var sample = Sampler(boundary) { key, params, count, _ in
      let x = draw(key, params, count)
      let pieces = mapRows(count, of: [size]) { [logDensity(params, x[$0])] }
      return (x.reshaped(to: site.inputDim.batched(count)), pieces[0])
    }
    // A density costs as much as there are rows, a draw does not.
    sample.samplesAlone = { key, params, count, _ in
      draw(key, params, count).reshaped(to: site.inputDim.batched(count))
    }
    return (
      ["rows": .frozen(points), "logBandwidth": .frozen(logBandwidth.cast(to: site.dtype))],
      LogPDF(boundary) { params, x, _ in logDensity(params, x.reshaped(to: [x.rows, size])) },
      sample
    )
  }
}

extension KernelDensity {
  /// The estimate whose bandwidth gives held-out rows the highest mean log-density, among 0.001...0.999.
  ///
  /// The search takes 25 bandwidths in equal ratios, then narrows the best one's interval by golden sections
  /// to a relative width of 1 %. A bandwidth at an end says that held-out rows repeat rows of data, or are
  /// unlike any.
  ///
  /// - Parameters:
  ///   - rows: standardized rows.
  ///   - heldOut: rows of the same columns that are not among them.
  /// - Throws: the errors of the density; `mismatch` without held-out rows, `notFinite` for NaN in them.
  public init(of rows: Tensor, choosingBy heldOut: Tensor) throws(FlowError) {
    if heldOut.rank == 0 || heldOut.rows == 0 {
      throw .mismatch(
        who: "KernelDensity", what: "held-out rows", expected: "at least one", got: "\(heldOut.shape)")
    }
    if let position = heldOut.firstNonFinite {
      throw .notFinite(
        who: "KernelDensity", what: "held-out rows", row: position / max(heldOut.shape.sample.count, 1))
    }
    func score(_ logBandwidth: Double) throws(FlowError) -> Double {
      let bandwidth = exp(Tensor(logBandwidth, dtype: .float64)).item
      let (params, logPDF, _) = try KernelDensity(of: rows, bandwidth: bandwidth)(
        Key(0), inputDim: heldOut.shape.sample, dtype: heldOut.dtype)
      return try logPDF(params, heldOut).mean().item
    }
    let (low, high) = (logarithm(0.001), logarithm(0.999))
    let step = (high - low) / 24
    var (best, top) = (0, -Double.infinity)
    for i in 0...24 {
      let value = try score(low + step * Double(i))
      // Far rows have no density at any: the largest bandwidth is the nearest to one.
      if value >= top { (best, top) = (i, value) }
    }
    var (left, right) = (low + step * Double(max(best - 1, 0)), low + step * Double(min(best + 1, 24)))
    let golden = 0.6180339887498949
    while right - left > 0.01 {
      let (a, b) = (right - golden * (right - left), left + golden * (right - left))
      if try score(a) <= score(b) { left = a } else { right = b }
    }
    self.init(of: rows, bandwidth: exp(Tensor(0.5 * (left + right), dtype: .float64)).item)
  }
}
