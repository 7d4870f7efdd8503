import Bijections
import Randomness
import Tensors

/// A distribution of independent uniform variables, on [0, 1] or on given intervals.
///
/// log p(x) = −Σ log(high − low) if every number is in its closed interval; −∞ otherwise.
///
/// Draws: low + (high − low) · u with u = `key.uniform`, clamped to high. Both cost O(D).
///
/// Parameters: none on [0, 1]; otherwise `low` and `high`, frozen, of a sample's shape. They are not learned.
/// The likelihood grows as an interval shrinks to the data and is 0 with derivative 0 beyond, so its gradient
/// does not lead to an optimum.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for ends that do not broadcast to a sample or
/// are in the wrong order, or that the dtype cannot hold; `notFinite` for ends that are not finite.
public struct Uniform: Distribution {
  private let ends: (low: Parameter, high: Parameter)?

  /// Makes the uniform distribution on [0, 1].
  public init() { ends = nil }
  /// Makes the uniform distribution between two numbers.
  public init(from low: Double, to high: Double) {
    self.init(from: Tensor(low, dtype: .float64), to: Tensor(high, dtype: .float64))
  }
  /// Makes the uniform distribution between two tensors, which broadcast to a sample.
  public init(from low: Tensor, to high: Tensor) { ends = (.fixed(low), .fixed(high)) }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let boundary = site.boundary("Uniform")
    let params = try initialParams(key, at: site)
    let unit = (low: Tensor(0, dtype: site.dtype), high: Tensor(1, dtype: site.dtype))
    @Sendable func interval(_ params: Params) -> (low: Tensor, high: Tensor) {
      ends == nil ? unit : (params["low"], params["high"])
    }
    return (
      params,
      LogPDF(boundary) { params, x, _ in
        let (low, high) = interval(params)
        return logDensity(x, low, high).sumPerRow()
      },
      Sampler(boundary) { key, params, count, _ in
        let (low, high) = interval(params)
        let u = key.uniform(site.inputDim.batched(count), dtype: site.dtype)
        let x = ends == nil ? u : minimum(between(low, high, u), high)
        return (x, logDensity(x, low, high).sumPerRow())
      }
    )
  }

  private func initialParams(_ key: Key, at site: Site) throws(FlowError) -> Params {
    guard let ends else { return .empty }
    func end(_ name: String, _ value: Parameter) throws(FlowError) -> Tensor {
      let value = try value.value(
        name, of: "Uniform", key, neutral: .zeros(site.inputDim, dtype: .float64))
      try site.check(name, value, of: "Uniform", orZero: true)
      return value.cast(to: site.dtype)
    }
    let (low, high) = (try end("the lower end", ends.low), try end("the upper end", ends.high))
    if let wrong = zip(low.doubles, high.doubles).first(where: { $0 >= $1 }) {
      throw .mismatch(
        who: "Uniform", what: "ends", expected: "in rising order in \(site.dtype)",
        got: "\(wrong.0) and \(wrong.1)")
    }
    return ["low": .frozen(low), "high": .frozen(high)]
  }
}

/// Computes −log(high − low) within the interval and −∞ outside, per element. The term 0 · x keeps a NaN.
private func logDensity(_ x: Tensor, _ low: Tensor, _ high: Tensor) -> Tensor {
  let isOutside = (x .< low) + (x .> high)
  // The width of a long interval overflows, its half does not.
  let width = high - low
  let logWidth =
    width.isFinite ? log(width) : log(0.5 * high - 0.5 * low) + 0.69314718055994530942
  return select(where: isOutside, -.infinity, 0 * x - logWidth)
}

/// Computes low + (high − low) · u, also for a width that overflows.
private func between(_ low: Tensor, _ high: Tensor, _ u: Tensor) -> Tensor {
  let width = high - low
  return width.isFinite ? low + width * u : low * (1 - u) + high * u
}
