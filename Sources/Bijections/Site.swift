import Tensors

/// The input of a layer within a flow: shapes, dtype and data for the initial parameters. A new field here
/// breaks no layer.
public struct Site: Sendable {
  /// One sample's shape.
  public var inputDim: Shape
  /// One context sample's shape, or nil for none.
  public var contextDim: Shape?
  /// Data at the layer's input, for a data-dependent start.
  public var initInputs: Tensor?
  /// Data at the layer's output instead, for a layer that runs backwards.
  public var initOutputs: Tensor?
  /// The context of the initial rows.
  public var initContext: Tensor?
  /// The dtype of parameters and data.
  public var dtype: DType

  /// Describes the input of a layer.
  public init(
    inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil, initContext: Tensor? = nil,
    dtype: DType = .float32
  ) {
    (self.inputDim, self.contextDim, self.dtype) = (inputDim, contextDim, dtype)
    (self.initInputs, self.initContext) = (initInputs, initContext)
  }

  /// Throws for empty shapes, a dtype that is not floating point, and initial inputs that do not fit.
  public func check(who: String) throws(FlowError) {
    for case (let what, let shape?) in [("inputDim", inputDim), ("contextDim", contextDim)]
    where shape.rank == 0 || shape.rank == Shape.maximumRank || shape.count == 0 {
      throw .mismatch(who: who, what: what, expected: "with 1 to 5 axes, none of size 0", got: "\(shape)")
    }
    if !dtype.isFloatingPoint {
      throw .mismatch(who: who, what: "dtype", expected: "float32 or float64", got: "\(dtype)")
    }
    guard let initInputs else { return }
    try Boundary("\(who) initInputs", domain: Domain(inputDim), contextDim: contextDim, dtype: dtype)
      .check(.empty, initInputs, given: initContext)
    if initInputs.rows == 0 {
      throw .mismatch(who: who, what: "initInputs", expected: "at least one row", got: "\(initInputs.shape)")
    }
    if let position = initInputs.firstNonFinite {
      throw .notFinite(who: who, what: "initInputs", row: position / inputDim.count)
    }
  }

  /// Throws a `mismatch` that names the input's shape unless the condition holds.
  public func expect(
    _ condition: Bool, _ who: String, _ what: String, _ expected: @autoclosure () -> String
  ) throws(FlowError) {
    if !condition { throw .mismatch(who: who, what: what, expected: expected(), got: "\(inputDim)") }
  }

  /// Throws a `mismatch` for a constant that overflows in the dtype. A constant that is not 0 must not become
  /// 0 either, unless `orZero`.
  package func check(
    _ what: String, _ value: Double, of who: String, orZero: Bool = false
  ) throws(FlowError) {
    let held = dtype.rounded(value)
    if held.isFinite && (held != 0 || value == 0 || orZero) { return }
    throw .mismatch(who: who, what: what, expected: "that \(dtype) can hold", got: "\(value)")
  }

  /// Checks each number of a constant tensor.
  package func check(
    _ what: String, _ values: Tensor, of who: String, orZero: Bool = false
  ) throws(FlowError) {
    for value in values.doubles { try check(what, value, of: who, orZero: orZero) }
  }

  /// Throws unless samples have the axes of an image.
  func checkImage(who: String) throws(FlowError) {
    try expect(inputDim.rank == 3, who, "a sample", "[height, width, channels]")
  }

  /// The size of the last axis: the features of a vector, or the channels of an image.
  public var channels: Int { inputDim[-1] }
  /// The number of positions in a sample: 1 for a vector, the number of pixels for an image.
  public var positions: Int { inputDim.count / max(channels, 1) }
}
