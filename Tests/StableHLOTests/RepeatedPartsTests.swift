import Tensors
import Testing

@testable import StableHLO

@Suite struct RepeatedPartsTests {
  @Test func runsOfALayerAreFound() {
    // A start, three layers, and an end.
    let tokens = [5, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 4]
    let best = RepeatedRun.all(in: tokens, atLeast: 3)[0]
    #expect(best.length == 4 && best.starts == [1, 5, 9])
    #expect(RepeatedRun.all(in: [0, 1, 2, 3, 4, 5], atLeast: 2).isEmpty)
    #expect(RepeatedRun.all(in: [], atLeast: 2).isEmpty)
  }

  /// All runs are equal and apart, and the best saves as much as any length at any place.
  @Test(arguments: 0..<20) func runsAreEqualAndApart(seed: Int) {
    var state = UInt64(seed + 1)
    let tokens = (0..<60).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % (seed < 10 ? 2 : 4)
    }
    let runs = RepeatedRun.all(in: tokens, atLeast: 3)
    for run in runs {
      let slices = run.starts.map { Array(tokens[$0..<$0 + run.length]) }
      #expect(Set(slices).count == 1 && run.starts.count > 1)
      #expect(zip(run.starts.dropFirst(), run.starts).allSatisfy { $0 - $1 >= run.length })
    }
    var most = 0
    for length in 3...30 {
      let places = Dictionary(grouping: 0...(60 - length)) { Array(tokens[$0..<$0 + length]) }
      for starts in places.values { most = max(most, (RepeatedRun.apart(starts, length).count - 1) * length) }
    }
    #expect(runs.map(\.saving).max() ?? 0 <= most && runs.map(\.saving).max() ?? 0 >= most * 3 / 4)
  }

  private func layer(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor {
    let h = tanh(matmul(x, w) + b)
    return x * sigmoid(h) + exp(-h * h) * 0.5 - softplus(h + 2)
  }

  private func program(_ f: ([Tensor]) throws -> [Tensor]) throws -> String {
    let kinds = [[8, 3], [3, 3], [3], [3, 3], [3], [3, 3], [3]].map {
      StableHLOProgram.Kind(Shape($0), .float32)
    }
    return try StableHLOProgram("test", of: kinds, f).text
  }

  private func counts(_ text: String) -> (functions: Int, calls: Int, products: Int) {
    (
      text.ranges(of: "func.func private").count, text.ranges(of: "func.call").count,
      text.ranges(of: "stablehlo.dot_general").count
    )
  }

  @Test func equalLayersShareAFunction() throws {
    let text = try program { own in
      [(0..<3).reduce(own[0]) { x, i in layer(x, own[2 * i + 1], own[2 * i + 2]) }]
    }
    #expect(counts(text) == (1, 3, 1))
    #expect(text.contains("func.call @part_0(%arg0, %arg1, %arg2) :"))
  }

  @Test func derivativesShareFunctionsToo() throws {
    let text = try program { own in
      gradient(at: Params(own.map { .leaf($0) })) { tree in
        let own = tree.leaves
        return (0..<3).reduce(own[0]) { x, i in layer(x, own[2 * i + 1], own[2 * i + 2]) }.sum()
      }.leaves
    }
    // The last layer's part is another one, whose value is summed. Unrolled there are 9 products.
    #expect(counts(text) == (2, 4, 6))
  }

  /// What two layers have in common is written once, and is an argument of what they share.
  @Test func commonValuesAreArguments() throws {
    let text = try program { own in
      let first = layer(own[0], own[1], own[2])
      return [layer(first, own[1], own[2]), layer(first, own[3].transposed(), own[4] + 1)]
    }
    #expect(counts(text) == (1, 3, 3) && text.ranges(of: "stablehlo.tanh").count == 1)
    let short = try program { [exp($0[0] + 1), exp($0[0] + 2)] }
    #expect(counts(short).functions == 0)
  }

  /// Different constants are arguments of the function that layers share.
  @Test func constantsOfLayersAreArguments() throws {
    let masks = [[1.0, 0, 1], [0, 1, 0], [1, 1, 0]].map { Tensor($0) }
    let text = try program { own in
      [(0..<3).reduce(own[0]) { x, i in layer(x * masks[i], own[2 * i + 1], own[2 * i + 2]) }]
    }
    #expect(counts(text) == (1, 3, 1) && text.ranges(of: "dense<\"0x").count == 3)
  }
}
