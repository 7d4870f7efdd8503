import Flows
import Foundation

/// A number with a fixed count of decimals.
public func decimals(_ x: Double, _ count: Int) -> String { String(format: "%.\(count)f", x) }

/// A text of a fixed width.
public func column(_ text: String, _ width: Int) -> String {
  text.padding(toLength: width, withPad: " ", startingAt: 0)
}

/// Writes a line to standard error, for text that differs from run to run.
public func remark(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// A callback of `fit` that prints both losses of some epochs and of the last.
public func printing(every interval: Int, of epochs: Int, digits: Int = 2) -> (FitState) -> Continuation {
  { state in
    let epoch = state.latest
    if epoch.index % interval == 0 || epoch.index == epochs - 1 {
      print(
        "epoch \(epoch.index + 1): training \(decimals(epoch.trainingLoss, digits)) nats, "
          + "validation \(decimals(epoch.validationLoss ?? .nan, digits))")
    }
    return .proceed
  }
}

/// The path of a data file among a program's resources.
public func dataFile(_ name: String, in bundle: Bundle) throws -> String {
  guard let path = bundle.path(forResource: name, ofType: "csv") else {
    throw FlowError.file(path: "\(name).csv", row: nil, column: nil, message: "not found beside the program")
  }
  return path
}

/// The path of a data file of another example, in the source tree.
public func exampleFile(_ path: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../\(path)").standardized.path
}

/// A number with two digits and an exponent.
public func scientific(_ x: Double) -> String { String(format: "%.1e", x) }
