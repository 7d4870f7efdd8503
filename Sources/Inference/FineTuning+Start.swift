import Distributions
import Randomness
import Tensors

extension FineTuning {
  /// A warning if the emissions are far less likely than draws of the start: another model drew them.
  ///
  /// The mean log-densities of both are compared. Their difference has to be above 1 nat, and above 6
  /// standard errors. Draws cost one pass over at most 1,000 rows.
  func doubtAboutStart(_ params: Params, _ key: Key) -> String? {
    let (rows, count) = (first.rows.rows, min(first.rows.rows, 1_000))
    let context = first.context?.rows((0..<count).map { $0 * rows / count })
    guard let draws = try? sample.withLogPDF(key, params, count: count, given: context).logPDF else {
      return nil
    }
    let own = draws.cast(to: .float64)
    let emissions = Tensor(firstDensities, dtype: .float64)
    let (mean, known) = (emissions.mean().item, own.mean().item)
    let variance = square(own - known).mean().item
    let error = (variance * (1 / Double(count) + 1 / Double(rows))).squareRoot()
    guard known - mean > max(1, 6 * error) else { return nil }
    func rounded(_ x: Double) -> Double { (100 * x).rounded() / 100 }
    return
      "the emissions have a mean log-density of \(rounded(mean)), and draws of the parameters given have "
      + "\(rounded(known)): another model drew them; give the parameters that drew the emissions"
  }
}
