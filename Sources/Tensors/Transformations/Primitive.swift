/// An operation whose derivatives are known: its value, its tangent rule and its cotangent rule side by side.
///
/// Rules are written with tensor operations and only ever see values of outer levels, so a rule is differentiated like
/// anything else and transformations nest. The engine knows no primitive and a primitive knows no engine.
public protocol Primitive: Sendable {
  /// Results for values in memory.
  func value(_ inputs: Operands) -> Operands

  /// The results' tangents, given the inputs' (nil: zero) and the results `outputs`.
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands

  /// The inputs' cotangents, given the results' (nil: zero). Only those in `wanted` are used; the others may be nil.
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
}

/// A primitive with a kernel of its own for values and for one reverse pass over values.
///
/// Every other case (forward mode, nested) runs `composed`, the same expression in small primitives, so a fused
/// primitive nests for nothing and needs no tangent rule.
public protocol FusedPrimitive: Primitive {
  /// The same results by small primitives.
  func composed(_ inputs: Operands) -> Operands

  /// Whether the shards of a batch share one value of the same parameters: for work on parameters alone that is large beside
  /// that on a shard's rows. Such a primitive has no properties: all that it depends on is among its inputs.
  static var isSharedByShards: Bool { get }
}

extension FusedPrimitive {
  /// Each shard has its own.
  public static var isSharedByShards: Bool { false }

  /// Never asked for: forward mode runs `composed`.
  public func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    fatalError("forward mode runs the composed form")
  }
}

/// Which input cotangents are wanted.
public struct Wanted: Sendable {
  private let bits: UInt8
  init(_ slots: InputSlots) {
    bits = (0..<4).reduce(0) { slots[$1] >= 0 ? $0 | 1 << UInt8($1) : $0 }
  }
  /// Whether the cotangent of input `i` is wanted.
  public subscript(i: Int) -> Bool { bits & 1 << UInt8(i) != 0 }
}

/// Applies a primitive at the level of the innermost transformation among its inputs.
public func apply(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
  guard let innermost = inputs.innermost else { return primitive.value(inputs) }
  switch innermost.payload {
  case .concrete: fatalError("unreachable")
  case .dual(let dual): return applyForward(primitive, inputs, level: dual.level)
  case .traced(let traced): return traced.tape.apply(primitive, inputs)
  }
}

/// Applies a fused primitive: its kernels where they serve, its composed form elsewhere.
public func apply<P: FusedPrimitive>(_ primitive: P, _ inputs: Operands) -> Operands {
  guard let innermost = inputs.innermost else { return primitive.value(inputs) }
  if case .traced(let traced) = innermost.payload, traced.tape.sees(onlyValuesUnder: inputs) {
    if P.isSharedByShards, let shared = traced.tape.applyShared(primitive, inputs) { return shared }
    return traced.tape.apply(primitive, inputs)
  }
  return primitive.composed(inputs)
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
  /// The single result for three inputs.
  public func callAsFunction(_ a: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
    apply(self, Operands(a, b, c))[0]
  }
}
