import Tensors

/// Where a layer stands: what comes in. A new field here breaks no layer.
public struct Site: Sendable {
  /// One sample's shape.
  public var inputDim: Shape
  /// One context sample's shape, or nil for none.
  public var contextDim: Shape?
  /// Data at the layer's input, for a data-dependent start.
  public var initInputs: Tensor?
  /// Data at the layer's output instead, where the layer is run backwards.
  public var initOutputs: Tensor?
  /// The context of the initial rows.
  public var initContext: Tensor?
  /// The dtype of parameters and data.
  public var dtype: DType

  /// A place in a flow.
  public init(
    inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil, initContext: Tensor? = nil,
    dtype: DType = .float32
  ) {
    self.inputDim = inputDim
    self.contextDim = contextDim
    self.initInputs = initInputs
    self.initContext = initContext
    self.dtype = dtype
  }

  /// Throws when a caller's arguments cannot be a place.
  public func check(who: String) throws(FlowError) {
    func requireSizes(_ shape: Shape, _ what: String) throws(FlowError) {
      if shape.rank == 0 || shape.rank == Shape.maximumRank || shape.count == 0 {
        throw .mismatch(who: who, what: what, expected: "with 1 to 5 axes, none of size 0", got: "\(shape)")
      }
    }
    try requireSizes(inputDim, "inputDim")
    if let contextDim { try requireSizes(contextDim, "contextDim") }
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

  /// Throws unless a sample is a flat image.
  func checkImage(who: String) throws(FlowError) {
    if inputDim.rank != 3 {
      throw .mismatch(who: who, what: "a sample", expected: "[height, width, channels]", got: "\(inputDim)")
    }
  }

  /// The size of the last axis: features of a vector, channels of an image.
  public var channels: Int { inputDim[-1] }
  /// How often the channels stand in a sample: 1 for a vector, the number of pixels for an image.
  public var positions: Int { inputDim.count / max(channels, 1) }
}
