import Randomness
import Tensors

/// A simulator: draws one row of data for each row of parameters.
///
/// It is given `[rows] + parameters` in float32 and returns `[rows] + data`. All its random numbers come from
/// the key.
public typealias Simulator = (_ key: Key, _ parameters: Tensor) throws -> Tensor

/// The treatment of simulations that fail: rows of data with NaN or infinity.
public enum InvalidSimulations: Sendable, Hashable {
  /// They are counted and left out. The result is then the posterior given that the simulation succeeds.
  case leftOut
  /// The first one is an error.
  case refused
}

/// Pairs of parameters and the data that they were simulated with.
public struct SimulationSet: Sendable {
  /// The parameters of the valid simulations, `[valid] + parameters`.
  public let parameters: Tensor
  /// Their data, `[valid] + data`.
  public let data: Tensor
  /// The number of simulations left out as invalid.
  public let invalid: Int

  /// Simulates once per row of parameters.
  ///
  /// - Throws: `mismatch` unless the simulator returns one row for each row, and if no row is valid.
  ///   `notFinite` for the first invalid row, if those are refused. The errors of the simulator.
  public init(
    _ simulator: Simulator, at parameters: Tensor, key: Key, invalid treatment: InvalidSimulations = .leftOut
  ) throws {
    let data = try simulator(key, parameters).cast(to: .float32)
    guard data.rank > 1, data.rows == parameters.rows else {
      throw FlowError.mismatch(
        who: "the simulator", what: "data", expected: "\(parameters.rows) rows", got: "\(data.shape)")
    }
    guard data.firstNonFinite != nil else {
      (self.parameters, self.data, invalid) = (parameters, data, 0)
      return
    }
    let (width, values) = (data.shape.sample.count, data.floats)
    let isValid = (0..<data.rows).map { row in
      values[row * width..<(row + 1) * width].allSatisfy(\.isFinite)
    }
    let valid = isValid.indices.filter { isValid[$0] }
    if treatment == .refused {
      throw FlowError.notFinite(who: "the simulator", what: "data", row: isValid.firstIndex(of: false))
    }
    if valid.isEmpty {
      throw FlowError.mismatch(
        who: "the simulator", what: "a row of finite data", expected: "at least",
        got: "NaN or infinity in all")
    }
    (self.parameters, self.data) = (parameters.rows(valid), data.rows(valid))
    invalid = data.rows - valid.count
  }

  /// Pairs that were simulated before, such as those of a file.
  ///
  /// - Throws: as the simulation of pairs, for `data` in place of its results.
  public init(
    parameters: Tensor, data: Tensor, invalid treatment: InvalidSimulations = .leftOut
  ) throws {
    try self.init({ _, _ in data }, at: parameters, key: Key(0), invalid: treatment)
  }

  private init(_ parameters: Tensor, _ data: Tensor, _ invalid: Int) {
    (self.parameters, self.data, self.invalid) = (parameters, data, invalid)
  }

  /// The simulations of both.
  func joined(with other: SimulationSet) -> SimulationSet {
    SimulationSet(
      concatenate(parameters, other.parameters, axis: 0), concatenate(data, other.data, axis: 0),
      invalid + other.invalid)
  }
}
