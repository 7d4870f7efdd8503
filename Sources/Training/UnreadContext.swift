import Bijections
import Distributions
import Randomness
import Tensors

extension LogPDF {
  /// Throws where neither a layer nor the prior reads the context. A fit would have the same bits without it.
  ///
  /// A distribution that says so, by `NoContext` around the whole, passes.
  ///
  /// - Parameter rows: some rows of the fit.
  func checkUse(of context: Tensor?, _ params: Params, _ rows: Tensor, who: String) throws(FlowError) {
    guard let context, rows.rows > 0, !mapping.hidesContext(params, context) else { return }
    let (few, contexts) = (rows[0..<min(rows.rows, 2)], context[0..<min(rows.rows, 2)])
    try throwUnread(contexts, who) { [try body(params, few, $0)] }
  }

  /// The same for a fit to a target, whose rows are the draws of a sampler.
  func checkUse(
    of context: Tensor?, _ params: Params, _ sample: Sampler, who: String
  ) throws(FlowError) {
    guard let context, !mapping.hidesContext(params, context) else { return }
    let contexts = context[0..<min(context.rows, 2)]
    try throwUnread(contexts, who) {
      let draws = try sample.body(Key(0), params, contexts.rows, $0)
      return [draws.samples, draws.logPDF]
    }
  }

  private func throwUnread(
    _ context: Tensor, _ who: String, _ f: (Tensor) throws -> [Tensor]
  ) throws(FlowError) {
    // Rows outside the support may not reach the layers that read. Errors are left to the fit.
    guard let results = try? f(context), results.allSatisfy(\.isFinite),
      let isRead = try? context.isRead(by: f), !isRead
    else { return }
    throw .mismatch(
      who: who, what: "a context", expected: "that a layer or the prior reads",
      got: "one that \(boundary.name) ignores; leave it out, or use conditional layers")
  }
}
