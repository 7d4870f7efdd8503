import Tensors
import TestSupport
import Testing

/// x³ by a loop: the shortest primitive with a kernel of its own, written with public symbols alone.
private struct Cube: Primitive {
  func value(_ inputs: Operands) -> Operands {
    let result = Storage(shape: inputs[0].shape, dtype: inputs[0].dtype)
    func loop<S: Scalar>(_: S.Type) {
      let (x, y): (UnsafePointer<S>, UnsafeMutablePointer<S>) = (inputs.pointer(0), result.pointer())
      for i in 0..<result.shape.count { y[i] = x[i] * x[i] * x[i] }
    }
    result.dtype.withScalar { loop($0) }
    return Operands(Tensor(result))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(3 * square(inputs[0]) * tangents[0])
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(3 * square(inputs[0]) * g[0])
  }
}

/// (a · b, a + b) by one loop each way, fused: two results, one of which may have no cotangent.
private struct ProductAndSum: FusedPrimitive {
  func value(_ inputs: Operands) -> Operands {
    let (shape, dtype) = (inputs[0].shape, inputs[0].dtype)
    let (product, sum) = (Storage(shape: shape, dtype: dtype), Storage(shape: shape, dtype: dtype))
    func loop<S: Scalar>(_: S.Type) {
      let (a, b): (UnsafePointer<S>, UnsafePointer<S>) = (inputs.pointer(0), inputs.pointer(1))
      let (p, s): (UnsafeMutablePointer<S>, UnsafeMutablePointer<S>) = (product.pointer(), sum.pointer())
      for i in 0..<shape.count { (p[i], s[i]) = (a[i] * b[i], a[i] + b[i]) }
    }
    dtype.withScalar { loop($0) }
    return Operands(Tensor(product), Tensor(sum))
  }

  func composed(_ inputs: Operands) -> Operands {
    Operands(inputs[0] * inputs[1], inputs[0] + inputs[1])
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (shape, dtype) = (inputs[0].shape, inputs[0].dtype)
    let (ga, gb) = (Storage(shape: shape, dtype: dtype), Storage(shape: shape, dtype: dtype))
    let zero = Tensor.zeros(shape, dtype: dtype)
    let given = Operands(g.optional(0) ?? zero, g.optional(1) ?? zero)
    func loop<S: Scalar>(_: S.Type) {
      let (a, b): (UnsafePointer<S>, UnsafePointer<S>) = (inputs.pointer(0), inputs.pointer(1))
      let (p, s): (UnsafePointer<S>, UnsafePointer<S>) = (given.pointer(0), given.pointer(1))
      let (x, y): (UnsafeMutablePointer<S>, UnsafeMutablePointer<S>) = (ga.pointer(), gb.pointer())
      for i in 0..<shape.count { (x[i], y[i]) = (p[i] * b[i] + s[i], p[i] * a[i] + s[i]) }
    }
    dtype.withScalar { loop($0) }
    withExtendedLifetime(given) {}
    return Operands(Tensor(ga), Tensor(gb))
  }
}

/// The sum of i · xᵢ over any number of inputs x₁, x₂, ...
private struct WeightedSum: Primitive {
  private func sum(_ tensors: Operands) -> Tensor? {
    (0..<tensors.count).reduce(nil) { total, i in
      guard let term = tensors.optional(i).map({ Double(i + 1) * $0 }) else { return total }
      return total.map { $0 + term } ?? term
    }
  }
  func value(_ inputs: Operands) -> Operands { Operands(sum(inputs)) }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(sum(tangents))
  }
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands((0..<inputs.count).map { wanted[$0] ? Double($0 + 1) * g[0] : nil })
  }
}

/// Primitives of one's own, written without access to anything internal.
@Suite struct OwnPrimitiveTests {
  private static let rows: [PrimitiveRow] =
    [
      .unary("cube", at: wave([3, 5], phase: 1)) { Cube()($0) },
      PrimitiveRow("product and sum", [wave([7]), wave([7], phase: 2)]) {
        let results = apply(ProductAndSum(), Operands($0[0], $0[1]))
        return concatenate([results[0], square(results[1])], axis: 0)
      },
      PrimitiveRow("product alone", [wave([7]), wave([7], phase: 2)]) { ProductAndSum()($0[0], $0[1]) },
    ]
    + [1, 4, 5, 70].map { count in
      PrimitiveRow("sum of \(count)", (0..<count).map { wave([2], phase: Double($0)) }) {
        apply(WeightedSum(), Operands($0))[0]
      }
    }

  @Test func values() {
    let x = wave([4, 3])
    #expect(Cube()(x).isIdentical(to: x * x * x))
    #expect(disagreement(ProductAndSum(), [x, wave([4, 3], phase: 3)]) < 1e-15)
    #expect(apply(WeightedSum(), Operands((1...6).map { Tensor([Double($0)]) }))[0].item == 91)
  }

  @Test(arguments: rows) func rules(_ row: PrimitiveRow) {
    #expect(row.checkTangents() == [])
    #expect(row.checkCotangents() == [])
    #expect(row.checkNesting() == [])
    #expect(row.checkSinglePrecision() == [])
  }

  /// A constant among many inputs stays one, and several may be followed at once.
  @Test func someOfManyInputs() {
    let constants = (0..<4).map { wave([2], phase: Double($0)) }
    let (_, gradient) = valueAndGradient(at: ["a": .leaf(wave([2])), "b": .leaf(wave([2]))]) { params in
      apply(WeightedSum(), Operands([params["a"]] + constants + [params["b"]]))[0].sum()
    }
    #expect(gradient["a"].doubles == [1, 1] && gradient["b"].doubles == [6, 6])
  }
}
