/// An immutable array of numbers with a shape.
///
/// A tensor is one of four things: values in memory, a dual number (forward mode), a value that a tape
/// follows (reverse mode), or one that a graph follows (tracing). No operation above this module can tell
/// which. The parts of a dual or traced tensor are tensors themselves, so transformations nest in any order.
public struct Tensor: Sendable {
  let payload: Payload

  enum Payload: Sendable {
    case concrete(Storage)
    case dual(Dual)
    case traced(Traced)
    case symbolic(Symbolic)
  }

  /// A tensor of values that a kernel has written.
  public init(_ storage: Storage) { payload = .concrete(storage) }
  init(_ dual: Dual) { payload = .dual(dual) }
  init(_ traced: Traced) { payload = .traced(traced) }
  init(_ symbolic: Symbolic) { payload = .symbolic(symbolic) }

  /// The level of the innermost transformation that follows this value; 0 for values in memory.
  var level: Int {
    switch payload {
    case .concrete: 0
    case .dual(let dual): dual.level
    case .traced(let traced): traced.tape.level
    case .symbolic(let symbolic): symbolic.graph.level
    }
  }

  /// Whether no transformation follows this value.
  package var isConcrete: Bool { level == 0 }

  /// Whether a transformation computes a derivative through this value.
  package var isDifferentiated: Bool {
    switch payload {
    case .concrete, .symbolic: false
    case .dual, .traced: true
    }
  }

  /// The same values without derivatives. Every transformation treats the result as a constant.
  public var detached: Tensor {
    var tensor = self
    while true {
      switch tensor.payload {
      case .concrete, .symbolic: return tensor
      case .dual(let dual): tensor = dual.primal
      case .traced(let traced): tensor = traced.primal
      }
    }
  }

  /// The values in memory.
  package var storage: Storage {
    if case .concrete(let storage) = payload { return storage }
    switch detached.payload {
    case .concrete(let storage): return storage
    case .symbolic(let symbolic):
      // The trace goes on with any numbers, and its result is not used.
      symbolic.graph.fail("it depends on the numbers of a batch")
      return Tensor.zeros(symbolic.shape, dtype: symbolic.dtype).storage
    case .dual, .traced: fatalError("unreachable")
    }
  }

  /// The same values behind an object of its own, if they are values in memory.
  var ownView: Tensor {
    guard case .concrete(let storage) = payload else { return self }
    return Tensor(Storage(viewing: storage, from: 0, shape: storage.shape))
  }

  /// The sizes of the axes. Axis 0 is the batch wherever there is one.
  public var shape: Shape {
    switch payload {
    case .concrete(let storage): storage.shape
    case .dual(let dual): dual.primal.shape
    case .traced(let traced): traced.primal.shape
    case .symbolic(let symbolic): symbolic.shape
    }
  }
  /// The type of the elements.
  public var dtype: DType {
    switch payload {
    case .concrete(let storage): storage.dtype
    case .dual(let dual): dual.primal.dtype
    case .traced(let traced): traced.primal.dtype
    case .symbolic(let symbolic): symbolic.dtype
    }
  }
  /// The number of axes.
  public var rank: Int { shape.rank }
  /// The number of elements.
  public var count: Int { shape.count }
  /// The size of axis 0.
  ///
  /// - Precondition: rank at least 1.
  public var rows: Int { shape[0] }
}
