import Randomness
import Tensors

/// An affine map of each channel that can start by standardizing a batch.
///
/// Map: y = (x − bias) · exp(logScale), for each channel of the last axis.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: x = y · exp(−logScale) + bias; O(D).
///
/// Parameters: `logScale` [channels] and `bias` [channels]. Both start at 0, the identity, unless there are
/// `initInputs`. Then the outputs of this batch have mean 0 and standard deviation 1: bias = mean,
/// logScale = −log(sd + 10⁻⁶). Here sd is the population's, and 10⁻⁶ keeps a constant channel finite.
/// Inside `Inverted` the data are the outputs, and the initial inverse standardizes them. Without
/// `startsFromData` the start is the identity: at the end of a flow, a learned prior of each channel.
///
/// Domain: all reals. Errors: none of its own.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.1.
public struct ActNorm: Bijection {
  private let startsFromData: Bool

  /// Makes an activation normalization.
  public init(startsFromData: Bool = true) { self.startsFromData = startsFromData }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let positions = Double(site.positions)
    @Sendable func map(_ params: Params, _ x: Tensor, isInverse: Bool) -> (Tensor, Tensor) {
      let inputs = Operands(x, params["logScale"], params["bias"])
      let results = apply(ActNormMap(isInverse: isInverse), inputs)
      return (results[0], results[1] * positions)
    }
    return site.layer("ActNorm", initialParams(at: site)) { params, x, _ in
      map(params, x, isInverse: false)
    } inverse: { params, y, _ in
      map(params, y, isInverse: true)
    }
  }

  private func initialParams(at site: Site) -> Params {
    let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
    var (logScale, bias) = (zeros, zeros)
    if startsFromData, let data = site.initInputs ?? site.initOutputs {
      let moments = Moments(of: data)
      let deviation = sqrt(moments.variance) + 1e-6
      // x = y e^(-a) + b has mean 0 and deviation 1 for a = log(sd), b = -mean / sd.
      (logScale, bias) =
        site.initInputs != nil
        ? (-log(deviation), moments.mean) : (log(deviation), -moments.mean / deviation)
    }
    return ["logScale": .leaf(logScale), "bias": .leaf(bias)]
  }
}
