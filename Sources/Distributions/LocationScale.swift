import Bijections
import Randomness
import Tensors

/// Where the location and the scale of each number of a sample come from.
public struct LocationScale: Sendable {
  let location: Parameter
  let scale: Parameter
  let isStandard: Bool

  /// Location 0, scale 1, no parameters.
  public static let standard = LocationScale(location: 0, scale: 1, isStandard: true)
  /// A location and a scale for each number, learned from 0 and 1.
  public static let learned = LocationScale(location: .learned, scale: .learned)

  /// A location and a scale; each stays or is learned, and broadcasts to a sample's shape.
  public init(location: Parameter, scale: Parameter) {
    self.init(location: location, scale: scale, isStandard: false)
  }

  private init(location: Parameter, scale: Parameter, isStandard: Bool) {
    (self.location, self.scale, self.isStandard) = (location, scale, isStandard)
  }
}

/// Independent numbers of one one-dimensional family, each with a location and a scale.
///
/// log p(x) = Σ (log k(z) − log N − logScale) with z = (x − location) · exp(−logScale), where k / N is the density at
/// location 0 and scale 1. Draws: location + exp(logScale) · z for a standard draw z. O(D) both. Draws are differentiable by
/// location and scale.
///
/// Parameters: none for `.standard`; else `location` and `logScale`, of one sample's shape, learned or frozen leaves, 0 at
/// first unless given. Domain: all reals. A context is ignored. Errors: `mismatch` for a value that does not broadcast to a
/// sample and for a scale that is not positive, `notFinite` for one that is not finite.
///
/// A family says what stands at location 0 and scale 1.
public protocol LocationScaleFamily: Distribution {
  /// Where location and scale come from.
  var locationScale: LocationScale { get }
  /// log N, of one number.
  var logNormalizer: Double { get }
  /// Σ log k(z), a row.
  func logKernel(_ z: Tensor) -> Tensor
  /// Standard draws; those of a longer first axis start with those of a shorter one.
  func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor
}

extension LocationScaleFamily {
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let who = "\(Self.self)"
    let boundary = Boundary(
      who, domain: Domain(site.inputDim), contextDim: site.contextDim, dtype: site.dtype)
    let constant = Double(site.inputDim.count) * logNormalizer
    @Sendable func spread(_ temperature: Double) -> Double {
      temperature == 1 ? 0 : Double(site.inputDim.count) * log(Tensor(temperature, dtype: .float64)).item
    }
    if locationScale.isStandard {
      return (
        .empty, LogPDF(boundary) { _, x, _ in logKernel(x) - constant },
        sampler(boundary) { temperature in
          { key, _, count, _ in
            let z = draw(key, site.inputDim.batched(count), dtype: site.dtype)
            return (temperature == 1 ? z : temperature * z, logKernel(z) - constant - spread(temperature))
          }
        }
      )
    }
    return (
      [
        "location": try locationScale.location.location(of: who, key.folded(in: 0), at: site),
        "logScale": try locationScale.scale.logarithm("scale", of: who, key.folded(in: 1), at: site),
      ],
      LogPDF(boundary) { params, x, _ in
        let (location, logScale) = (params["location"], params["logScale"])
        return logKernel((x - location) * exp(-logScale)) - constant - logScale.sum()
      },
      sampler(boundary) { temperature in
        { key, params, count, _ in
          let (location, logScale) = (params["location"], params["logScale"])
          let z = draw(key, site.inputDim.batched(count), dtype: site.dtype)
          let moved = temperature == 1 ? z : temperature * z
          return (
            location + exp(logScale) * moved, logKernel(z) - constant - spread(temperature) - logScale.sum()
          )
        }
      }
    )
  }
}

/// A sampler whose mathematics is known at every temperature.
func sampler(
  _ boundary: Boundary, at temperature: @escaping @Sendable (Double) -> Sampler.Body
) -> Sampler { Sampler(boundary, tempered: temperature, body: temperature(1)) }
