import Randomness
import Tensors

/// A model of grey levels 0, 1, ..., levels − 1 by a density of real numbers, with uniform or variational
/// dequantization.
///
/// With noise u in [0, 1] for each number, v = (x + u) / levels, and q the density of the noise given the
/// image,
///
/// log P(x) ≥ E_q [log p(v) − log q(u | x)] − D log levels,
///
/// with one draw of u per image. Uniform noise has q = 1. Variational noise is a conditional distribution on
/// the unit interval, such as `Flow(Serial(Logit(), AffineCoupling(...)))`. Its context is the image, scaled
/// to [0, 1].
///
/// Parameters: `density`, and `noise` if it is learned. Domain: images of whole numbers from 0 to levels − 1;
/// other reals are not checked. Errors: those of both distributions.
///
/// Theis, van den Oord & Bethge 2015, arXiv 1511.01844, section 3.1; Ho et al. 2019, *Flow++*, arXiv
/// 1902.00275, eq. 12.
public struct Dequantized: Sendable {
  /// The density of v in [0, 1].
  public let density: any Distribution
  /// The distribution of the noise given the image; nil for uniform noise.
  public let noise: (any Distribution)?
  /// The number of grey levels.
  public let levels: Int

  /// Makes a model of grey levels from a density on [0, 1].
  ///
  /// - Precondition: There are at least two levels.
  public init(_ density: any Distribution, levels: Int = 256, noise: (any Distribution)? = nil) {
    require(levels >= 2, "Dequantized: at least two levels, got \(levels)")
    self.density = density
    self.noise = noise
    self.levels = levels
  }

  /// A function of a key, parameters, images and context: a lower bound of log P in nats, one per image.
  public typealias LogBound =
    @Sendable (_ key: Key, _ params: Params, _ images: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// Makes initial parameters, the bound, and the density's sampler. `images` turns its draws v into grey
  /// levels.
  ///
  /// The arguments are those of `Distribution`; `initInputs` are images.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, logBound: LogBound, sample: Sampler) {
    let start = initInputs.map { uniform(key.folded(in: 2), $0) }
    let (params, logPDF, sample) = try density(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, initInputs: start,
      initContext: initContext, dtype: dtype)
    let constant = Double(inputDim.count) * logarithm(Double(levels))
    let learned = try noise?(key.folded(in: 1), inputDim: inputDim, contextDim: inputDim, dtype: dtype)
    let tree: Params = learned.map { ["density": params, "noise": $0.params] } ?? ["density": params]
    return (
      tree,
      { (key, params, images, context) throws(FlowError) in
        let density = params.child("density")
        guard let draw = learned?.sample else {
          return try logPDF(density, uniform(key, images), given: context) - constant
        }
        let levels = Double(levels)
        let (u, logNoise) = try draw.withLogPDF(
          key, params.child("noise"), count: images.rows, given: images / levels)
        return try logPDF(density, (images + u) / levels, given: context) - logNoise - constant
      }, sample
    )
  }

  /// Adds uniform noise to images and scales them to [0, 1].
  public func uniform(_ key: Key, _ images: Tensor) -> Tensor {
    (images + key.uniform(images.shape, dtype: images.dtype)) / Double(levels)
  }

  /// Turns numbers in [0, 1] into grey levels.
  public func images(_ v: Tensor) -> Tensor {
    minimum(maximum(floor(v * Double(levels)), 0), Double(levels - 1))
  }
}

/// Converts log-probabilities in nats to bits per dimension, the usual negative log-likelihood of images.
public func bitsPerDimension(_ logProbability: Tensor, sampleDim: Shape) -> Tensor {
  -logProbability / (Double(sampleDim.count) * 0.69314718055994530942)
}
