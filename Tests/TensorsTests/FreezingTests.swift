import Tensors
import Testing

@Suite struct FreezingTests {
  private let tree: Tree<Int> = [
    "bijection": [
      "0": ["logScale": .leaf(0), "bias": .leaf(1)],
      "1": ["net": ["dense_0": ["bias": .leaf(2)]], "p": .frozen(3)],
      "10": ["bias": .leaf(4)],
    ],
    "prior": .leaf(5),
  ]

  private func frozen(_ patterns: String...) throws -> [Int] {
    var result: [Int] = []
    try tree.freezing(patterns).forEach { _, leaf, isFrozen in if isFrozen { result.append(leaf) } }
    return result
  }

  @Test func patterns() throws {
    #expect(try frozen() == [3])
    #expect(try frozen("bijection/0") == [0, 1, 3])
    #expect(try frozen("bijection/1") == [2, 3], "a label is whole: 10 is another")
    #expect(try frozen("bijection/1*") == [2, 3, 4])
    #expect(try frozen("bijection/*/bias") == [1, 3, 4])
    #expect(try frozen("**/bias") == [1, 2, 3, 4])
    #expect(try frozen("bijection/**/bias") == [1, 2, 3, 4])
    #expect(try frozen("**/d*s*_0") == [2, 3])
    #expect(try frozen("prior", "bijection/10/bias") == [3, 4, 5])
    #expect(try frozen("**") == [0, 1, 2, 3, 4, 5])
    #expect(try frozen("") == [0, 1, 2, 3, 4, 5], "the root")
  }

  @Test func misspeltPatternsThrow() {
    for pattern in ["bijektion", "bijection/2", "bijection/0/bias/more", "*/bias", "ior"] {
      #expect(throws: FlowError.self, "\(pattern)") { try tree.freezing(pattern) }
    }
  }

  @Test func flagsComeBack() throws {
    let all = tree.frozen
    let back = try all.withFrozenLeaves(of: tree)
    #expect(back.outline == tree.outline)
    #expect(throws: FlowError.self) { try tree.withFrozenLeaves(of: ["prior": .leaf(1)]) }
    #expect(throws: FlowError.self) { try tree.child("bijection").withFrozenLeaves(of: tree) }
  }
}
