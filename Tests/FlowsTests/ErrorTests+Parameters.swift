import Flows
import TestSupport
import Testing

/// Parameter trees, as files can hold them.
extension ErrorTests {
  @Test func foreignTrees() throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: 3)
    let x = Tensor.zeros([2, 3])
    let foreign: [Params] = [
      .empty, .leaf(x), params.child(0), Params(params.children.reversed().map(\.tree)),
      .branch(params.children.dropLast()), .branch(params.children + [.init("4", .empty)]),
      try Self.layers(Key(0), inputDim: 4).params,
      try Self.layers(Key(0), inputDim: 3, dtype: .float64).params,
      try Self.layers(Key(0), inputDim: 3, contextDim: 2).params,
      params.learned,
      try params.replacing("3/bias", by: .leaf(.zeros([1]))),
      try params.replacing("3/bias", by: .leaf(.zeros([3, 1]))),
      try params.replacing("3/bias", by: .leaf(Tensor(ints: [1, 2, 3]))),
      try params.replacing("3/bias", by: .empty),
    ]
    for tree in foreign {
      for mapping in [forward, inverse] {
        let text = message { _ = try mapping(tree, x) }
        #expect(
          text?.hasPrefix("Serial: the parameter tree does not match.\nexpected:\n  0/permutation: ") == true)
        #expect(text?.hasSuffix("got:\n" + tree.outline) == true)
      }
    }
    #expect(throws: Never.self) { try forward(params, x) }
  }

  /// What can be learned may be frozen, which changes no value; what is frozen can not be learned.
  @Test func frozenTreesAreTheSameFunction() throws {
    let (params, forward, _) = try Self.layers(Key(0), inputDim: 3)
    let x = wave([2, 3], dtype: .float32)
    let (y, logDet) = try forward(params.frozen, x)
    let (expected, expectedLogDet) = try forward(params, x)
    #expect(y.isIdentical(to: expected) && logDet.isIdentical(to: expectedLogDet))
    let permutation = try #require(params[path: "0/permutation"]?.value)
    let thawed = try params.replacing("0/permutation", by: .leaf(permutation))
    #expect(message { _ = try forward(thawed, x) }?.contains("does not match") == true)
  }

  @Test func messageOfAForeignTreeShowsBoth() throws {
    let (params, forward, _) = try Serial(Shuffle(), ActNorm())(Key(0), inputDim: 2)
    #expect(
      message { _ = try forward(params.replacing("1/bias", by: .leaf(.zeros([5]))), .zeros([1, 2])) } == """
        Serial: the parameter tree does not match.
        expected:
          0/permutation: [2] int32 a permutation frozen
          1/logScale: [2] float32
          1/bias: [2] float32
        got:
          0/permutation: [2] int32 frozen
          1/logScale: [2] float32
          1/bias: [5] float32
        """)
  }

  /// A permutation from a file can hold anything. Nothing of it may reach a gather.
  @Test(arguments: [
    [0, 1, 3], [0, 1, -1], [0, 1, 1], [2, 2, 2], [Int(Int32.max), 0, 1], [Int(Int32.min), 0, 1],
  ])
  func garbageInAPermutation(_ garbage: [Int]) throws {
    let (params, forward, inverse) = try Self.layers(Key(0), inputDim: 3)
    let (weights, logPDF, sample) = try Self.flow(Key(0), inputDim: 3)
    let x = Tensor.zeros([2, 3])
    for path in ["0/permutation", "1/permutation"] {
      let wrong = try params.replacing(path, by: .frozen(Tensor(ints: garbage)))
      #expect(message { _ = try forward(wrong, x) } != nil)
      #expect(message { _ = try inverse(wrong, x) } != nil)
      let wrongWeights = try weights.replacing("bijection/" + path, by: .frozen(Tensor(ints: garbage)))
      #expect(message { _ = try logPDF(wrongWeights, x) } != nil)
      #expect(message { _ = try sample(Key(1), wrongWeights, count: 2) } != nil)
    }
    // Another permutation is a fine parameter.
    let other = try params.replacing("0/permutation", by: .frozen(Tensor(ints: [2, 0, 1])))
    #expect(throws: Never.self) { try forward(other, x) }
  }

  /// Numbers from a file may be NaN; then the results are, and nothing ends.
  @Test func parametersOfNaN() throws {
    let (params, logPDF, sample) = try Self.flow(Key(0), inputDim: 3)
    let broken = params.mapLearned { .full($0.shape, .nan) }
    #expect(try logPDF(broken, .zeros([4, 3])).doubles.allSatisfy { $0.isNaN })
    #expect(try sample(Key(0), broken, count: 4).doubles.allSatisfy { $0.isNaN })
  }

  /// A layer whose shape another one cannot take says so at initialization.
  @Test func invertedNeedsOneShape() {
    let flatten = Lambda { _, site in
      let flat = Shape([site.inputDim.count])
      let boundary = Boundary("flatten", domain: Domain(site.inputDim), contextDim: nil, dtype: site.dtype)
      let back = Boundary("flatten", domain: Domain(flat), contextDim: nil, dtype: site.dtype)
      return (
        .empty,
        Mapping(boundary, to: Domain(flat), traits: .volumePreserving) { _, x, _ in
          (x.reshaped(to: flat.batched(x.rows)), .zeros([x.rows], dtype: x.dtype))
        },
        Mapping(back, to: Domain(site.inputDim), traits: .volumePreserving) { _, y, _ in
          (y.reshaped(to: site.inputDim.batched(y.rows)), .zeros([y.rows], dtype: y.dtype))
        }
      )
    }
    #expect(
      message { _ = try Inverted(flatten)(Key(0), inputDim: [2, 3]) }
        == "Inverted: expected a bijection that keeps the shape [2, 3], got flatten to [6]")
    #expect(throws: Never.self) {
      let (params, logPDF, sample) = try Flow(Serial(flatten, ActNorm()))(Key(0), inputDim: [2, 3])
      #expect(try logPDF(params, .zeros([4, 2, 3])).shape == [4])
      #expect(try sample(Key(0), params, count: 4).shape == [4, 2, 3])
    }
  }
}
