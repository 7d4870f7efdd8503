import CKernels
import Integration
import Tensors

/// The kernel of AUTM: it integrates numbers x [N] for a unit of time, with their derivatives by x.
///
/// The field [N, 5J + 2] holds J rates b, sizes a, slopes s, shifts c and tempos e of each number, then p
/// and q. The velocity is v′ = Σⱼ aⱼ tanh(bⱼ v + cⱼ + eⱼ t) + p v + q, and Σⱼ sⱼ (1 − tanh²) + p is its
/// derivative by v. The backward pass replays each step from its start, so memory does not grow with the
/// steps. More than 256 steps or 64 units are composed of tensor operations, which keep all steps.
struct AUTMMap: FusedPrimitive {
  let units, steps: Int

  func value(_ inputs: Operands) -> Operands {
    if !fits { return composed(inputs) }
    let (x, field) = (inputs.storage(0), inputs.storage(1))
    let (y, slope) = (Storage(like: x), Storage(like: x))
    ck_autm(x.dtype.kernel, units, steps, x.count, x.address, field.address, y.address, slope.address)
    return Operands(Tensor(y), Tensor(slope))
  }

  func composed(_ inputs: Operands) -> Operands {
    let (x, field) = (inputs[0], inputs[1])
    func part(_ i: Int) -> Tensor { field.columns(i * units..<(i + 1) * units) }
    let (rate, size, slope, shift, tempo) = (part(0), part(1), part(2), part(3), part(4))
    let (linear, constant) = (field.column(5 * units), field.column(5 * units + 1))
    var state = stack([x, .ones(x.shape, dtype: x.dtype)])
    for k in 0..<steps {
      state = rungeKutta4(
        { state, time in
          let t = tanh(rate * state[0].expanded(axis: 1) + (shift + time * tempo))
          let velocity = (size * t).sum(axis: 1) + linear * state[0] + constant
          let derivative = (slope * (1 - square(t))).sum(axis: 1) + linear
          return stack([velocity, derivative * state[1]])
        }, at: state, time: Double(k) / Double(steps), step: 1 / Double(steps))
    }
    return Operands(state[0], state[1])
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (x, field) = (inputs.storage(0), inputs.storage(1))
    let (gx, gfield) = (Storage(like: x), Storage(like: field))
    ck_autm_pullback(
      x.dtype.kernel, units, steps, x.count, g.optional(0)?.storage.address, g.optional(1)?.storage.address,
      x.address, field.address, gx.address, gfield.address)
    return Operands(Tensor(gx), Tensor(gfield))
  }

  /// Whether the kernel has room for the units and the steps.
  var fits: Bool { units <= Int(CK_AUTM_UNITS) && steps <= Int(CK_AUTM_STEPS) }
}

extension AUTMMap: RowwisePrimitive {}
