import Bijections
import Files
import Foundation
import Randomness
import StableHLO
import Tensors
import Testing
@testable import Verification

/// Every row of the laws table as a program in StableHLO, in both directions, with all gradients.
///
/// With the environment variable `SWIFT_FLOWS_PROGRAMS` the programs are written to that folder, with inputs
/// and our results, for `Tests/StableHLO/check.py` to compile and compare.
@Suite struct TracedRowTests {
  @Test(arguments: lawsTable) func programs(_ row: LawsRow) throws {
    let folder = ProcessInfo.processInfo.environment["SWIFT_FLOWS_PROGRAMS"]
    for dtype in folder == nil ? [DType.float32] : [.float32, .float64] {
      for isInverse in [false, true] {
        let traced = try TracedRow(row, dtype, isInverse)
        #expect(traced.program.results.count == 3 + traced.leafCount)
        if let folder, let results = traced.results() { try traced.write(results, to: URL(filePath: folder)) }
      }
    }
  }
}

/// A direction of a layer with its gradients, as a program and as numbers.
private struct TracedRow {
  let name: String
  let program: StableHLOProgram
  let inputs: [Tensor]
  let leafCount: Int
  private let function: ([Tensor]) throws -> [Tensor]

  init(_ row: LawsRow, _ dtype: DType, _ isInverse: Bool) throws {
    let (initial, forward, inverse) = try row.bijection(
      Key(11), inputDim: row.inputDim, contextDim: row.contextDim, dtype: dtype)
    let mapping = isInverse ? inverse : forward
    let start = initial.perturbed(Key(12))
    // Rows of moderate size: far out, rounding decides.
    let near = Probes.near.sorted()
    var x = (row.inputs ?? Probes.inputs(Key(13), in: forward.domain).rows(near)).cast(to: dtype)
    var context = row.contextDim.map { Key(5).normal($0.batched(x.rows), dtype: dtype) }
    if isInverse {
      x = try forward.memberBody(start, x, context).outputs
      let exact = x.rowsOfNormalNumbers
      (x, context) = (x.rows(exact), context?.rows(exact))
    }
    let leaves = start.learnedLeaves
    let weights = Key(6).normal(mapping.codomain.shape.batched(x.rows), dtype: dtype)
    function = { tensors in
      let (x, own) = (tensors[0], Array(tensors[1..<1 + leaves.count]))
      let params: Params = ["x": .leaf(x), "params": start.replacingLearned(with: own)]
      let context = tensors.count > 1 + leaves.count ? tensors[1 + leaves.count] : nil
      var results: [Tensor] = []
      let (_, gradient) = try valueAndGradient(at: params) { params in
        let (y, logDet) = try mapping(params.child("params"), params["x"], given: context)
        results = [y.detached, logDet.detached]
        return (weights * y).sum() + logDet.sum()
      }
      return results + gradient.leaves
    }
    inputs = [x] + leaves + [context].compactMap { $0 }
    name = "\(row.name)-\(isInverse ? "inverse" : "forward")-\(dtype)"
    leafCount = leaves.count
    program = try StableHLOProgram(row.name, of: inputs.map { .init($0.shape, $0.dtype) }, function)
  }

  /// Our results; nil where a row is refused, which no program does.
  func results() -> [Tensor]? { try? function(inputs) }

  func write(_ outputs: [Tensor], to folder: URL) throws {
    let file = String(name.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try program.text.write(to: folder.appending(path: "\(file).mlir"), atomically: true, encoding: .utf8)
    let tree = Params.branch(
      inputs.enumerated().map { Params.Child("in\($0)", .leaf($1)) }
        + outputs.enumerated().map { Params.Child("out\($0)", .leaf($1)) })
    try SafeTensors(tree).write(to: folder.appending(path: "\(file).safetensors").path)
  }
}

extension Tensor {
  /// The rows without infinite and subnormal numbers. XLA takes those for 0.
  fileprivate var rowsOfNormalNumbers: [Int] {
    let (numbers, size) = (doubles, shape.sample.count)
    return (0..<rows).filter { row in
      numbers[row * size..<(row + 1) * size].allSatisfy {
        $0 == 0 || $0.isFinite && Swift.abs($0) >= dtype.leastNormal
      }
    }
  }
}
