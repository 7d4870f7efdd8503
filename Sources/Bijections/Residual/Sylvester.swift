import Randomness
import Tensors

/// A Sylvester layer: a residual layer with several hidden units, a generalization of `Planar` to several
/// directions.
///
/// Map: y = x + Q R tanh(S Qᵀ x + b) over all D numbers of a sample. Q [D, M] contains the first M columns
/// of a product of Householder reflections; R and S are upper triangular.
///
/// log|det J| = Σᵢ log(1 + (1 − tanh²)ᵢ Rᵢᵢ Sᵢᵢ). The diagonals are 0.9995 tanh(raw), so Rᵢᵢ Sᵢᵢ > −0.9991,
/// and the map is invertible. Cost: O(D n) per row for n reflections, and O(M²).
///
/// Inverse: v = Qᵀ x solves v + R tanh(S v + b) = Qᵀ y. `inverseOfMonotone` finds its numbers from last to
/// first, each in a known bracket. Then x = y − Q R tanh(S v + b). The forward direction is cheaper, so use
/// `Inverted(Sylvester())` in a flow that is sampled from.
///
/// Parameters: `vectors` [n, D] as in `Householder` (none for D = 1); `diagonalR`, `diagonalS` and `bias`
/// [M]; `entriesR` and `entriesS` [M (M − 1) / 2], above the diagonals. R and the bias start at 0, which
/// gives the identity; the others are normal.
///
/// Domain: all reals. A context is ignored. Errors: none of its own.
///
/// van den Berg, Hasenclever, Tomczak & Welling 2018, *Sylvester Normalizing Flows for Variational
/// Inference*, arXiv 1803.05649, eqs. 11-17.
public struct Sylvester: Bijection {
  private let units: Int
  private let reflections: Int?

  /// Makes a Sylvester layer.
  ///
  /// - Parameters:
  ///   - units: The number M of hidden units. The layer has at most as many units as a sample has numbers.
  ///   - reflections: The number n of reflections, by default D.
  /// - Precondition: There is at least one unit and one reflection.
  public init(units: Int = 8, reflections: Int? = nil) {
    require(
      units > 0 && reflections ?? 1 > 0, "a Sylvester layer needs at least one unit and one reflection")
    self.units = units
    self.reflections = reflections
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.inputDim.count
    let count = min(units, size)
    let basis = Basis(size: size, units: count)
    let params = initialParams(key, size, count, at: site)
    return site.layer("Sylvester", params) { params, x, _ in
      let (hidden, flat) = (Hidden(params, count), x.flatRows)
      let a = hidden.arguments(basis.coordinates(of: flat, params))
      let y = flat + basis.vectors(hidden.steps(a), params)
      return (y.reshaped(to: x.shape), hidden.logDet(a))
    } inverse: { params, y, _ in
      let (hidden, flat) = (Hidden(params, count), y.flatRows)
      let a = hidden.solve(basis.coordinates(of: flat, params))
      let x = flat - basis.vectors(hidden.steps(a), params)
      return (x.reshaped(to: y.shape), -hidden.logDet(a))
    }
  }

  private func initialParams(_ key: Key, _ size: Int, _ count: Int, at site: Site) -> Params {
    let triangle = count * (count - 1) / 2
    func normal(_ purpose: Int, _ shape: Shape, deviation: Double = 1) -> Params {
      .leaf((deviation * key.folded(in: purpose).normal(shape)).cast(to: site.dtype))
    }
    func zeros(_ count: Int) -> Params { .leaf(.zeros([count], dtype: site.dtype)) }
    let turns: [Params.Child] =
      size > 1 ? [.init("vectors", normal(0, [reflections ?? size, size]))] : []
    return .branch(
      turns + [
        .init("diagonalR", zeros(count)), .init("entriesR", zeros(triangle)),
        .init("diagonalS", normal(1, [count])),
        .init("entriesS", normal(2, [triangle], deviation: 1 / Double(count).squareRoot())),
        .init("bias", zeros(count)),
      ])
  }
}

/// The products of rows with Qᵀ and Q.
private struct Basis: Sendable {
  let size, units: Int

  func coordinates(of x: Tensor, _ params: Params) -> Tensor {
    size == 1 ? x : Reflections(params["vectors"]).apply(to: x).sliced(axis: 1, 0..<units)
  }

  func vectors(_ w: Tensor, _ params: Params) -> Tensor {
    if size == 1 { return w }
    let padded = concatenate([w, .zeros([w.rows, size - units], dtype: w.dtype)], axis: 1)
    return Reflections(params["vectors"]).undo(in: padded)
  }
}

/// The two triangular matrices and the bias.
private struct Hidden {
  let diagonalR, diagonalS, bias: Tensor
  /// The entries above the diagonals.
  let upperR, upperS: Tensor
  let count: Int

  init(_ params: Params, _ count: Int) {
    let triangle = StrictTriangle(size: count)
    diagonalR = 0.9995 * tanh(params["diagonalR"])
    diagonalS = 0.9995 * tanh(params["diagonalS"])
    upperR = triangle(params["entriesR"]).transposed()
    upperS = triangle(params["entriesS"]).transposed()
    bias = params["bias"]
    self.count = count
  }

  /// Computes a = S v + b.
  func arguments(_ v: Tensor) -> Tensor {
    v * diagonalS + matmul(v, upperS, transposeB: true) + bias
  }
  /// Computes R tanh(a).
  func steps(_ a: Tensor) -> Tensor {
    let t = tanh(a)
    return t * diagonalR + matmul(t, upperR, transposeB: true)
  }

  func logDet(_ a: Tensor) -> Tensor { log1p(tanhSlope(a) * (diagonalR * diagonalS)).sumPerRow() }

  /// Computes a with v + R tanh(a) = y and a = S v + b, from the last number to the first.
  func solve(_ y: Tensor) -> Tensor {
    let none = Tensor.zeros([y.rows, 0], dtype: y.dtype)
    var (v, t, arguments) = (none, none, none)
    for i in (0..<count).reversed() {
      func rest(_ upper: Tensor, _ known: Tensor) -> Tensor {
        (known * upper[i].sliced(axis: 0, i + 1..<count)).sumPerRow()
      }
      let shift = rest(upperS, v) + bias.sliced(axis: 0, i..<i + 1)
      let target = y.sliced(axis: 1, i..<i + 1).reshaped(to: [y.rows]) - rest(upperR, t)
      let (r, s) = (diagonalR.sliced(axis: 0, i..<i + 1), diagonalS.sliced(axis: 0, i..<i + 1))
      let reach = 2 * abs(r)
      let number = inverseOfMonotone(
        at: target, given: [r, s, shift], between: (target - reach, target + reach)
      ) { number, parameters in
        let (r, s) = (parameters[0], parameters[1])
        let a = s * number + parameters[2]
        return (number + r * tanh(a), 1 + r * s * tanhSlope(a))
      }
      let argument = (s * number + shift).expanded(axis: 1)
      v = concatenate([number.expanded(axis: 1), v], axis: 1)
      t = concatenate([tanh(argument), t], axis: 1)
      arguments = concatenate([argument, arguments], axis: 1)
    }
    return arguments
  }
}
