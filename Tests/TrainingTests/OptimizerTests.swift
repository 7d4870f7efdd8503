import Tensors
import TestSupport
import Testing
import Training

struct OptimizerRow: Sendable, CustomTestStringConvertible {
  let name: String
  let optimizer: any Optimizer
  /// How many steps Rosenbrock's function takes to come down from 101 to 0.02.
  var valleySteps = 1_500
  /// After how many updates all of the state has been looked at.
  var period = 1
  var testDescription: String { name }
}

private let decay = Schedule.cosine(0.1, steps: 1_500)

let optimizerTable: [OptimizerRow] = [
  OptimizerRow(name: "SGD", optimizer: SGD(learningRate: 1.5e-3), valleySteps: 2_500),
  OptimizerRow(name: "SGD, momentum", optimizer: SGD(learningRate: 5e-4, momentum: 0.9)),
  OptimizerRow(name: "SGD, Nesterov", optimizer: SGD(learningRate: 5e-4, momentum: 0.9, nesterov: true)),
  OptimizerRow(name: "Adam", optimizer: Adam(learningRate: decay)),
  OptimizerRow(name: "AdamW", optimizer: AdamW(learningRate: decay, weightDecay: 1e-6)),
  OptimizerRow(name: "RMSProp", optimizer: RMSProp(learningRate: .cosine(0.02, steps: 1_500))),
  OptimizerRow(name: "Adagrad", optimizer: Adagrad(learningRate: 0.5)),
  OptimizerRow(
    name: "clip, Adam, warm-up",
    optimizer: Chain(
      ClipByGlobalNorm(1), Adam(learningRate: .warmUp(steps: 10, then: .cosine(0.1, steps: 1_490))))),
  OptimizerRow(
    name: "MultiSteps", optimizer: MultiSteps(Adam(learningRate: .cosine(0.1, steps: 1_500)), every: 2),
    valleySteps: 3_000, period: 2),
  OptimizerRow(name: "MovingAverage", optimizer: MovingAverage(Adam(learningRate: decay), decay: 0.9)),
  OptimizerRow(
    name: "Adam, plateau", optimizer: Chain(Adam(learningRate: decay), ReduceOnPlateau(patience: 3))),
  OptimizerRow(
    name: "Adam, clipped parameters", optimizer: Chain(Adam(learningRate: decay), ClipParameters(to: -4...4))
  ),
]

@Suite struct OptimizerTests {
  /// Learned leaves at two depths and frozen ones among them.
  private let params: Params = [
    "a": .leaf(Tensor([1, -2, 3], dtype: .float64)),
    "fixed": .frozen(Tensor(ints: [2, 0, 1])),
    "b": ["c": .leaf(Tensor([[0.5, -0.5]], dtype: .float64)), "d": .frozen(Tensor([7], dtype: .float64))],
  ]

  private func minimize(
    _ optimizer: any Optimizer, from start: Params, steps: Int, _ loss: (Params) -> Tensor
  ) throws -> Params {
    var params = start
    var state = optimizer.initialize(params)
    for _ in 0..<steps { (params, state) = try optimizer.update(gradient(at: params, loss), state, params) }
    return params
  }

  @Test(arguments: optimizerTable, [DType.float32, .float64])
  func anUpdateAddsTheStep(_ row: OptimizerRow, _ dtype: DType) throws {
    var params = self.params.cast(to: dtype)
    var state = row.optimizer.initialize(params)
    for i in 1...4 {
      let gradient = params.learned.map { sin(Double(i) * $0) }
      let (step, next) = try row.optimizer.transform(gradient, state, params)
      let moved = try row.optimizer.update(gradient, state, params)
      let (old, steps) = (params.learnedLeaves, step.learnedLeaves)
      let sum = params.replacingLearned(with: zip(old, steps).map { $0 + $1 })
      #expect(moved.params.isIdentical(to: sum))
      #expect(moved.state.isIdentical(to: next))
      (params, state) = moved
    }
  }

  @Test(arguments: optimizerTable) func findsTheBottomOfAParabola(_ row: OptimizerRow) throws {
    let (target, steepness) = (Tensor([1, 0.5], dtype: .float64), Tensor([100, 400], dtype: .float64))
    let start: Params = ["x": .leaf(Tensor([3, -2], dtype: .float64))]
    let end = try minimize(row.optimizer, from: start, steps: 800) {
      (steepness * square($0["x"] - target)).sum()
    }
    #expect(isClose(end["x"], target, 0.02), "\(end["x"])")
  }

  @Test(arguments: optimizerTable) func comesDownRosenbrocksValley(_ row: OptimizerRow) throws {
    func rosenbrock(_ params: Params) -> Tensor {
      let (x, y) = (params["x"], params["y"])
      return square(1 - x) + 100 * square(y - square(x))
    }
    let start: Params = ["x": .leaf(Tensor(0, dtype: .float64)), "y": .leaf(Tensor(1, dtype: .float64))]
    #expect(rosenbrock(start).item == 101)
    let end = try minimize(row.optimizer, from: start, steps: row.valleySteps, rosenbrock)
    #expect(rosenbrock(end).item < 0.02, "at \(end["x"].item), \(end["y"].item)")
  }

  @Test(arguments: optimizerTable) func frozenLeavesAreUntouched(_ row: OptimizerRow) throws {
    let gradient = params.learned.filled(with: 1)
    let state = row.optimizer.initialize(params)
    let (next, nextState) = try row.optimizer.update(gradient, state, params)
    #expect(next.paths == params.paths)
    for path in ["fixed", "b/d"] {
      let (before, after) = (try #require(params[path: path]), try #require(next[path: path]))
      #expect(after.isIdentical(to: before))
      guard case .frozen = after else { Issue.record("\(path) is not frozen any more"); continue }
    }
    #expect(nextState.paths == state.paths)
    #expect(
      !nextState.paths.contains { $0.hasSuffix("fixed") || $0.hasSuffix("d") }, "no state for frozen leaves")
  }

  @Test(arguments: optimizerTable) func keepsTheDType(_ row: OptimizerRow) throws {
    let params = params.cast(to: .float32)
    let (next, state) = try row.optimizer.update(
      params.learned.filled(with: 1), row.optimizer.initialize(params), params)
    for leaf in next.leaves + state.leaves { #expect(leaf.dtype != .float64) }
  }

  /// A run that is taken apart, every leaf rebuilt from plain numbers, goes on as if nothing had happened.
  @Test(arguments: optimizerTable) func stateRoundTrips(_ row: OptimizerRow) throws {
    func rebuilt(_ tree: Params) -> Params {
      tree.map { leaf in
        leaf.dtype == .int32
          ? Tensor(ints: leaf.ints, shape: leaf.shape)
          : Tensor(leaf.doubles, shape: leaf.shape, dtype: leaf.dtype)
      }
    }
    let gradients = (0..<4).map { i in params.learned.map { wave($0.shape, phase: Double(i)) } }
    var (whole, state) = (params, row.optimizer.initialize(params))
    var (parts, partsState) = (params, row.optimizer.initialize(params))
    for gradient in gradients {
      (whole, state) = try row.optimizer.update(gradient, state, whole)
      (parts, partsState) = try row.optimizer.update(gradient, rebuilt(partsState), rebuilt(parts))
    }
    #expect(whole.isIdentical(to: parts))
    #expect(state.isIdentical(to: partsState))
  }

  @Test(arguments: optimizerTable) func emptyTreesAreFine(_ row: OptimizerRow) throws {
    let (next, _) = try row.optimizer.update(.empty, row.optimizer.initialize(.empty), .empty)
    #expect(next.paths == [])
  }

  /// Wrong gradients and wrong states, as files can hold them, throw and print both trees.
  @Test(arguments: optimizerTable) func mismatchedTreesThrow(_ row: OptimizerRow) throws {
    let (optimizer, good) = (row.optimizer, params.learned.filled(with: 1))
    let state = optimizer.initialize(params)
    let wrongGradients: [Params] = [
      .empty,
      ["a": .leaf(Tensor([1, 2, 3], dtype: .float64))],
      ["z": good.child("a"), "b": good.child("b")],
      try good.replacing("a", by: .leaf(Tensor([1], dtype: .float64))),  // would broadcast
      try good.replacing("a", by: .leaf(Tensor([1, 2], dtype: .float64))),
      try good.replacing("a", by: .leaf(Tensor([1, 2, 3]))),
      try good.replacing("a", by: .frozen(Tensor([1, 2, 3], dtype: .float64))),
    ]
    for wrong in wrongGradients {
      let error = #expect(throws: FlowError.self, "\(wrong)") { try optimizer.update(wrong, state, params) }
      guard case .structure(_, let expected, let got)? = error else {
        Issue.record("\(String(describing: error)) is no structure error")
        continue
      }
      #expect(expected.contains("a: [3] float64"))
      #expect(got == wrong.outline)
    }
    for path in state.paths {
      let leaf = try #require(state[path: path]?.value)
      let wrongStates: [Params] =
        [.empty, try state.replacing(path, by: .empty), try state.replacing(path, by: .leaf(Tensor(5)))]
        + (leaf.dtype == .int32
          ? [-1, Int(Int32.max)].map { try! state.replacing(path, by: .frozen(Tensor(ints: [$0]))) } : [])
      for wrong in wrongStates {
        #expect(throws: FlowError.self, "\(wrong)") {
          var (params, state) = (params, wrong)
          for _ in 0..<row.period { (params, state) = try optimizer.update(good, state, params) }
        }
      }
    }
  }

  @Test func messageNamesBothTrees() throws {
    let optimizer = Adam(learningRate: 1)
    let params: Params = ["w": .leaf(Tensor([1, 2])), "p": .frozen(Tensor(ints: [0]))]
    let error = #expect(throws: FlowError.self) {
      try optimizer.update(["w": .leaf(Tensor([1, 2, 3]))], optimizer.initialize(params), params)
    }
    #expect(
      error?.description == """
        Adam: the parameter tree does not match.
        expected:
          w: [2] float32
        got:
          w: [3] float32
        """)
  }

  @Test func clippingBoundsTheNormAndKeepsTheDirection() throws {
    let gradient: Params = [
      "a": .leaf(Tensor([3, 0], dtype: .float64)), "b": .leaf(Tensor([-4], dtype: .float64)),
    ]
    let clip = ClipByGlobalNorm(1)
    let (step, state) = try clip.transform(gradient, clip.initialize(gradient), gradient)
    #expect(abs(step.norm - 1) < 1e-15)
    #expect(isClose(step["a"], Tensor([0.6, 0], dtype: .float64), 1e-15))
    #expect(state.paths == [])
    let wide = ClipByGlobalNorm(6)
    #expect(try wide.transform(gradient, .empty, gradient).step.isIdentical(to: gradient))
    let zero = gradient.filled(with: 0)
    #expect(try clip.transform(zero, .empty, zero).step.isIdentical(to: zero))
  }

  /// float32 squares overflow beyond 1e19; the norm does not.
  @Test func clippingSurvivesLargeGradients() throws {
    let gradient: Params = ["a": .leaf(Tensor([3e30, 4e30]))]
    let step = try ClipByGlobalNorm(5).transform(gradient, .empty, gradient).step
    #expect(isClose(step["a"], Tensor([3, 4]), 1e-6))
  }
}
