import Bijections
import Distributions
import Randomness
import Tensors

/// The prior of a simulator's parameters, and a bijection from its support to all reals.
///
/// ```swift
/// let box = try SimulationPrior.uniform(from: [-3, 0], to: [3, 10])
/// let own = try SimulationPrior(Laplace(), inputDim: 4)
/// ```
///
/// ``infer(simulator:prior:observed:by:simulations:rounds:embedding:invalid:key:epochs:optimizer:progress:)``
/// learns and samples in the space of all reals, so no posterior leaks out of the support. Parameters are in
/// float32.
public struct SimulationPrior: Sendable {
  /// The shape of one sample of parameters.
  public let inputDim: Shape
  /// The bijection from the prior's support to all reals.
  public let toReals: any Bijection
  private let distribution: InitializedDistribution
  private let maps: Initialized
  private let ends: (low: Tensor, high: Tensor)?

  /// A prior from a distribution with its initial parameters.
  ///
  /// - Parameters:
  ///   - distribution: the distribution, with draws and densities.
  ///   - inputDim: the shape of one sample of parameters.
  ///   - toReals: a bijection from its support to all reals; the identity for all reals.
  /// - Throws: the errors of the distribution and the bijection for this shape.
  public init(
    _ distribution: some Distribution, inputDim: Shape, toReals: any Bijection = Serial()
  ) throws(FlowError) {
    try self.init(distribution, inputDim, toReals, ends: nil)
  }

  private init(
    _ distribution: some Distribution, _ inputDim: Shape, _ toReals: any Bijection,
    ends: (low: Tensor, high: Tensor)?
  ) throws(FlowError) {
    (self.inputDim, self.toReals, self.ends) = (inputDim, toReals, ends)
    self.distribution = try distribution(Key(0), inputDim: inputDim)
    maps = try toReals(Key(0), inputDim: inputDim)
  }

  /// The uniform prior on a box.
  ///
  /// - Throws: `mismatch` for ends that float32 cannot tell apart or hold.
  /// - Precondition: as many lower as upper ends, at least one; finite and in rising order.
  public static func uniform(from low: [Double], to high: [Double]) throws(FlowError) -> SimulationPrior {
    require(
      !low.isEmpty && low.count == high.count && zip(low, high).allSatisfy { $0 < $1 },
      "a box has as many lower as upper ends in rising order, got \(low) and \(high)")
    let sides: [any Bijection] = low.indices.map { OnChannels($0..<$0 + 1, FromInterval(low[$0], high[$0])) }
    let isCube = Set(low).count == 1 && Set(high).count == 1
    let ends = (low: Tensor(low), high: Tensor(high))
    return try SimulationPrior(
      Uniform(from: ends.low, to: ends.high), [low.count],
      isCube ? FromInterval(low[0], high[0]) : Serial(sides),
      ends: (
        Tensor(ends.low.floats.map { Double($0.nextUp) }),
        Tensor(ends.high.floats.map { Double($0.nextDown) })
      ))
  }

  /// The prior of independent normal parameters.
  ///
  /// - Precondition: as many means as positive deviations, at least one.
  public static func normal(mean: [Double], deviation: [Double]) throws(FlowError) -> SimulationPrior {
    require(
      !mean.isEmpty && mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
      "a normal prior has as many means as positive deviations, got \(mean) and \(deviation)")
    return try SimulationPrior(
      Normal(location: .fixed(Tensor(mean)), scale: .fixed(Tensor(deviation))), inputDim: [mean.count])
  }

  /// Draws parameters, `[count] + inputDim`.
  ///
  /// Draws of a box lie in its interior: a draw on an end moves to the next number inside.
  public func sample(_ key: Key, count: Int) throws(FlowError) -> Tensor {
    let draws = try distribution.sample(key, distribution.params, count: count)
    guard let ends else { return draws }
    return minimum(maximum(draws, ends.low), ends.high)
  }

  /// log p, one number per row; −∞ outside the support.
  public func logDensity(_ parameters: Tensor) throws(FlowError) -> Tensor {
    try distribution.logPDF(distribution.params, parameters)
  }

  /// log p without checks of shapes.
  func uncheckedLogDensity(_ parameters: Tensor) throws(FlowError) -> Tensor {
    try distribution.logPDF.body(distribution.params, parameters, nil)
  }

  /// The parameters in the space of all reals.
  func reals(of parameters: Tensor) throws(FlowError) -> Tensor {
    try maps.forward(maps.params, parameters).outputs
  }

  /// The parameters of numbers in the space of all reals, and log |∂ parameters / ∂ numbers|.
  func parameters(of reals: Tensor) throws(FlowError) -> (parameters: Tensor, logSlope: Tensor) {
    let (x, logDet) = try maps.inverse(maps.params, reals)
    return (x, logDet)
  }
}
