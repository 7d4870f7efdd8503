import FittedModels
import Tensors

/// Rows in a caller's memory.
struct Rows<S: Scalar> {
  let start: UnsafePointer<S>?
  let count, size: Int

  /// Checks that memory can hold so many rows, and that they have the model's size.
  init(
    _ start: UnsafePointer<S>?, _ count: Int64, _ size: Int64, of expected: Int, called name: String
  ) throws {
    guard size == expected else {
      throw WrongCall("expected \(name) of \(expected) numbers per row, got \(size)")
    }
    try Rows.check(start, count, expected, name)
    (self.start, self.count, self.size) = (start, Int(count), expected)
  }

  /// Checks a place of rows.
  static func check(_ start: UnsafePointer<S>?, _ count: Int64, _ size: Int, _ name: String) throws {
    guard count >= 0, count <= Int64.max / 16 / Int64(max(size, 1)) else {
      throw WrongCall("expected a possible number of rows, got \(count)")
    }
    guard count > 0 else { return }
    guard let start else { throw WrongCall("expected \(name), got a null pointer") }
    guard UInt(bitPattern: start) % UInt(MemoryLayout<S>.size) == 0 else {
      throw WrongCall("expected the address of \(name) to be a multiple of \(MemoryLayout<S>.size)")
    }
  }

  /// Calls `body` with a range of the rows as a tensor, without a copy.
  func withTensor<Result>(_ range: Range<Int>, _ body: (Tensor) throws -> Result) throws -> Result {
    guard let start, !range.isEmpty else { return try body(.zeros([0, size], dtype: S.dtype)) }
    return try Tensor.borrowing(start + range.lowerBound * size, shape: [range.count, size], body)
  }
}

/// The context of a call: none, one row for all, or one per row.
struct Contexts<S: Scalar> {
  private let rows: Rows<S>?
  private let given: Given?
  private let dtype: DType

  init(
    _ start: UnsafePointer<S>?, _ count: Int64, _ size: Int64, for all: Int64, of model: Model
  ) throws {
    (given, dtype) = (model.given, model.dtype)
    guard let given = model.given else {
      if start != nil { throw WrongCall("expected no context, which the model does not have, got one") }
      rows = nil
      return
    }
    guard start != nil || all == 0 else {
      throw WrongCall("expected a context of \(given.columns.joined(separator: ",")), got a null pointer")
    }
    guard count == 1 || count == all else {
      throw WrongCall("expected a context of 1 row or \(all) rows, got \(count)")
    }
    rows = try Rows(start, count, size, of: given.columns.count, called: "a context")
  }

  /// Whether one row is for all.
  var isShared: Bool { rows?.count == 1 }

  /// The standardized context of a range of rows; one row where it is for all.
  func standardized(_ range: Range<Int>) throws -> Tensor? {
    guard let rows, let given else { return nil }
    return try rows.withTensor(isShared ? 0..<1 : range) { given.scales.standardized($0).cast(to: dtype) }
  }
}
