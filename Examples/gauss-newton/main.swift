// Trains a small flow by damped Gauss-Newton steps and by Adam, and draws both losses against the steps.
// Conjugate gradients with matrix-free Jacobian products solve for each Gauss-Newton step.
//
// The loss is the mean of ½ |z|² − log|det J|. With J_z, the Jacobian of z by the parameters, the step d
// solves (J_zᵀ J_z / rows + λ) d = −gradient. The damping λ falls after a step that lowers the loss, and
// grows until one does.
//
//     swift run -c release gauss-newton [--steps 30] [--seed 0] [--output gauss-newton.svg]
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "gauss-newton", "Trains a flow by Gauss-Newton steps and by Adam.",
  options: [.init("steps", "N", default: "30", "steps of each")], output: "gauss-newton.svg")
let (key, steps) = (program.key, program.integer("steps"))

// The data are draws from a banana in double precision.
let z = key.folded(in: 0).normal([500, 2], dtype: .float64)
let first = z.sliced(axis: 1, 0..<1)
let data = concatenate([first, square(first) - 1 + 0.4 * z.sliced(axis: 1, 1..<2)], axis: 1)

let network = MLP(hidden: [16], activation: .tanh, lastWeight: .normal(standardDeviation: 0.01))
let bijection = Serial(
  ActNorm(), AffineCoupling(network), Reverse(), AffineCoupling(network), Reverse(), AffineCoupling(network))
let (initial, forward, _) = try bijection(key.folded(in: 1), inputDim: 2, initInputs: data, dtype: .float64)

func loss(_ params: Params) throws -> Tensor {
  let (z, logDet) = try forward(params, data)
  return (0.5 * square(z).sumPerRow() - logDet).mean()
}

var (params, damping) = (initial, 1e-2)
var history = [try loss(initial).item]
for step in 1...steps {
  let (value, gradient) = try valueAndGradient(at: params, loss)
  let jacobian = JacobianOperator(at: params) { try forward($0, data).outputs }
  var accepted = false
  for _ in 0..<8 where !accepted {
    let direction = try conjugateGradient(
      { try jacobian.gaussNewton($0, hessian: meanSquaredErrorHessian) + damping * $0 }, -gradient,
      iterations: 30,
      tolerance: 1e-3)
    let candidate = try params.zipLearned(with: direction) { $0 + $1 }
    accepted = try loss(candidate).item < value.item
    if accepted { params = candidate }
    damping *= accepted ? 0.5 : 4
  }
  history.append(try loss(params).item)
  if step % 5 == 0 {
    print("Gauss-Newton, step \(step): \(decimals(history[step], 4)) nats, damping \(damping)")
  }
}

let optimizer = Adam(learningRate: 1e-2)
var (other, state) = (initial, optimizer.initialize(initial))
var adam = [history[0]]
for _ in 1...steps {
  let gradient = try gradient(at: other, loss)
  (other, state) = try optimizer.update(gradient, state, other)
  adam.append(try loss(other).item)
}
print(
  "after \(steps) steps: Gauss-Newton \(decimals(history[steps], 4)), Adam "
    + "\(decimals(adam[steps], 4)) nats (without the constant)"
)

program.write(
  LineChart(
    "Two ways to train a flow", series: [.init("Gauss-Newton", history), .init("Adam", adam)],
    xLabel: "step", yLabel: "loss in nats"))
try program.finish(["gauss_newton_nats": history[steps], "adam_nats": adam[steps], "steps": steps])
