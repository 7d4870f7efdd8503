import Randomness
import Tensors

/// A shift and scale of each channel that are known and stay: data in their own units become data of mean 0 and deviation 1.
///
/// Map: y = (x − mean) / deviation, channel by channel (the last axis).
///
/// log|det J| = −positions · Σ log(deviation), the same for every row; O(D).
///
/// Inverse: x = y · deviation + mean; O(D).
///
/// Parameters, frozen: `mean` [channels] and `deviation` [channels], as given. They are saved with the rest, so that a
/// model's densities and draws are in the data's own units.
///
/// Domain: all reals. Errors: a width other than that of the values.
public struct Standardize: Bijection {
  private let mean: Tensor
  private let deviation: Tensor

  /// A known mean and deviation, `[channels]` each.
  ///
  /// - Precondition: two vectors of the same length; positive deviations.
  public init(mean: Tensor, deviation: Tensor) {
    require(
      mean.rank == 1 && mean.shape == deviation.shape && deviation.doubles.allSatisfy { $0 > 0 },
      "Standardize takes a mean and a positive deviation for each channel, got \(mean.shape) and \(deviation.shape)"
    )
    (self.mean, self.deviation) = (mean.cast(to: .float64), deviation.cast(to: .float64))
  }

  /// The mean and deviation of data, over all axes but the last, in double precision; a constant channel keeps its scale.
  ///
  /// - Precondition: at least one row and two axes.
  public init(of data: Tensor) {
    require(data.rank > 1 && data.count > 0, "Standardize takes rows of data, got \(data.shape)")
    let rows = data.cast(to: .float64).reshaped(to: [data.count / data.shape[-1], data.shape[-1]])
    let mean = rows.mean(axis: 0)
    let deviation = sqrt(square(rows - mean).mean(axis: 0))
    self.init(
      mean: mean,
      deviation: select(where: deviation .> 0, deviation, Tensor.ones(deviation.shape, dtype: .float64)))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard mean.shape == [site.channels] else {
      throw .mismatch(
        who: "Standardize", what: "inputDim of", expected: "\(mean.count) channels", got: "\(site.inputDim)")
    }
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
