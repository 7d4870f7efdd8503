import FittedModels
import Randomness
import Tensors

@_cdecl("flows_sample_f32")
public func flowsSample32(
  _ model: OpaquePointer?, _ high: UInt32, _ low: UInt32, _ first: Int64, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<Float>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<Float>?, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int64
) -> Int32 {
  ErrorBuffer(error, errorSize).status {
    try sample(
      opened(model), Key(high: high, low: low), first, count, size, context, contextCount, contextSize,
      result)
  }
}

@_cdecl("flows_sample_f64")
public func flowsSample64(
  _ model: OpaquePointer?, _ high: UInt32, _ low: UInt32, _ first: Int64, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<Double>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<Double>?, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int64
) -> Int32 {
  ErrorBuffer(error, errorSize).status {
    try sample(
      opened(model), Key(high: high, low: low), first, count, size, context, contextCount, contextSize,
      result)
  }
}

/// Writes draws, piece by piece: piece i of the endless sample has 10,000 draws, by child i of the key.
private func sample<S: Scalar>(
  _ open: OpenModel, _ key: Key, _ first: Int64, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<S>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<S>?
) throws {
  let width = open.model.width
  guard size == width else { throw WrongCall("expected rows of \(width) numbers, got \(size)") }
  guard first >= 0, first <= Int64.max / 2 else {
    throw WrongCall("expected the number of the first draw, from 0 on, got \(first)")
  }
  try Rows.check(result.map { UnsafePointer($0) }, count, width, "a place for the result")
  let contexts = try Contexts(context, contextCount, contextSize, for: count, of: open.model)
  guard let result else { return }
  var row = 0
  while row < Int(count) {
    let (piece, skipped) = (Int(first) + row).quotientAndRemainder(dividingBy: OpenModel.pieceSize)
    let range = row..<min(row + OpenModel.pieceSize - skipped, Int(count))
    let own = try contexts.standardized(range)
    guard own?.isFinite ?? true else {
      throw WrongCall("expected a context near the model's data, got one beyond \(open.model.dtype)")
    }
    // Draws of rows before the first one asked for are made too. They have its context.
    let before = contexts.isShared ? nil : own.map { $0[0..<1].broadcast(to: [skipped, $0.shape[1]]) }
    let given = own.map { own in before.map { concatenate([$0, own], axis: 0) } ?? own }
    let draws = try open.draws(key, ofPiece: piece, count: skipped + range.count, given: given)[
      skipped..<skipped + range.count]
    guard draws.isFinite else {
      throw FlowError.notFinite(who: "flows_sample", what: "draws", row: nil)
    }
    for (i, number) in draws.doubles.enumerated() { result[range.lowerBound * width + i] = S(number) }
    row = range.upperBound
  }
}
