import Bijections
import Randomness
import Tensors

/// The location and the scale of each number of a sample: constants or learned parameters.
public struct LocationScale: Sendable {
  let location: Parameter
  let scale: Parameter
  let isStandard: Bool

  /// The location 0 and the scale 1, without parameters.
  public static let standard = LocationScale(location: 0, scale: 1, isStandard: true)
  /// A learned location and scale for each number, which start at 0 and 1.
  public static let learned = LocationScale(location: .learned, scale: .learned)

  /// Makes a location and a scale, each given or learned, which broadcast to a sample's shape.
  public init(location: Parameter, scale: Parameter) {
    self.init(location: location, scale: scale, isStandard: false)
  }

  private init(location: Parameter, scale: Parameter, isStandard: Bool) {
    (self.location, self.scale, self.isStandard) = (location, scale, isStandard)
  }
}

/// A family of distributions of independent numbers, each with a location and a scale.
///
/// log p(x) = Σ (log k(z) − log N − logScale) with z = (x − location) · exp(−logScale), where k / N is the
/// standard density, at location 0 and scale 1. Draws: location + exp(logScale) · z for a standard draw z.
/// Both cost O(D). Draws are differentiable by location and scale.
///
/// Parameters: none for `.standard`. Otherwise `location` and `logScale` of a sample's shape are learned or
/// frozen leaves, 0 unless given. Domain: all reals. A context is ignored. Errors: `mismatch` for a value
/// that does not broadcast to a sample, a scale that is not positive, or a value that the dtype cannot hold.
/// A value that is not finite gives `notFinite`.
///
/// A family defines the standard density and its draws. It starts without data: a `Flow` passes it none.
public protocol LocationScaleFamily: Distribution {
  /// The location and the scale, standard, given or learned.
  var locationScale: LocationScale { get }
  /// The log-normalizer log N of a number.
  var logNormalizer: Double { get }
  /// Computes the log-kernel Σ log k(z) per row.
  func logKernel(_ z: Tensor) -> Tensor
  /// Draws from the standard distribution. Draws with a longer first axis begin with those of a shorter one.
  func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor
}

extension LocationScaleFamily {
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try initializeFamily(key, at: site)
  }

  func initializeFamily(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (who, size, isStandard) = ("\(Self.self)", site.inputDim.count, locationScale.isStandard)
    let (boundary, constant) = (site.boundary(who), Double(size) * logNormalizer)
    let params: Params =
      isStandard
      ? .empty
      : [
        "location": try locationScale.location.location(of: who, key.folded(in: 0), at: site),
        "logScale": try locationScale.scale.logarithm("scale", of: who, key.folded(in: 1), at: site),
      ]
    return (
      params,
      LogPDF(boundary) { params, x, _ in
        if isStandard { return logKernel(x) - constant }
        let (location, logScale) = (params["location"], params["logScale"])
        return logKernel(standardized(x - location, logScale)) - constant - logScale.sum()
      },
      sampler(boundary) { temperature in
        { key, params, count, _ in
          let z = draw(key, site.inputDim.batched(count), dtype: site.dtype)
          let moved = temperature == 1 ? z : temperature * z
          let logPDF = logKernel(z) - constant - logSpread(temperature, size)
          if isStandard { return (moved, logPDF) }
          let (location, logScale) = (params["location"], params["logScale"])
          return (location + exp(logScale) * moved, logPDF - logScale.sum())
        }
      }
    )
  }
}

/// Computes x · exp(−logScale), in two steps where exp(−logScale) overflows.
private func standardized(_ x: Tensor, _ logScale: Tensor) -> Tensor {
  let limit = x.dtype == .float32 ? -87.0 : -708
  let isKnown = !logScale.isSymbolic
  if isKnown, !logScale.detached.doubles.contains(where: { $0 < limit }) { return x * exp(-logScale) }
  let isTiny = logScale.detached .< limit
  let half = select(where: isTiny, -0.5 * logScale, 0)
  return x * exp(-logScale - half) * exp(half)
}

/// Makes a sampler from a function of the temperature.
func sampler(
  _ boundary: Boundary, at temperature: @escaping @Sendable (Double) -> Sampler.Body
) -> Sampler { Sampler(boundary, tempered: temperature, body: temperature(1)) }

/// Computes the log-determinant of multiplying `size` numbers by a temperature.
func logSpread(_ temperature: Double, _ size: Int) -> Double {
  temperature == 1 ? 0 : Double(size) * logarithm(temperature)
}
