import Inference
import Testing

@Suite struct BinsTests {
  @Test func anEdgeBelongsToTheUpperBin() {
    let bins = Bins(edges: [0, 1, 3])
    #expect([-0.1, 0, 0.5, 1, 3, 3.1, .nan].map(bins.index) == [2, 0, 0, 1, 1, 2, 2])
    #expect(bins.shares(of: [0, 1, 2, 9], weights: [1, 1, 2, 4]) == [0.125, 0.375, 0.5])
    #expect(Bins(whole: 2...3).edges == [1.5, 2.5, 3.5])
    #expect(Bins(2, over: 0...1).edges == [0, 0.5, 1])
  }
}
