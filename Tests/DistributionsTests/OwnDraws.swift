import Bijections
import Distributions
import Randomness
import Tensors
import Verification

/// The law that a distribution accepts its own draws: their log-density is finite, and equals the one that
/// came with them.
///
/// A draw is rounded to its dtype, so the two log-densities may differ by what some units in the last place
/// of the draw make, which the slope tells. A draw next to a number of density 0 stands for all latents whose
/// images round to it or beyond. There the log-densities need not be equal.
struct OwnDraws {
  let name: String
  let distribution: any Distribution
  let inputDim: Shape
  var contextDim: Shape?
  var count = 20_000
  /// The allowed difference in units of 10⁻⁴ in float32 and 10⁻¹⁰ in float64, relative to 1 + |log p|. Nil:
  /// only finite log-densities are asked for, since numbers between two layers are rounded too.
  var units: Double? = 1
  /// The allowed rounding of a draw in units in its last place. Deep flows round in each layer.
  var ulps = 16.0
  /// The temperatures at which draws are accepted too, if the distribution has one.
  var temperatures: [Double] = []

  func check(_ dtype: DType) throws {
    let (initial, logPDF, sample) = try distribution(
      Key(1), inputDim: inputDim, contextDim: contextDim, dtype: dtype)
    for (label, params) in [("initial", initial), ("perturbed", initial.perturbed(Key(2), by: 0.03))] {
      if label == "perturbed" && params.learnedCount == 0 { continue }
      let context = contextDim.map { Key(3).normal($0.batched(count)).cast(to: dtype) }
      let (x, own) = try sample.withLogPDF(Key(4), params, count: count, given: context)
      let density = try logPDF(params, x, given: context)
      let specimen = Specimen(
        units: units, ulps: ulps, who: "\(name), \(dtype), \(label)", params: params, logPDF: logPDF, x: x,
        context: context)
      try specimen.compare(density.doubles, own.doubles)
      for temperature in temperatures where sample.tempered != nil {
        let x = try sample(Key(5), params, count: count, temperature: temperature, given: context)
        if try logPDF(params, x, given: context).isFinite { continue }
        throw FlowError.verification(
          who: specimen.who, message: "a draw at temperature \(temperature) has no finite log-density")
      }
    }
  }

  private struct Specimen {
    let units: Double?
    let ulps: Double
    let who: String
    let params: Params
    let logPDF: LogPDF
    let x: Tensor
    let context: Tensor?

    func compare(_ density: [Double], _ own: [Double]) throws {
      if let row = density.indices.first(where: { !density[$0].isFinite || !own[$0].isFinite }) {
        throw fail(row, "has log-density \(density[row]), \(own[row]) with the draw")
      }
      guard let units else { return }
      let unit = units * (x.dtype == .float32 ? 1e-4 : 1e-10)
      let tolerance = own.map { unit * (1 + abs($0)) }
      let off = own.indices.filter { abs(own[$0] - density[$0]) > tolerance[$0] }
      if off.isEmpty { return }
      let (rows, size) = (x.rows(off), x.shape.sample.count)
      let seen = context?.rows(off)
      let slope = try gradient(at: rows) { try logPDF(params, $0, given: seen).sum() }.doubles
      let numbers = rows.doubles
      for (i, row) in off.enumerated() {
        let rounding = (0..<size).reduce(0.0) { $0 + abs(slope[i * size + $1]) * ulp(numbers[i * size + $1]) }
        let difference = abs(own[row] - density[row])
        if difference <= tolerance[row] + ulps * rounding { continue }
        if try isAtAnEnd(rows[i..<i + 1], seen?[i..<i + 1]) { continue }
        throw fail(row, "has log-density \(density[row]), \(own[row]) with the draw, rounding \(rounding)")
      }
    }

    /// Whether a neighbour of one number has no density.
    private func isAtAnEnd(_ row: Tensor, _ context: Tensor?) throws -> Bool {
      let numbers = row.doubles
      for i in numbers.indices {
        for step in [1.0, -1] {
          var moved = numbers
          moved[i] += step * ulp(numbers[i])
          if moved[i] == numbers[i] { moved[i] = next(numbers[i], step) }
          let there = Tensor(moved, shape: row.shape, dtype: row.dtype)
          if try !logPDF(params, there, given: context).item.isFinite { return true }
        }
      }
      return false
    }

    private func ulp(_ x: Double) -> Double { self.x.dtype == .float32 ? Double(Float(x).ulp) : x.ulp }
    private func next(_ x: Double, _ step: Double) -> Double {
      let dtype = self.x.dtype
      return step > 0 ? dtype.nextUp(x) : dtype.nextDown(x)
    }
    private func fail(_ row: Int, _ message: String) -> FlowError {
      .verification(who: who, message: "draw \(row), \(x[row].doubles.prefix(4)), \(message)")
    }
  }
}
