import Networks
import Randomness
import Tensors

/// Trains a network to predict targets from features, and returns it as a function of features.
///
/// The steps are those of AdamW with 256 rows each, at a rate that falls from 0.01 to 0 along a cosine.
///
/// - Parameters:
///   - x: the features, [rows, features].
///   - y: the targets, [rows, outputs].
///   - loss: the loss of each row, from outputs and targets.
/// - Throws: `CancellationError` if the task is cancelled.
package func trained(
  _ network: MLP, _ x: Tensor, _ y: Tensor, steps: Int, key: Key,
  loss: @escaping @Sendable (_ outputs: Tensor, _ y: Tensor) -> Tensor
) throws -> (Tensor) -> Tensor {
  let (initial, apply) = try network(
    key.folded(in: 0), inputDim: x.shape.sample, outputDim: y.shape.sample)
  var params = initial
  let optimizer = AdamW(learningRate: .cosine(0.01, steps: steps), weightDecay: 0.01, decayed: .matrices)
  var state = optimizer.initialize(params)
  var (order, next, epoch) = ([Int](), 0, 0)
  for _ in 0..<steps {
    if Task.isCancelled { throw CancellationError() }
    if next >= order.count {
      epoch += 1
      (order, next) = (key.folded(in: epoch).permutation(x.rows), 0)
    }
    let batch = Array(order[next..<min(next + 256, order.count)])
    next += batch.count
    let (_, gradient) = try valueAndGradient(at: params, over: x.rows(batch), given: y.rows(batch)) {
      params, x, y in
      let outputs = apply(params, x)
      return loss(outputs, y ?? outputs)
    }
    (params, state) = try optimizer.update(gradient, state, params)
  }
  let found = params
  return { apply(found, $0) }
}
