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
}
