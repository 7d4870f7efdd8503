import Randomness
import Tensors

/// A masked autoencoder (MADE): the outputs for each number depend on earlier numbers alone.
///
/// Every unit has a degree, and a weight from unit a to unit b exists where degree(a) ≤ degree(b):
///
/// - number i has degree i, for i from 1 to D; a context has degree 0, so every unit sees it;
/// - hidden units have degrees from 1 to D − 1, or from 0 if there is a context or only one number;
/// - the outputs for number i have degree i − 1.
///
/// The outputs for the first number see the context through hidden units of degree 0. No output sees the last
/// number, so there are no weights for it. With D = 1 the outputs depend on biases and context.
///
/// Degrees rise within every layer if numbers are taken in their order. So every mask [in, out] is a
/// staircase, and products skip the blocks of zeros. The first units of each layer are those that the first
/// numbers determine.
///
/// With `periodic`, the numbers are angles. The network sees the sine and the cosine of each, with its
/// degree.
///
/// With `withParents`, any graph without cycles says which numbers the outputs for a number see, instead of
/// an order. A unit has a set of numbers, and a weight exists from a set to one that contains it.
///
/// Inputs: D numbers, and then the context, if `contexts` is not 0. Outputs: `count` for each number, number
/// by number. Cost: that of dense layers of these widths.
///
/// Parameters: `dense_0`, `dense_1`, ... as of `Dense`. The first layer has [context + D − 1] inputs, or
/// [context + 2 (D − 1)] for angles. Masks follow from the widths. Degrees and orders that are drawn from the
/// key are frozen: `order` [D] (int32) for `order: .random`, and `degrees` [units] beside `weight` for
/// `hiddenDegrees: .random`. With `dropout`, the first layer of each residual block has the frozen `dropout`
/// [units], the probabilities for the objective `Dropout`. The last layer starts at zero by default.
///
/// Errors: `mismatch` for a layer without units, and for outputs that are not a multiple of the numbers. With
/// parents, also for a cycle, a wrong number, and too few units for all parents to be seen.
///
/// Germain, Gregor, Murray & Larochelle 2015, *MADE*, arXiv 1502.03509, section 4.
public struct MADE: Network {
  /// The way in which degrees are assigned.
  public enum Degrees: Sendable, Hashable {
    /// Numbers keep their order, and hidden units get degrees evenly.
    case ordered
    /// Degrees are drawn from the key.
    case random
  }

  /// The widths of the hidden layers.
  public let hidden: [Int]
  /// The function after each hidden layer.
  public let activation: Activation
  /// The order in which numbers may depend on each other.
  public let order: Degrees
  /// The way in which hidden units get their degrees.
  public let hiddenDegrees: Degrees
  /// The number of inputs, behind the others, that every output sees.
  public private(set) var contexts = 0
  /// The period of the numbers, if they are angles.
  public private(set) var period: Double?
  /// The probability that the objective `Dropout` sets a unit within a residual block to zero.
  public private(set) var dropout = 0.0
  /// The numbers that the outputs for each number see; nil for those before it.
  var dependencies: Dependencies?
  private(set) var isResidual = false
  private let weight, lastWeight: Initializer

  /// A masked network with hidden layers of the given widths.
  public init(
    hidden: [Int], activation: Activation = .relu, order: Degrees = .ordered,
    hiddenDegrees: Degrees = .ordered, weight: Initializer = .heNormal, lastWeight: Initializer = .zeros
  ) {
    (self.hidden, self.activation, self.order) = (hidden, activation, order)
    (self.hiddenDegrees, self.weight, self.lastWeight) = (hiddenDegrees, weight, lastWeight)
  }

  /// A masked network of residual blocks h ↦ h + V f(U f(h) + u) + v between two masked layers.
  ///
  /// All hidden layers share their degrees, so a sum of units keeps the order.
  /// Nash & Durkan 2019, *Autoregressive energy machines*, arXiv 1904.05626.
  ///
  /// - Precondition: `residualBlocks` is not negative, and `dropout` is in 0..<1.
  public init(
    width: Int, residualBlocks: Int, activation: Activation = .relu, order: Degrees = .ordered,
    hiddenDegrees: Degrees = .ordered, dropout: Double = 0, weight: Initializer = .heNormal,
    lastWeight: Initializer = .zeros
  ) {
    require(residualBlocks >= 0, "MADE: residualBlocks is not negative, got \(residualBlocks)")
    require((0..<1).contains(dropout), "MADE: dropout is in 0..<1, got \(dropout)")
    let hidden = [Int](repeating: width, count: 2 * residualBlocks + 1)
    self.init(
      hidden: hidden, activation: activation, order: order, hiddenDegrees: hiddenDegrees, weight: weight,
      lastWeight: lastWeight)
    (isResidual, self.dropout) = (true, dropout)
  }

  /// The network with a context as its last `contexts` inputs.
  public func conditioned(on contexts: Int) -> MADE {
    var network = self
    network.contexts = contexts
    return network
  }

  /// The network of angles with this period.
  ///
  /// - Precondition: The period is positive and finite.
  public func periodic(_ period: Double = 2 * .pi) -> MADE {
    require(period > 0 && period.isFinite, "a period is positive and finite, got \(period)")
    var network = self
    network.period = period
    return network
  }

  /// The network whose outputs for number i depend on the numbers `parents[i]` alone.
  ///
  /// The order and the degrees of the network's initializer have no effect then. Hidden units see the sets of
  /// parents in turn. So each layer needs as many units as there are different sets, or initialization
  /// throws. The parents of a chain, [[], [0], [0, 1], ...], give an ordinary masked autoencoder. An inverse
  /// costs one pass per number. In zuko's `MaskedMLP` a row of the adjacency matrix has the parents and the
  /// number itself.
  public func withParents(_ parents: [[Int]]) -> MADE {
    var network = self
    network.dependencies = Dependencies(parents: parents)
    return network
  }

  /// The inputs of the first layer for numbers [rows, n].
  func features(_ x: Tensor) -> Tensor { period.map { x.onCircle(period: $0) } ?? x }
  /// The number of these inputs for each number.
  var featureCount: Int { period == nil ? 1 : 2 }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (numbers, contexts) = (inputDim.count - contexts, contexts)
    guard inputDim.rank == 1, outputDim.rank == 1, numbers > 0, outputDim[0] % numbers == 0 else {
      throw .mismatch(
        who: "MADE", what: "outputs", expected: "a multiple of \(numbers), for a vector of inputs",
        got: "\(inputDim) to \(outputDim)")
    }
    let count = outputDim[0] / numbers
    let (params, network) = try masked(key, numbers: numbers, outputs: count, dtype: dtype)
    return (
      params,
      { params, x in
        let network = network.bound(to: params)
        let context = contexts > 0 ? x.sliced(axis: 1, numbers..<numbers + contexts) : nil
        let sorted = network.sorted(x.sliced(axis: 1, 0..<numbers)).sliced(axis: 1, 0..<numbers - 1)
        let outputs = network(sorted, context).reshaped(to: [x.rows, numbers, count])
        return network.restored(outputs).reshaped(to: outputDim.batched(x.rows))
      }
    )
  }

  /// Parameters, and the network that they make on numbers sorted by degree, with `outputs` for each number.
  package func masked(
    _ key: Key, numbers: Int, outputs count: Int, dtype: DType
  ) throws(FlowError) -> (params: Params, network: MaskedNetwork) {
    if let width = ([numbers, count] + hidden).first(where: { $0 < 1 }) {
      throw .mismatch(
        who: "MADE", what: "numbers, outputs and hidden units", expected: "at least 1", got: "\(width)")
    }
    let graph = try graph(numbers, count)
    let degrees = graph?.sets.map { $0.map { _ in 0 } } ?? degrees(key.folded(in: 0), numbers, count)
    var layers: [Params.Child] = []
    for i in 0...hidden.count {
      let (key, isLast) = (key.folded(in: 0).folded(in: i), i == hidden.count)
      let (inputs, width) = (degrees[i].count, degrees[i + 1].count)
      let draw = isLast ? lastWeight : weight
      var children: [Params.Child] = [
        .init("weight", .leaf(draw(key.folded(in: 0), [inputs, width], dtype: dtype))),
        .init("bias", .leaf(.zeros([width], dtype: dtype))),
      ]
      if isDrawn(i) { children.append(.init("degrees", .frozen(Tensor(degrees[i + 1], dtype: dtype)))) }
      if drops(i) {
        children.append(.init(DropoutMask.label, DropoutMask.probabilities(dropout, width, dtype)))
      }
      layers.append(.init("dense_\(i)", .branch(children)))
    }
    if order == .random && graph == nil {
      layers.append(.init("order", .frozen(key.folded(in: 1).permutationTensor(numbers))))
    }
    return (.branch(layers), MaskedNetwork(self, degrees: degrees, graph: graph))
  }

  /// The order of the numbers and the sets of all units for given dependencies.
  private func graph(_ numbers: Int, _ count: Int) throws(FlowError) -> MaskedNetwork.Sets? {
    guard let dependencies else { return nil }
    let order = try dependencies.order(of: numbers)
    let sets = dependencies.sets(
      order, inputs: featureCount, contexts: contexts, hidden: hidden, outputs: count)
    try dependencies.checkReach(of: sets, order, contexts: contexts)
    return MaskedNetwork.Sets(order: order, sets: sets)
  }

  /// Whether the tree holds the degrees of the units behind layer i. Residual blocks share their degrees.
  func isDrawn(_ i: Int) -> Bool {
    hiddenDegrees == .random && dependencies == nil && i < (isResidual ? min(1, hidden.count) : hidden.count)
  }

  /// Whether units behind layer i may be dropped: those within a residual block.
  func drops(_ i: Int) -> Bool { dropout > 0 && i % 2 == 1 && i < hidden.count }

  /// The degrees of the inputs, of each hidden layer, and of the outputs.
  private func degrees(_ key: Key, _ numbers: Int, _ count: Int) -> [[Double]] {
    let inputs =
      [Int](repeating: 0, count: contexts)
      + (1..<numbers).flatMap { [Int](repeating: $0, count: featureCount) }
    let outputs = (0..<numbers).flatMap { [Int](repeating: $0, count: count) }
    let range = (contexts > 0 || numbers == 1 ? 0 : 1)...max(numbers - 1, 0)
    var layers = [inputs]
    for (i, width) in hidden.enumerated() {
      let lowest = i > 0 ? layers[i].first ?? range.lowerBound : range.lowerBound
      let layerKey = key.folded(in: i).folded(in: 2)
      layers.append(
        isResidual && i > 0
          ? layers[1] : degrees(layerKey, width, in: lowest...range.upperBound, of: range))
    }
    return (layers + [outputs]).map { $0.map(Double.init) }
  }

  /// The rising degrees of the units of one hidden layer.
  private func degrees(
    _ key: Key, _ width: Int, in drawn: ClosedRange<Int>, of range: ClosedRange<Int>
  ) -> [Int] {
    if hiddenDegrees == .random {
      return key.integers([width], in: drawn.lowerBound..<drawn.upperBound + 1).ints.sorted()
    }
    // Many units are shared out equally, and the lowest degrees get the remainder. Few are spread evenly.
    let n = range.count
    if width < n { return (0..<width).map { range.lowerBound + (2 * $0 + 1) * n / (2 * width) } }
    return (0..<width).map { $0 % n }.sorted().map { range.lowerBound + $0 }
  }
}
