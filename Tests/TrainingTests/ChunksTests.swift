import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Testing
import Training

@Suite struct ChunksTests {
  private let flow = Flow(AffineCoupling(MLP(hidden: [8], lastWeight: .heNormal)))

  @Test(arguments: [0, 1, 9, 10, 11, 37]) func logPDF(_ rows: Int) throws {
    let (params, logPDF, _) = try flow(Key(0), inputDim: 3, contextDim: 2)
    let (x, context) = (Key(1).normal([rows, 3]), Key(2).normal([rows, 2]))
    let whole = try logPDF(params, x, given: context)
    let pieces = try logPDF.inChunks(params, x, of: 10, given: context, progress: .silent)
    #expect(pieces.isIdentical(to: whole))
  }

  @Test(arguments: [0, 9, 10, 37]) func logPDFOfRowsThatAreRead(_ rows: Int) throws {
    let (params, logPDF, _) = try flow(Key(0), inputDim: 3, contextDim: 2)
    let (x, context) = (Key(1).normal([rows, 3]), Key(2).normal([rows, 2]))
    var asked: [Range<Int>] = []
    let pieces = try logPDF.inChunks(params, rows: rows, of: 10, progress: .silent) { range in
      asked.append(range)
      return (x[range], context[range])
    }
    #expect(pieces.isIdentical(to: try logPDF(params, x, given: context)))
    #expect(asked.flatMap(Array.init) == Array(0..<rows) && asked.allSatisfy { $0.count <= 10 })
    #expect(throws: FlowError.notFinite(who: "file", what: "rows", row: 3)) {
      try logPDF.inChunks(params, rows: 20, of: 10, progress: .silent) {
        (_: Range<Int>) throws(FlowError) -> (inputs: Tensor, context: Tensor?) in
        throw .notFinite(who: "file", what: "rows", row: 3)
      }
    }
  }

  @Test func logPDFOfWrongRows() throws {
    let (params, logPDF, _) = try flow(Key(0), inputDim: 3, contextDim: 2)
    for (x, context) in [([20, 4], [20, 2]), ([20, 3], [12, 2]), ([20, 3], [20, 1])] as [(Shape, Shape)] {
      #expect(throws: FlowError.self) {
        try logPDF.inChunks(params, .zeros(x), of: 10, given: .zeros(context), progress: .silent)
      }
    }
    #expect(throws: FlowError.self) {
      try logPDF.inChunks(params, .zeros([20, 3]), of: 10, progress: .silent)
    }
  }

  @Test(arguments: [0, 10, 37]) func draws(_ count: Int) throws {
    let (params, _, sample) = try flow(Key(0), inputDim: 3)
    let together = try sample.inChunks(Key(4), params, count: count, of: 10, progress: .silent)
    var pieces: [Tensor] = []
    try sample.inChunks(Key(4), params, count: count, of: 10, progress: .silent) { pieces.append($0) }
    #expect(together.shape == Shape([count, 3]))
    #expect(concatenate(pieces, axis: 0).isIdentical(to: together))
    #expect(pieces.allSatisfy { $0.rows <= 10 })
  }

  /// Samplers whose draws need other ones before them, or a context.
  private static let samplers: [(name: String, distribution: any Distribution, context: Shape?)] = [
    ("coupling", Flow(AffineCoupling(MLP(hidden: [8], lastWeight: .heNormal))), nil),
    ("autoregressive", Flow(Inverted(Autoregressive(MADE(hidden: [8])))), nil),
    ("mixture", Mixture([Normal(), StudentT(degreesOfFreedom: 3)]), nil),
    ("mixture of flows", Flow.splineMixture(layers: 1, hidden: [8], components: 3), nil),
    ("conditional", Flow(AffineCoupling(MLP(hidden: [8], lastWeight: .heNormal))), [2]),
  ]

  /// Parts of a long sample, cut at borders of chunks and between them, are the whole.
  @Test(arguments: samplers.indices) func partsOfALongSample(_ i: Int) throws {
    let (_, distribution, contextDim) = Self.samplers[i]
    let (params, _, sample) = try distribution(Key(0), inputDim: 3, contextDim: contextDim)
    let context = contextDim.map { Key(2).normal($0.batched(1)) }
    func draws(_ rows: Range<Int>) throws -> Tensor {
      try sample.inChunks(
        Key(4), params, count: rows.count, from: rows.lowerBound, of: 10, given: context, progress: .silent)
    }
    let whole = try draws(0..<47)
    for cuts in [[0, 10, 20, 47], [0, 3, 4, 17, 40, 47], [0, 9, 11, 46, 47], [0, 0, 25, 25, 47]] {
      let parts = try zip(cuts, cuts.dropFirst()).map { try draws($0..<$1) }
      #expect(concatenate(parts, axis: 0).isIdentical(to: whole), "\(cuts)")
    }
  }

  @Test func partsWithAContextPerDraw() throws {
    let (params, _, sample) = try flow(Key(0), inputDim: 3, contextDim: 2)
    let context = Key(2).normal([37, 2])
    let whole = try sample.inChunks(Key(4), params, count: 37, of: 10, given: context, progress: .silent)
    let rest = try sample.inChunks(
      Key(4), params, count: 17, from: 20, of: 10, given: context[20..<37], progress: .silent)
    #expect(rest.isIdentical(to: whole[20..<37]))
  }
}
