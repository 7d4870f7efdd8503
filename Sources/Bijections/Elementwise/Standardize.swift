import Randomness
import Tensors

/// A standardization of each channel by a given mean and standard deviation.
///
/// Map: y = (x − mean) / deviation, for each channel of the last axis.
///
/// log|det J| = −positions · Σ log(deviation), the same for every row; O(D).
///
/// Inverse: x = y · deviation + mean; O(D).
///
/// Parameters, frozen: `mean` [channels] and `deviation` [channels], as given. They are saved with
/// the model, so its densities and draws are in the units of the data.
///
/// Domain: all reals. Errors: `mismatch` for another number of channels, and for a mean or a deviation that
/// the dtype cannot hold.
public struct Standardize: Bijection {
  private let mean: Tensor
  private let deviation: Tensor

  /// Makes a standardization by a mean and a standard deviation, `[channels]` each.
  ///
  /// - Precondition: The vectors have the same length, and the deviations are positive.
  public init(mean: Tensor, deviation: Tensor) {
    require(
      mean.rank == 1 && mean.shape == deviation.shape && deviation.doubles.allSatisfy { $0 > 0 },
      "Standardize takes a mean and a positive deviation for each channel, "
        + "got \(mean.shape) and \(deviation.shape)")
    (self.mean, self.deviation) = (mean.cast(to: .float64), deviation.cast(to: .float64))
  }

  /// Makes a standardization by the statistics of data, over all axes but the last.
  ///
  /// They are computed in double precision. A constant channel keeps its scale.
  ///
  /// - Precondition: The data have at least one row and two axes.
  public init(of data: Tensor) {
    require(data.rank > 1 && data.count > 0, "Standardize takes rows of data, got \(data.shape)")
    let moments = Moments(of: data.cast(to: .float64))
    let deviation = sqrt(moments.variance)
    self.init(mean: moments.mean, deviation: select(where: deviation .> 0, deviation, 1))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard mean.shape == [site.channels] else {
      throw .mismatch(
        who: "Standardize", what: "inputDim of", expected: "\(mean.count) channels", got: "\(site.inputDim)")
    }
    try site.check("mean", mean, of: "Standardize", orZero: true)
    try site.check("deviation", deviation, of: "Standardize")
    let positions = Double(site.positions)
    let params: Params = [
      "mean": .frozen(mean.cast(to: site.dtype)), "deviation": .frozen(deviation.cast(to: site.dtype)),
    ]
    return site.layer("Standardize", params) { params, x, _ in
      (x - params["mean"]) / params["deviation"]
    } logDet: { params, _, _ in
      log(params["deviation"]).sum() * -positions
    } inverse: { params, y, _ in
      y * params["deviation"] + params["mean"]
    }
  }
}
