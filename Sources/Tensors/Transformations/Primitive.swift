/// An operation with known derivatives: it states its value, its tangent rule and its cotangent rule.
///
/// The two rules are written with tensor operations, so they are differentiated like anything else and
/// transformations nest. `value` may run a loop or a kernel over memory: it reads through
/// `Operands.pointer(_:to:)` and writes into a `Storage`. Here is x³ with a loop of its own:
///
/// ```swift
/// struct Cube: Primitive {
///   func value(_ inputs: Operands) -> Operands {
///     let result = Storage(shape: inputs[0].shape, dtype: inputs[0].dtype)
///     func loop<S: Scalar>(_: S.Type) {
///       let (x, y): (UnsafePointer<S>, UnsafeMutablePointer<S>) = (inputs.pointer(0), result.pointer())
///       for i in 0..<result.shape.count { y[i] = x[i] * x[i] * x[i] }
///     }
///     result.dtype.withScalar { loop($0) }
///     return Operands(Tensor(result))
///   }
///   func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
///     Operands(3 * square(inputs[0]) * tangents[0])
///   }
///   func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
///     Operands(3 * square(inputs[0]) * g[0])
///   }
/// }
/// ```
///
/// A primitive is called as a function, `Cube()(x)`, or with `apply` where it has several results.
public protocol Primitive: Sendable {
  /// The results for inputs that are values in memory.
  func value(_ inputs: Operands) -> Operands

  /// The tangents of the results. An absent input tangent is zero, and `outputs` are the results.
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands

  /// The cotangents of the inputs, given those `g` of the results. Absent ones are zero in both.
  ///
  /// Only the cotangents in `wanted` are used.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
}

/// A primitive that also has a kernel for the reverse pass over values in memory.
///
/// Forward mode and nested transformations run `composed`, the same expression in other primitives. Therefore
/// a fused primitive nests without further rules and needs no tangent rule.
public protocol FusedPrimitive: Primitive {
  /// The same results, computed by other primitives.
  func composed(_ inputs: Operands) -> Operands

  /// Whether the shards of a batch share one value for the same parameters.
  ///
  /// This is for work on parameters alone that is large beside the work on a shard's rows. Such a primitive
  /// has no properties: everything it depends on is among its inputs, at most four.
  static var isSharedByShards: Bool { get }

  /// Whether the kernels serve gradients by row alone, so that an ordinary reverse pass runs `composed`.
  static var servesRowsAlone: Bool { get }
}

extension FusedPrimitive {
  /// Each shard computes its own value.
  public static var isSharedByShards: Bool { false }
  /// Every reverse pass runs the kernels.
  public static var servesRowsAlone: Bool { false }

  /// Stops the program: forward mode runs `composed`.
  public func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    fatalError("forward mode runs the composed form")
  }
}

/// Tells a cotangent rule which input cotangents are wanted.
public struct Wanted: Sendable {
  private let bits: UInt64

  init(_ slots: InputSlots) {
    var bits: UInt64 = 0
    for i in 0..<4 where slots[i] >= 0 { bits |= 1 << UInt64(i) }
    self.bits = bits
  }

  /// One flag for each input. Inputs from number 64 on always count as wanted.
  public init(_ flags: [Bool]) {
    bits = flags.prefix(64).enumerated().reduce(0) { $1.element ? $0 | 1 << UInt64($1.offset) : $0 }
  }

  /// Whether the cotangent of input `i` is wanted.
  public subscript(i: Int) -> Bool { i >= 64 || bits & 1 << UInt64(i) != 0 }
}

/// Applies a primitive at the level of the innermost transformation among its inputs.
public func apply(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
  guard let innermost = inputs.innermost else { return primitive.value(inputs) }
  switch innermost.payload {
  case .concrete: fatalError("unreachable")
  case .dual(let dual): return applyForward(primitive, inputs, level: dual.level)
  case .traced(let traced): return traced.tape.apply(primitive, inputs)
  case .symbolic(let symbolic): return symbolic.graph.apply(primitive, inputs)
  }
}

/// Applies a fused primitive by its kernels where they serve, and by its composed form elsewhere.
public func apply<P: FusedPrimitive>(_ primitive: P, _ inputs: Operands) -> Operands {
  guard let innermost = inputs.innermost else {
    guard P.isSharedByShards, let shared = SharedValues.ofPieces else { return primitive.value(inputs) }
    return shared.value(of: primitive, inputs, slots: InputSlots()).outputs.ownViews
  }
  if case .traced(let traced) = innermost.payload, traced.tape.sees(onlyValuesUnder: inputs) {
    if traced.tape.isByRow ? !(primitive is any RowRule) : P.servesRowsAlone {
      return primitive.composed(inputs)
    }
    if P.isSharedByShards, let shared = traced.tape.applyShared(primitive, inputs) { return shared }
    return traced.tape.apply(primitive, inputs)
  }
  return primitive.composed(inputs)
}

/// The cotangents of a primitive's inputs. The kernels of a fused primitive take cotangents that are values
/// in memory; others go through its composed form.
func cotangent(
  _ primitive: some Primitive, _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
) -> Operands {
  guard g.innermost != nil, let fused = primitive as? any FusedPrimitive else {
    return primitive.cotangent(g, inputs, outputs, wanted: wanted)
  }
  let tape = Tape()
  var followed = inputs
  for i in 0..<inputs.count where wanted[i] { followed.set(i, to: tape.leaf(inputs[i])) }
  let results = fused.composed(followed)
  let seeds = (0..<g.count).compactMap { i in g.optional(i).map { (results[i], $0) } }
  let leaves = (0..<inputs.count).filter { wanted[$0] }
  var found = Operands(absent: inputs.count)
  let cotangents = tape.cotangents(of: leaves.map { followed[$0] }, seeds: seeds, consuming: true)
  for (i, cotangent) in zip(leaves, cotangents) { found.set(i, to: cotangent) }
  return found
}

extension Primitive {
  /// The single result for one input.
  public func callAsFunction(_ a: Tensor) -> Tensor { apply(self, Operands(a))[0] }
  /// The single result for two inputs.
  public func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor { apply(self, Operands(a, b))[0] }
  /// The single result for three inputs.
  public func callAsFunction(_ a: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
    apply(self, Operands(a, b, c))[0]
  }
}

extension FusedPrimitive {
  /// The single result for one input.
  public func callAsFunction(_ a: Tensor) -> Tensor { apply(self, Operands(a))[0] }
  /// The single result for two inputs.
  public func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor { apply(self, Operands(a, b))[0] }
  /// The single result for three inputs.
  public func callAsFunction(_ a: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
    apply(self, Operands(a, b, c))[0]
  }
}
