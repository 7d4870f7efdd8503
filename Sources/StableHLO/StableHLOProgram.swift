import Tensors

/// A function of tensors as a program in StableHLO, the portable language of XLA.
///
/// ```swift
/// let program = try StableHLOProgram("logPDF", of: [.init([256, 5], .float32)]) { inputs in
///   [try logPDF(params, inputs[0])]
/// }
/// print(program.text)
/// ```
///
/// Tracing calls the function once with values that have shapes and no numbers. The program holds all
/// operations that the function does on them, derivatives included. Tensors that the function captures are
/// constants. Products are at the highest precision. An engine chooses the order of sums, so results agree
/// with this library's to rounding, not to the bit.
///
/// Parts that occur several times, such as equal layers and their derivatives, are private functions.
/// Loops over numbers, such as the inverse of an autoregressive flow, are loops in the program. Rows outside
/// a support get −∞ as they do here. A program checks no values, so rows outside a domain are no errors.
public struct StableHLOProgram: Sendable {
  /// The shapes and dtypes of the arguments.
  public let arguments: [Kind]
  /// The shapes and dtypes of the results.
  public let results: [Kind]
  /// The program as text, with one public function `main` and private ones that it calls.
  public let text: String

  /// The shape and the dtype of a tensor.
  public struct Kind: Sendable, Hashable {
    /// The shape.
    public let shape: Shape
    /// The dtype.
    public let dtype: DType
    /// Makes a kind.
    public init(_ shape: Shape, _ dtype: DType) { (self.shape, self.dtype) = (shape, dtype) }
  }

  /// Traces a function.
  ///
  /// - Parameters:
  ///   - name: the name of the module, and in errors.
  ///   - arguments: the kinds of the arguments.
  ///   - function: a pure function of tensors.
  /// - Throws: `FlowError.mismatch` with the reason for a function that reads numbers of its arguments, or
  ///   does an operation without a form in StableHLO. Rethrows the errors of the function.
  public init(_ name: String, of arguments: [Kind], _ function: ([Tensor]) throws -> [Tensor]) throws {
    try self.init(tracing: name, of: arguments) { try function($1) }
  }

  /// Traces a function that adds arguments of its own to the graph.
  package init(
    tracing name: String, of arguments: [Kind], _ function: (Graph, [Tensor]) throws -> [Tensor]
  ) throws {
    let graph = try Graph.trace(name, of: arguments.map { ($0.shape, $0.dtype) }, function)
    func kinds(_ values: [Graph.Value]) -> [Kind] {
      values.map { value in
        let tensor = graph.tensor(value)
        return Kind(tensor.shape, tensor.dtype)
      }
    }
    (self.arguments, results) = (kinds(graph.arguments), kinds(graph.results))
    text = graph.module(name)
  }
}
