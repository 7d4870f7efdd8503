import Flows

/// A simplified Lund string that breaks into pions from one end.
///
/// Each break makes a pair of quarks with a transverse kick, and the pion takes a share z of the remaining
/// light-cone momentum W⁺. The string ends when its squared mass W⁺W⁻ falls to the square of `cut`. The
/// number of pions is the observable of a history.
public struct LundString: Sendable {
  /// W⁺ and W⁻ at the start, in GeV.
  public var energy = 100.0
  /// The mass below which the string no longer breaks, in GeV.
  public var cut = 5.0
  /// The mass of a pion, in GeV.
  public var mass = 0.13957
  /// The deviation of a kick's component, in GeV.
  public var kick = 0.335 / 2.0.squareRoot()

  /// The string of the example.
  public init() {}

  /// Simulates histories, all at once: break i of all strings has the key's child i.
  ///
  /// - Parameters:
  ///   - key: the key of all random numbers.
  ///   - count: the number of histories.
  ///   - dtype: the dtype of emissions and contexts.
  ///   - draw: draws z for rows of contexts, log m² each.
  public func histories(
    _ key: Key, count: Int, dtype: DType = .float64,
    _ draw: (_ key: Key, _ context: Tensor) throws -> Tensor
  ) throws -> Histories {
    var plus = [Double](repeating: energy, count: count)
    var (minus, pions) = (plus, [Double](repeating: 0, count: count))
    var quark = [Double](repeating: 0, count: 2 * count)
    var (alive, segments) = (Array(0..<count), [Int]())
    var (rows, contexts): ([Tensor], [Tensor]) = ([], [])
    while !alive.isEmpty {
      let own = key.folded(in: rows.count)
      let kicks = own.folded(in: 0).normal([alive.count, 2], dtype: .float64).doubles
      var squares: [Double] = []
      for (row, history) in alive.enumerated() {
        var square = mass * mass
        for axis in 0..<2 {
          let new = kick * kicks[2 * row + axis]
          let transverse = quark[2 * history + axis] + new
          square += transverse * transverse
          quark[2 * history + axis] = -new
        }
        squares.append(square)
      }
      let context = log(Tensor(squares, shape: [alive.count, 1], dtype: .float64)).cast(to: dtype)
      let z = try draw(own.folded(in: 1), context)
      for (row, share) in z.doubles.enumerated() {
        let history = alive[row]
        pions[history] += 1
        minus[history] -= squares[row] / (share * plus[history])
        plus[history] *= 1 - share
      }
      segments += alive
      rows.append(z)
      contexts.append(context)
      alive = alive.filter { minus[$0] > 0 && plus[$0] * minus[$0] > cut * cut }
    }
    return try Histories(
      concatenate(rows, axis: 0), context: concatenate(contexts, axis: 0), segments: segments,
      observables: Tensor(pions, dtype: .float64))
  }
}
