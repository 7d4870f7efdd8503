import Tensors

/// A primitive, and inputs at which it is smooth: a row of a table whose every rule is checked.
///
/// Each check returns one line for each input that fails.
public struct PrimitiveRow: Sendable {
  /// The name of the row.
  public let name: String
  /// The inputs, float64.
  public let inputs: [Tensor]
  /// The primitive.
  public let function: @Sendable ([Tensor]) -> Tensor

  /// A primitive of any number of inputs.
  public init(_ name: String, _ inputs: [Tensor], _ function: @escaping @Sendable ([Tensor]) -> Tensor) {
    (self.name, self.inputs, self.function) = (name, inputs, function)
  }

  /// A primitive of one input.
  public static func unary(
    _ name: String, at x: Tensor, _ f: @escaping @Sendable (Tensor) -> Tensor
  ) -> PrimitiveRow {
    PrimitiveRow(name, [x]) { f($0[0]) }
  }

  /// Compares the value under forward mode with the plain one, and tangents with finite differences.
  public func checkTangents() -> [String] {
    check { x, v, f in
      let (value, tangent) = jvp(at: x, along: v, f)
      return value.isIdentical(to: f(x)) && isClose(tangent, difference(f, at: x, along: v), 1e-7)
    }
  }

  /// Compares cotangents with finite differences.
  public func checkCotangents() -> [String] {
    check { x, v, f in
      isClose((gradient(at: x, f) * v).sum(), difference(f, at: x, along: v), 1e-7)
    }
  }

  /// Compares second derivatives, nested in three ways, with finite differences of the gradient. Another
  /// derivative follows the cotangents alone, by a factor of the function.
  public func checkNesting() -> [String] {
    check { x, v, f in
      let byFactor = gradient(at: Tensor(2, dtype: .float64)) { factor in
        (gradient(at: x) { factor * f($0) } * v).sum()
      }
      guard isClose(byFactor, (gradient(at: x, f) * v).sum(), 1e-9) else { return false }
      let differences = difference({ gradient(at: $0, f) }, at: x, along: v)
      return [
        jvp(at: x, along: v) { gradient(at: $0, f) }.tangent,
        gradient(at: x) { jvp(at: $0, along: v, f).tangent },
        gradient(at: x) { (gradient(at: $0, f) * v).sum() },
      ].allSatisfy { isClose($0, differences, 1e-6) }
    }
  }

  /// Compares the value in float32 with that in float64.
  public func checkSinglePrecision() -> [String] {
    let single = function(inputs.map { $0.cast(to: .float32) })
    let agrees =
      single.dtype == .float32 && isClose(single.cast(to: .float64), function(inputs), 1e-5)
    return agrees ? [] : ["\(name): float32 differs from float64"]
  }

  /// Calls `holds` for each input x with a direction v and a scalar function of x. Its second derivative is
  /// not zero.
  private func check(
    _ holds: (_ x: Tensor, _ v: Tensor, _ f: @escaping (Tensor) -> Tensor) -> Bool
  ) -> [String] {
    inputs.indices.compactMap { i in
      let isRight = holds(inputs[i], wave(inputs[i].shape, phase: 9)) { x in
        var inputs = inputs
        inputs[i] = x
        let y = function(inputs)
        return (y * wave(y.shape, phase: 5) + 0.5 * square(y)).sum()
      }
      return isRight ? nil : "\(name): input \(i)"
    }
  }

  private func difference(_ f: (Tensor) -> Tensor, at x: Tensor, along v: Tensor) -> Tensor {
    (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6
  }
}

/// The largest difference between a fused primitive and its composition, relative to the largest value.
///
/// It covers values, and cotangents of all inputs but the last `constants`.
public func disagreement(
  _ primitive: some FusedPrimitive, _ inputs: [Tensor], constants: Int = 0
) -> Double {
  func relative(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.shape == b.shape else { return .infinity }
    let largest = b.doubles.map { $0.magnitude }.max() ?? 0
    return ((a - b).doubles.map { $0.magnitude }.max() ?? 0) / max(largest, 1)
  }
  func score(_ outputs: Operands) -> Tensor {
    (0..<2).reduce(Tensor(0, dtype: inputs[0].dtype)) { sum, i in
      guard i < outputs.count, let y = outputs.optional(i) else { return sum }
      return sum + (wave(y.shape, dtype: y.dtype) * y).sum()
    }
  }
  let (fused, composed) = (primitive.value(Operands(inputs)), primitive.composed(Operands(inputs)))
  var worst = (0..<fused.count).map { relative(fused[$0], composed[$0]) }.max() ?? .infinity
  for i in inputs.indices.dropLast(constants) {
    func derivative(_ body: (Operands) -> Operands) -> Tensor {
      gradient(at: inputs[i]) { x in
        var all = inputs
        all[i] = x
        return score(body(Operands(all)))
      }
    }
    worst = max(worst, relative(derivative { apply(primitive, $0) }, derivative(primitive.composed)))
  }
  return worst
}

/// Whether a fused primitive and its composition have the same bits: the values, and the cotangents of all
/// inputs at once.
public func hasBitsOfItsComposition(_ primitive: some FusedPrimitive, _ inputs: [Tensor]) -> Bool {
  func slopes(_ function: (Operands) -> Operands) -> [Tensor] {
    gradient(at: Params(inputs.map { .leaf($0) })) { params in
      let outputs = function(Operands(params.leaves))
      return (0..<outputs.count).reduce(Tensor(0, dtype: inputs[0].dtype)) { sum, i in
        sum + (wave(outputs[i].shape, phase: Double(i), dtype: outputs[i].dtype) * outputs[i]).sum()
      }
    }.leaves
  }
  func same(_ a: [Tensor], _ b: [Tensor]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.isIdentical(to: $1) }
  }
  let (fused, composed) = (primitive.value(Operands(inputs)), primitive.composed(Operands(inputs)))
  let (own, reference) = (slopes { apply(primitive, $0) }, slopes(primitive.composed))
  return same(own, reference)
    && same((0..<fused.count).map { fused[$0] }, (0..<composed.count).map { composed[$0] })
}
