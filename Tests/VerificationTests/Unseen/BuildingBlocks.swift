import Bijections
import Randomness
import Tensors

/// A layer under test, and the shapes at which to test it.
typealias UnseenLayer = (name: String, bijection: any Bijection, inputDim: Shape, contextDim: Shape?)

func entry(
  _ name: String, _ inputDim: Shape = 3, context: Shape? = nil,
  _ make: @escaping @Sendable (Key, Site) throws(FlowError) -> Initialized
) -> UnseenLayer { (name, Lambda(make), inputDim, context) }

func spread(_ site: Site, _ values: [Double]) -> Tensor {
  Tensor((0..<site.channels).map { values[$0 % values.count] }, dtype: site.dtype)
}

func affineParams(_ site: Site) -> Params {
  ["logScale": .leaf(spread(site, [0.2, -0.3, 0.1, 0.4])), "shift": .leaf(spread(site, [0.5, -0.2, 0.3]))]
}

func zeroAffineParams(_ site: Site) -> Params {
  let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
  return ["logScale": .leaf(zeros), "shift": .leaf(zeros)]
}

func scalar(_ value: Double, _ site: Site) -> Params {
  .leaf(Tensor([value], shape: [1], dtype: site.dtype))
}

func scaled(_ params: Params, _ x: Tensor) -> Tensor { x * exp(params["logScale"]) + params["shift"] }
func unscaled(_ params: Params, _ y: Tensor) -> Tensor {
  (y - params["shift"]) * exp(-params["logScale"])
}
func total(_ params: Params, _ x: Tensor) -> Tensor {
  params["logScale"].sum().broadcast(to: [x.rows])
}

/// f(|x|) with the sign of x, with the right derivative at 0.
func odd(_ x: Tensor, _ f: (Tensor) -> Tensor) -> Tensor {
  let isAbove = x.detached .>= 0
  return select(where: isAbove, f(select(where: isAbove, x, 0)), -f(select(where: isAbove, 0, -x)))
}

/// x + a tanh x, its log-slope and its inverse, for a > −1.
func bent(_ x: Tensor, _ a: Tensor) -> Tensor { x + a * tanh(x) }
func bentSlope(_ x: Tensor, _ a: Tensor) -> Tensor { 1 + a * (1 - square(tanh(x))) }
func bentLogDet(_ x: Tensor, _ a: Tensor) -> Tensor { log(bentSlope(x, a)).sumPerRow() }
func unbent(_ y: Tensor, _ a: Tensor) -> Tensor {
  inverseOfMonotone(at: y, given: [a]) { x, p in (bent(x, p[0]), bentSlope(x, p[0])) }
}

/// The first `count` channels and the others.
func halves(_ x: Tensor, _ count: Int) -> (Tensor, Tensor) {
  (x.sliced(axis: -1, 0..<count), x.sliced(axis: -1, count..<x.shape[-1]))
}

/// The first number of each context, as a column.
func first(_ context: Tensor?) -> Tensor { context!.sliced(axis: -1, 0..<1) }
