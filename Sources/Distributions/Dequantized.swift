import Bijections
import Randomness
import Tensors

/// A distribution of grey levels 0, 1, ..., levels − 1 by a density of real numbers, with uniform or
/// variational dequantization.
///
/// With noise u in (0, 1) for each number, v = (x + u) / levels, and q the density of the noise given the
/// image,
///
/// log P(x) ≥ E_q log (1/K Σₖ p(vₖ) / q(uₖ | x)) − D log levels
///
/// for K draws of u. The log-density is the right side with one such set of draws for each image. Uniform
/// noise has q = 1. Variational noise is u = g⁻¹(ε; x) with standard normal ε and a bijection g from the
/// unit interval, such as `Serial(Logit(), AffineCoupling(...))`. Its context is the image, scaled to [0, 1].
/// More draws make the bound tighter. The parameters are the same, so train with one and evaluate with more.
///
/// The noise of an image is a pure function of the image and of the frozen leaf `stream`, so rows do not
/// depend on each other. `updatingStatistics` moves on to new noise. `fit` calls it at each step, and so
/// trains the bound. In your own training loop, call it after each step. Otherwise the density adapts to
/// fixed noise.
///
/// Draws: those of the density, rounded down to grey levels. They come with the bound.
///
/// Parameters: `density`; `noise` if it is learned; `stream` [2], frozen: the noise's seed and step. In
/// float32 the step counts to 2²⁴.
///
/// Domain: whole numbers from 0 to levels − 1; P is 0 elsewhere. Errors: those of the density and of g;
/// `mismatch` for a g that does not take the unit interval.
///
/// Theis, van den Oord & Bethge 2015, arXiv 1511.01844, section 3.1; Ho et al. 2019, *Flow++*, arXiv
/// 1902.00275, section 3.1; Burda, Grosse & Salakhutdinov 2015, arXiv 1509.00519, eq. 8, for several draws.
public struct Dequantized: Distribution {
  /// The density of v in (0, 1).
  public let density: any Distribution
  /// The bijection from noise to standard normal numbers, given the image; nil for uniform noise.
  public let noise: (any Bijection)?
  /// The number of grey levels.
  public let levels: Int
  /// The number of noise draws per image.
  public let samples: Int

  /// Makes a distribution of grey levels from a density on (0, 1).
  ///
  /// - Precondition: There are at least two levels and one draw.
  public init(
    _ density: any Distribution, levels: Int = 256, noise: (any Bijection)? = nil, samples: Int = 1
  ) {
    require(levels >= 2, "Dequantized: at least two levels, got \(levels)")
    require(samples >= 1, "Dequantized: at least one draw, got \(samples)")
    (self.density, self.noise, self.levels, self.samples) = (density, noise, levels, samples)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    var place = site
    place.initInputs = site.initInputs.map { uniform(key.folded(in: 3), $0) }
    let density = try density.initialize(key.folded(in: 0), at: place)
    let noise = try learnedNoise(key.folded(in: 1), at: site)
    let seed = Double(key.folded(in: 2).integers([1], in: 0..<1 << 24).ints[0])
    var children: [Params.Child] = [.init("density", density.params)]
    if let noise { children.append(.init("noise", noise.params)) }
    children.append(.init("stream", .frozen(Tensor([seed, 0], dtype: site.dtype))))

    let (own, constant) = (density.logPDF, Double(site.inputDim.count) * logarithm(Double(levels)))
    let body: LogPDF.Body = { (params, images, context) throws(FlowError) in
      let isOutside = rowsOutside(images.detached)
      let inside = select(where: rows(isOutside, like: images), 0, images)
      var terms: [Tensor] = []
      for sample in 0..<samples {
        let (v, logNoise) = try dequantized(inside, params, sample, noise)
        let logDensity = try own.body(params.child("density"), v, context)
        terms.append(logNoise.map { logDensity - $0 } ?? logDensity)
      }
      let total = samples == 1 ? terms[0] : logTotal(stack(terms, axis: 1)) - logarithm(Double(samples))
      return select(where: isOutside, -.infinity, total - constant)
    }
    let statistics: Mapping.Statistics = { (params, images, context) throws(FlowError) in
      var params = params
      if let move = own.statistics {
        let isOutside = rowsOutside(images).doubles
        let rows = isOutside.indices.filter { isOutside[$0] == 0 }
        let v = try dequantized(images.rows(rows), params, 0, noise).v
        if !rows.isEmpty {
          params = try params.replacing(
            "density", by: move(params.child("density"), v, context?.rows(rows)))
        }
      }
      let stream = params["stream"]
      return try params.replacing("stream", by: .frozen(stream + Tensor([0, 1], dtype: stream.dtype)))
    }
    let logPDF = LogPDF(
      site.boundary("Dequantized"), traits: own.traits, statistics: statistics, body: body)
    let sample = density.sample.map(logPDF.boundary) { draw in
      { (key, params, count, context) throws(FlowError) in
        let x = images(try draw(key, params.child("density"), count, context).samples)
        return (x, try body(params, x, context))
      }
    }
    return (.branch(children), logPDF, sample)
  }

  /// Adds uniform noise to images and scales them to (0, 1).
  public func uniform(_ key: Key, _ images: Tensor) -> Tensor {
    let halfStep = images.dtype.epsilon / 2
    return scaled(images, key.uniform(images.shape, dtype: images.dtype) + halfStep)
  }

  /// Turns numbers in [0, 1] into grey levels.
  public func images(_ v: Tensor) -> Tensor {
    minimum(maximum(floor(v * Double(levels)), 0), Double(levels - 1))
  }

  /// Computes v = (x + u) / levels, and keeps a margin of some rounding errors inside the level's interval.
  package func scaled(_ images: Tensor, _ u: Tensor) -> Tensor {
    let (count, margin) = (Double(levels), 4 * images.dtype.epsilon)
    let (low, high) = (images * (1 + margin) / count, (images + 1) * (1 - margin) / count)
    return minimum(maximum((images + u) / count, maximum(low, images.dtype.leastNormal)), high)
  }
}

extension Dequantized {
  /// The initialized bijection of variational noise.
  private func learnedNoise(_ key: Key, at site: Site) throws(FlowError) -> Initialized? {
    guard let noise else { return nil }
    let place = Site(inputDim: site.inputDim, contextDim: site.inputDim, dtype: site.dtype)
    let initialized = try noise.bound(key, at: place)
    let values = initialized.forward.domain.values
    guard values == .unitInterval || values == .interval(0, 1) else {
      throw .mismatch(
        who: "Dequantized", what: "a noise bijection from", expected: "the unit interval",
        got: "one of values \(values)")
    }
    return initialized
  }

  /// Adds the noise of one draw to images. Also computes log q(u | x), or nil for uniform noise.
  private func dequantized(
    _ images: Tensor, _ params: Params, _ sample: Int, _ noise: Initialized?
  ) throws(FlowError) -> (v: Tensor, logNoise: Tensor?) {
    let keys = noiseKeys(images.detached, params["stream"], sample)
    func drawn(_ shape: Shape, _ draw: (Key, Shape) -> Tensor) -> Tensor {
      let rows = keys.map { draw($0, shape.batched(1)) }
      return rows.isEmpty
        ? .zeros(shape.batched(0), dtype: images.dtype)
        : concatenate(rows, axis: 0).cast(to: images.dtype)
    }
    // Both dtypes see the same float32 numbers.
    guard let noise else {
      let halfStep = DType.float32.epsilon / 2
      return (scaled(images, drawn(images.shape.sample) { $0.uniform($1) } + halfStep), nil)
    }
    let latents = drawn(noise.inverse.domain.shape) { $0.normal($1) }
    let (u, logDet) = try noise.inverse.perRow(params.child("noise"), latents, images / Double(levels))
    return (scaled(images, u), Normal().logKernel(latents) - 0.91893853320467274 * count(latents) - logDet)
  }

  /// The number of numbers in a row.
  private func count(_ x: Tensor) -> Double { Double(x.shape.sample.count) }

  /// The key of each image's noise, which depends on the image alone.
  private func noiseKeys(_ images: Tensor, _ stream: Tensor, _ sample: Int) -> [Key] {
    let (numbers, size, origin) = (images.doubles, max(images.shape.sample.count, 1), stream.doubles)
    // A tree from a file can hold any numbers, so their bits count.
    let key = origin.reduce(Key(0)) { $0.folded(in: Int(bitPattern: UInt($1.bitPattern))) }.folded(in: sample)
    return stride(from: 0, to: numbers.count, by: size).map { start in
      // FNV-1a of 64 bits, over the numbers' bit patterns.
      let hash = numbers[start..<start + size].reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
        ($0 ^ $1.bitPattern) &* 0x100_0000_01b3
      }
      return key.folded(in: Int(bitPattern: UInt(hash)))
    }
  }

  /// Marks rows with a number that is not a grey level by 1, others by 0. NaN stays in its row.
  private func rowsOutside(_ images: Tensor) -> Tensor {
    let isWrong =
      (images .< 0) + (images .> Double(levels - 1)) + (floor(images) .< images)
    return isWrong.sumPerRow() .> 0
  }

  /// A mask of rows repeated for each of their numbers.
  private func rows(_ mask: Tensor, like x: Tensor) -> Tensor {
    let ones = [Int](repeating: 1, count: x.rank - 1)
    return mask.reshaped(to: Shape([x.rows] + ones)).broadcast(to: x.shape)
  }
}

/// Converts log-probabilities in nats to bits per dimension, the usual negative log-likelihood of images.
public func bitsPerDimension(_ logProbability: Tensor, sampleDim: Shape) -> Tensor {
  -logProbability / (Double(sampleDim.count) * 0.69314718055994530942)
}
