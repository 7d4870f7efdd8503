import Integration
import Tensors

/// The x with Φ(x; θ) = y for one step Φ of a motion: the step back is the guess.
///
/// Values: Newton's method up to four numbers. For more, x ← x + (y − Φ(x)), which contracts by about the
/// step times the field's Lipschitz constant. Rows where one of them fails try the other. A row stops by
/// itself.
///
/// Derivatives follow from the implicit function theorem, in forward and reverse mode and of every order:
///
///     dx = J⁻¹ (dy − ∂Φ/∂θ dθ)   and, for a cotangent g of x:   ȳ = J⁻ᵀ g,   θ̄ = −(∂Φ/∂θ)ᵀ ȳ.
///
/// They cost D Jacobian-vector products and O(D³).
struct StepInverse: Primitive, Lowered {
  let motion: Motion
  let times: StepTimes
  let wayBack: StepTimes
  /// The parameters and the context, whose tensors are the inputs after y.
  let frame: Arguments

  func callAsFunction(_ y: Tensor, _ params: Params, _ context: Tensor?) -> Tensor {
    let point = Arguments(inputs: [y], params: params, context: context)
    return apply(self, Operands(point.tensors))[0]
  }

  private func arguments(_ tensors: [Tensor]) -> Arguments { frame.replaced(by: tensors) }

  private func step(_ point: Arguments) -> Tensor {
    motion.moved(point.params, point.inputs[0], point.context, times)
  }

  private func jacobians(_ point: Arguments) -> Tensor {
    let columns = jacobianColumns(
      of: { motion.moved(point.params, $0, point.context, times) }, at: point.inputs[0]
    ).columns
    return stack(columns, axis: 2)
  }

  // MARK: - Values

  func value(_ inputs: Operands) -> Operands {
    let point = arguments(inputs.present)
    let y = point.inputs[0]
    let guess = motion.moved(point.params, y, point.context, wayBack)
    var (x, open) = (guess, Array(0..<y.rows))
    for isNewton in [motion.size <= 4, motion.size > 4] where !open.isEmpty {
      let context = point.context?.rows(open)
      let (found, failed) = solved(
        y.rows(open), guess.rows(open), point.params, context, isNewton: isNewton)
      x = x.replacing(rows: open, by: found)
      open = failed.map { open[$0] }
    }
    return Operands(x.spoiled(in: open))
  }

  /// Iterates from a guess. Returns the results, and the rows that did not converge.
  private func solved(
    _ y: Tensor, _ guess: Tensor, _ params: Params, _ context: Tensor?, isNewton: Bool
  ) -> (x: Tensor, failed: [Int]) {
    var (x, active, failed) = (guess, Array(0..<y.rows), [Int]())
    var least = [Double](repeating: .infinity, count: y.rows)
    let epsilon = y.dtype.epsilon
    for _ in 0..<(isNewton ? 20 : 100) where !active.isEmpty {
      let (own, target, context) = (x.rows(active), y.rows(active), context?.rows(active))
      let point = Arguments(inputs: [own], params: params, context: context)
      let residual = target - step(point)
      let change =
        isNewton ? Elimination(of: jacobians(point), with: residual, pivots: true).solutions : residual
      let sizes = abs(residual).max(axis: 1).doubles
      let scales = maximum(abs(target), abs(own)).max(axis: 1).doubles
      x = x.replacing(rows: active, by: own + change)
      var rest: [Int] = []
      for (i, row) in active.enumerated() {
        let scale = epsilon * max(scales[i], 1)
        let isStalled = sizes[i] >= 0.9 * least[row]
        if sizes[i] <= 0.5 * scale || (isStalled && sizes[i] <= 64 * scale) { continue }
        if !(sizes[i] <= 100 * least[row]) { failed.append(row) } else { rest.append(row) }
        least[row] = min(least[row], sizes[i])
      }
      active = rest
    }
    return (x, (failed + active).sorted())
  }

  /// Twenty steps of Newton's method or a hundred fixed-point steps, for a graph. Rows that do not converge
  /// are NaN.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let point = arguments(inputs.present)
    let (y, isNewton) = (point.inputs[0], motion.size <= 4)
    func residual(_ x: Tensor) -> (Arguments, Tensor) {
      let own = Arguments(inputs: [x], params: point.params, context: point.context)
      return (own, y - step(own))
    }
    let guess = motion.moved(point.params, y, point.context, wayBack)
    let x = graph.loop(isNewton ? 20 : 100, [guess]) { _, x in
      let (own, rest) = residual(x[0])
      return [
        x[0]
          + (isNewton ? Elimination(of: jacobians(own), with: rest, pivots: true).solutions : rest)
      ]
    }[0]
    let scale = maximum(maximum(abs(y), abs(x)).max(axis: 1, keepDims: true), 1)
    let isFound = abs(residual(x).1).max(axis: 1, keepDims: true) .<= 64 * y.dtype.epsilon * scale
    return Operands(select(where: isFound.broadcast(to: x.shape), x, .nan))
  }

  // MARK: - Derivatives

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let tensors = [outputs[0]] + inputs.present.dropFirst()
    var total = tangents.optional(0)
    for i in 1..<tensors.count {
      guard let direction = tangents.optional(i) else { continue }
      let change = jvp(at: tensors[i], along: direction) { tensor in
        var all = tensors
        all[i] = tensor
        return step(arguments(all))
      }.tangent
      total = total.map { $0 - change } ?? -change
    }
    guard let total else { return Operands(absent: 1) }
    return Operands(Elimination(of: jacobians(arguments(tensors)), with: total, pivots: true).solutions)
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let tensors = [outputs[0]] + inputs.present.dropFirst()
    let transposed = jacobians(arguments(tensors)).swappingAxes(1, 2)
    let byOutput = Elimination(of: transposed, with: g[0], pivots: true).solutions
    let others = (0..<tensors.count).map { $0 > 0 && wanted[$0] }
    var result = Operands(absent: tensors.count)
    if wanted[0] { result.set(0, to: byOutput) }
    if !others.contains(true) { return result }
    let (_, pullback) = pullbackOnce(at: tensors, wanted: others) { [step(arguments($0))] }
    for (i, cotangent) in pullback([-byOutput]).enumerated() where others[i] { result.set(i, to: cotangent) }
    return result
  }
}

extension Operands {
  /// The tensors of a list without absent ones.
  fileprivate var present: [Tensor] { (0..<count).map { self[$0] } }

  /// Any number of tensors.
  init(_ tensors: [Tensor]) {
    self.init(absent: tensors.count)
    for (i, tensor) in tensors.enumerated() { set(i, to: tensor) }
  }
}

extension Tensor {
  /// The tensor with some rows replaced.
  func replacing(rows: [Int], by values: Tensor) -> Tensor {
    if rows.count == self.rows { return values.rows(inverted(rows)) }
    var places = Array(0..<self.rows)
    for (i, row) in rows.enumerated() { places[row] = self.rows + i }
    return concatenate([self, values], axis: 0).rows(places)
  }
}
