import Flows
import Foundation

/// A number with a fixed count of decimals.
public func decimals(_ x: Double, _ count: Int) -> String { String(format: "%.\(count)f", x) }

/// A line on standard error: what differs from run to run.
public func remark(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// Says on standard error how long it has been.
public func remarkTime(since start: ContinuousClock.Instant) {
  remark("took \(decimals(Double((ContinuousClock.now - start).components.seconds), 0)) s")
}

/// A callback of `fit` that prints both losses every so many epochs and after the last.
public func printing(every interval: Int, of epochs: Int) -> (FitState) -> Continuation {
  { state in
    let epoch = state.latest
    if epoch.index % interval == 0 || epoch.index == epochs - 1 {
      print(
        "epoch \(epoch.index + 1): training \(decimals(epoch.trainingLoss, 2)) nats, "
          + "validation \(decimals(epoch.validationLoss ?? .nan, 2))")
    }
    return .proceed
  }
}
