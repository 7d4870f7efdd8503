import Distributions
import Tensors

extension Fitted {
  /// A fit from a file: parameters and history, without the state of an optimizer.
  package init(params: Params, logPDF: LogPDF, sample: Sampler, history: [Record]) {
    var state = FitState(params)
    state.history = history
    (state.step, state.loss) = (history.last?.steps ?? 0, history.last?.trainingLoss ?? .nan)
    let best = history.last(where: \.isBest) ?? history.first
    if let best, let loss = best.validationLoss {
      state.best = .init(loss: loss, params: params, index: best.isBest ? best.index : -1)
    }
    self.init(params: params, logPDF: logPDF, sample: sample, ending: .completed, state: state)
  }
}

extension FitState {
  /// The state of parameters from a file.
  fileprivate init(_ params: Params) {
    self.init(params, optimizer: SGD(learningRate: 0))
    optimizer = .empty
  }
}
