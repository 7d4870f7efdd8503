import Randomness
import Tensors

/// A density of real numbers as a model of whole ones, grey levels 0, 1, ..., levels − 1: uniform or variational dequantization.
///
/// With noise u between 0 and 1 in each number, v = (x + u) / levels and q the noise's density given the image,
///
/// log P(x) ≥ E_q [log p(v) − log q(u | x)] − D log levels,
///
/// with one draw of u for each image. Uniform noise has q = 1; variational noise is any conditional distribution on the unit
/// interval, whose context is the image as grey levels between 0 and 1: `Flow(Serial(Logit(), AffineCoupling(...)))`.
///
/// Parameters: `density`, and `noise` where it is learned. Domain of the images: all reals, meant are whole numbers from 0 to
/// levels − 1. Errors: those of both.
///
/// Theis, van den Oord & Bethge 2015, arXiv 1511.01844, section 3.1; Ho et al. 2019, *Flow++*, arXiv 1902.00275, eq. 12.
public struct Dequantized: Sendable {
  /// The density of v, between 0 and 1.
  public let density: any Distribution
  /// The noise given the image; nil: uniform.
  public let noise: (any Distribution)?
  /// How many grey levels there are.
  public let levels: Int

  /// A density of numbers between 0 and 1 as a model of grey levels.
  ///
  /// - Precondition: at least two levels.
  public init(_ density: any Distribution, levels: Int = 256, noise: (any Distribution)? = nil) {
    require(levels >= 2, "Dequantized: at least two levels, got \(levels)")
    self.density = density
    self.noise = noise
    self.levels = levels
  }

  /// The lower bound of log P of each image, in nats: a function of a key, parameters, images and context.
  public typealias LogBound =
    @Sendable (_ key: Key, _ params: Params, _ images: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// Initial parameters, the bound, and the density's sampler, whose draws v become images by `levels` (see `images`).
  ///
  /// - Parameters: as of `Distribution`; `initInputs` are images.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil,
    dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, logBound: LogBound, sample: Sampler) {
    let start = initInputs.map { uniform(key.folded(in: 2), $0) }
    let (params, logPDF, sample) = try density(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, initInputs: start,
      initContext: initContext,
      dtype: dtype)
    let constant = Double(inputDim.count) * log(Tensor(Double(levels), dtype: .float64)).item
    guard let noise else {
      return (
        ["density": params],
        { (key, params, images, context) throws(FlowError) in
          try logPDF(params.child("density"), uniform(key, images), given: context) - constant
        }, sample
      )
    }
    let (noiseParams, _, draw) = try noise(
      key.folded(in: 1), inputDim: inputDim, contextDim: inputDim, dtype: dtype)
    let levels = Double(levels)
    return (
      ["density": params, "noise": noiseParams],
      { (key, params, images, context) throws(FlowError) in
        let (u, logNoise) = try draw.withLogPDF(
          key, params.child("noise"), count: images.rows, given: images / levels)
        return try logPDF(params.child("density"), (images + u) / levels, given: context) - logNoise
          - constant
      }, sample
    )
  }

  /// Images with uniform noise in each number, between 0 and 1.
  public func uniform(_ key: Key, _ images: Tensor) -> Tensor {
    (images + key.uniform(images.shape, dtype: images.dtype)) / Double(levels)
  }

  /// The grey levels that numbers between 0 and 1 lie in.
  public func images(_ v: Tensor) -> Tensor {
    minimum(maximum(floor(v * Double(levels)), 0), Double(levels - 1))
  }
}

/// Log-probabilities of images in nats as bits for each of their numbers, negated: what densities of images are compared by.
public func bitsPerDimension(_ logProbability: Tensor, sampleDim: Shape) -> Tensor {
  -logProbability / (Double(sampleDim.count) * 0.69314718055994530942)
}
