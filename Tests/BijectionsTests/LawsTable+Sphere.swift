import Bijections
import Networks
import Tensors
import TestSupport
import Verification

private let net = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)

/// Points of the sphere: near a pole, near the cut of the angle, and elsewhere.
private let points: Tensor = {
  let angles = Tensor([[0.3, 0.999], [3.1, -0.9], [-3.1, 0.2], [1.6, 0], [-0.5, 0.6]], dtype: .float64)
  let (angle, height) = (angles.sliced(axis: 1, 0..<1), angles.sliced(axis: 1, 1..<2))
  let radius = sqrt(1 - square(height))
  return concatenate([radius * cos(angle), radius * sin(angle), height], axis: 1)
}()

/// The chart of the sphere is Lambert's projection around another point, which keeps areas.
let sphereRows: [LawsRow] = [
  LawsRow(name: "WrappedAngles", bijection: WrappedAngles(), inputDim: 3, inputs: wave([9, 3])),
  // Latents are tried for as many rows as there are inputs; the fourth is beyond the cylinder's ends.
  LawsRow(name: "SphereToCylinder", bijection: SphereToCylinder(), inputDim: 3, inputs: points[0..<3]),
  LawsRow(
    name: "CylinderToSphere, context", bijection: CylinderToSphere(), inputDim: 2, contextDim: 1,
    inputs: 0.9 * wave([9, 2])),
  LawsRow(name: "SphereRadial", bijection: SphereRadial(), inputDim: 3, inputs: points),
  LawsRow(name: "Inverted SphereRadial", bijection: Inverted(SphereRadial()), inputDim: 3, inputs: points),
  LawsRow(name: "SphereMobius", bijection: SphereMobius(), inputDim: 3, inputs: points),
  LawsRow(name: "Inverted SphereMobius", bijection: Inverted(SphereMobius()), inputDim: 3, inputs: points),
  LawsRow(
    name: "SphereMobius, between spheres and cylinder",
    bijection: Serial(
      SphereMobius(), SphereToCylinder(), Coupling(net, Shift(), split: .mask([false, true])),
      CylinderToSphere()), inputDim: 3, inputs: points),
]
