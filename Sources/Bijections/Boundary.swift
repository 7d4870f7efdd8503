import Tensors

/// The checks of a callable value: it compares a caller's parameters, inputs and context with the shapes,
/// dtypes and values promised at initialization.
public struct Boundary: Sendable {
  /// The name in errors.
  public internal(set) var name: String
  /// The shape and the allowed values of one input sample.
  public let domain: Domain
  /// One context sample's shape, or nil for none.
  public let contextDim: Shape?
  /// The dtype of parameters, inputs and context.
  public let dtype: DType
  /// The expected structure of the parameters. Nil accepts every tree.
  var structure: Tree<Leaf>?

  /// The shape, the dtype and, for indices, the values that a parameter must have.
  struct Leaf: Sendable, Hashable, CustomStringConvertible {
    let shape: Shape
    let dtype: DType
    /// The allowed indices, for a leaf of indices. A tree from a file can hold any number.
    let indices: Range<Int>?
    let isPermutation: Bool

    init(_ tensor: Tensor) {
      (shape, dtype) = (tensor.shape, tensor.dtype)
      let values = tensor.dtype == .int32 ? tensor.ints : nil
      indices = values.map { 0..<($0.max() ?? -1) + 1 }
      isPermutation = values.map { Leaf.distinct($0, in: 0..<$0.count) } ?? false
    }

    func admits(_ tensor: Tensor) -> Bool {
      guard tensor.shape == shape, tensor.dtype == dtype else { return false }
      guard let indices else { return true }
      return isPermutation
        ? Leaf.distinct(tensor.ints, in: indices) : tensor.ints.allSatisfy(indices.contains)
    }

    private static func distinct(_ values: [Int], in range: Range<Int>) -> Bool {
      var isSeen = [Bool](repeating: false, count: range.count)
      for value in values {
        guard range.contains(value), !isSeen[value] else { return false }
        isSeen[value] = true
      }
      return true
    }

    var description: String {
      let content = indices.map { isPermutation ? " a permutation" : " indices in \($0)" } ?? ""
      return "\(shape) \(dtype)\(content)"
    }
  }

  /// Makes the checks of a callable value, without those of parameters.
  public init(_ name: String, domain: Domain, contextDim: Shape?, dtype: DType) {
    (self.name, self.domain, self.contextDim, self.dtype) = (name, domain, contextDim, dtype)
  }

  /// The same boundary, which accepts parameter trees of this structure only.
  public func expecting(_ params: Params) -> Boundary {
    var boundary = self
    boundary.structure = params.map(Leaf.init)
    return boundary
  }

  /// Throws unless parameters, inputs and context fit.
  public func check(_ params: Params, _ inputs: Tensor, given context: Tensor?) throws(FlowError) {
    try checkShapes(params, inputs, given: context)
    try domain.check(inputs, who: name)
  }

  /// Throws unless parameters, inputs and context fit. Inputs may have any values.
  public func checkShapes(_ params: Params, _ inputs: Tensor, given context: Tensor?) throws(FlowError) {
    try check(params)
    try checkRows(inputs, of: domain.shape, what: "inputs")
    try check(context, rows: inputs.rows)
  }

  /// Throws unless the parameter tree has the structure, shapes and dtypes of the initial one.
  public func check(_ params: Params) throws(FlowError) {
    if let structure, !Self.matches(structure, params) {
      throw .structure(who: name, expected: structure.outline, got: params.outline)
    }
  }

  /// Throws unless a context is given exactly when one is expected, with one row per input row.
  public func check(_ context: Tensor?, rows: Int) throws(FlowError) {
    if (context == nil) != (contextDim == nil) {
      throw .mismatch(
        who: name, what: "context", expected: contextDim.map { "shape [rows] + \($0)" } ?? "none",
        got: context.map { "shape \($0.shape)" } ?? "none")
    }
    guard let contextDim, let context else { return }
    try checkRows(context, of: contextDim, what: "context")
    if context.rows != rows {
      throw .mismatch(who: name, what: "context", expected: "\(rows) rows", got: "\(context.rows)")
    }
  }

  private func checkRows(_ x: Tensor, of sample: Shape, what: String) throws(FlowError) {
    if x.rank != sample.rank + 1 || x.shape.sample != sample {
      throw .mismatch(who: name, what: "\(what) of shape", expected: "[rows] + \(sample)", got: "\(x.shape)")
    }
    if x.dtype != dtype {
      throw .mismatch(who: name, what: "\(what) of dtype", expected: "\(dtype)", got: "\(x.dtype)")
    }
  }

  private static func matches(_ structure: Tree<Leaf>, _ params: Params) -> Bool {
    switch structure {
    case .branch(let a):
      guard case .branch(let b) = params, a.count == b.count else { return false }
      return a.indices.allSatisfy { a[$0].label == b[$0].label && matches(a[$0].tree, b[$0].tree) }
    case .leaf(let leaf):  // a caller may freeze what could be learned
      return params.value.map(leaf.admits) ?? false
    case .frozen(let leaf):
      if case .frozen(let tensor) = params { return leaf.admits(tensor) }
      return false
    }
  }
}
