import Randomness
import Tensors

/// An affine map of each channel that can start by standardizing a batch.
///
/// Map: y = (x − bias) · exp(logScale), channel by channel (the last axis).
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: x = y · exp(−logScale) + bias; O(D).
///
/// Parameters: `logScale` [channels] and `bias` [channels]. With `initInputs` they start such that the outputs have mean 0
/// and standard deviation 1 on that batch: bias = mean, logScale = −log(sd + 10⁻⁶) with the population's sd, where 10⁻⁶
/// keeps a constant channel finite. Without, both start at 0: the identity. Behind `Inverted` the data stand at the
/// output, and the inverse starts by standardizing them.
///
/// Domain: all reals. Errors: none of its own.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.1.
public struct ActNorm: Bijection {
  /// An activation normalization.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let positions = Double(site.positions)
    return site.layer("ActNorm", initialParams(at: site)) { params, x, _ in
      (x - params["bias"]) * exp(params["logScale"])
    } logDet: { params, _, _ in
      params["logScale"].sum() * positions
    } inverse: { params, y, _ in
      y * exp(-params["logScale"]) + params["bias"]
    }
  }

  private func initialParams(at site: Site) -> Params {
    let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
    var (logScale, bias) = (zeros, zeros)
    if let data = site.initInputs {
      let (mean, deviation) = moments(of: data)
      (logScale, bias) = (-log(deviation), mean)
    } else if let data = site.initOutputs {
      // x = y e^(-a) + b has mean 0 and deviation 1 for a = log(sd), b = -mean / sd.
      let (mean, deviation) = moments(of: data)
      (logScale, bias) = (log(deviation), -mean / deviation)
    }
    return ["logScale": .leaf(logScale), "bias": .leaf(bias)]
  }

  private func moments(of data: Tensor) -> (mean: Tensor, deviation: Tensor) {
    let rows = data.reshaped(to: [data.count / data.shape[-1], data.shape[-1]])
    let mean = rows.mean(axis: 0)
    return (mean, sqrt(square(rows - mean).mean(axis: 0)) + 1e-6)
  }
}
