import Tensors
import Testing

@Suite struct TreeTests {
  private let tree: Tree<Int> = [
    "a": .leaf(1),
    "b": ["c": .frozen(2), "d": .leaf(3), "e": .empty],
    "f": .frozen(4),
    "g": ["h": .frozen(5)],
  ]

  private func shape(_ tree: Tree<Int>) -> String { tree.outline }

  @Test func leavesAndPaths() {
    #expect(tree.paths == ["a", "b/c", "b/d", "f", "g/h"])
    #expect(tree.leaves == [1, 2, 3, 4, 5])
    #expect(tree.children.map(\.label) == ["a", "b", "f", "g"])
    #expect(Tree.leaf(1).paths == [""])
    #expect(Tree<Int>.empty.leaves == [])
    var seen: [String] = []
    tree.forEach { path, leaf, isFrozen in seen.append("\(path) \(leaf) \(isFrozen)") }
    #expect(seen == ["a 1 false", "b/c 2 true", "b/d 3 false", "f 4 true", "g/h 5 true"])
  }

  @Test func access() {
    #expect(tree["a"] == 1)
    #expect(tree["f"] == 4)
    #expect(tree.child("b")["d"] == 3)
    #expect(tree.child(1).child(0).value == 2)
    #expect(tree.child("b").value == nil)
    #expect(tree[path: "b/d"]?.value == 3)
    #expect(tree[path: "b"]?.paths == ["c", "d"])
    #expect(tree[path: ""]?.paths == tree.paths)
    for path in ["z", "b/z", "a/z", "b/d/z"] { #expect(tree[path: path] == nil, "\(path)") }
  }

  @Test func numberedChildren() {
    let list = Tree([.leaf(7), .empty, .frozen(8)])
    #expect(list.paths == ["0", "2"])
    #expect(list.children.map(\.label) == ["0", "1", "2"])
  }

  @Test func maps() {
    #expect(tree.map { "\($0 * 10)" }.leaves == ["10", "20", "30", "40", "50"])
    #expect(tree.map { $0 }.outline == tree.outline)
    #expect(tree.mapLearned { $0 * 10 }.leaves == [10, 2, 30, 4, 5])
    #expect(tree.mapLearned { $0 }.outline == tree.outline)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try tree.map { if $0 == 3 { throw Stop() } } }
  }

  @Test func learnedAndFrozen() {
    let learned = tree.learned
    #expect(learned.paths == ["a", "b/d"])
    #expect(learned.children.map(\.label) == ["a", "b", "g"])  // branches stay, empty ones too
    #expect(learned.child("b").children.map(\.label) == ["d", "e"])
    #expect(learned.learned.outline == learned.outline)
    #expect(tree.frozen.learned.paths == [])
    #expect(tree.frozen.leaves == tree.leaves)
    #expect(Tree.frozen(1).learned.paths == [])
  }

  @Test func replacing() throws {
    let replaced = try tree.replacing("b/d", by: .leaf(9))
    #expect(replaced.leaves == [1, 2, 9, 4, 5])
    #expect(try tree.replacing("g", by: .empty).paths == ["a", "b/c", "b/d", "f"])
    #expect(try tree.replacing("", by: .leaf(0)).leaves == [0])
    #expect(tree.leaves == [1, 2, 3, 4, 5])
    let error = #expect(throws: FlowError.self) { try tree.replacing("b/z", by: .leaf(9)) }
    #expect(
      error?.description == """
        replacing: the parameter tree does not match.
        expected:
        a tree with b/z
        got:
          a: 1
          b/c: 2 frozen
          b/d: 3
          f: 4 frozen
          g/h: 5 frozen
        """)
    #expect(throws: FlowError.self) { try tree.replacing("a/z", by: .leaf(9)) }
  }

  @Test func zips() throws {
    let sums = try tree.zip(with: tree.map { Double($0) / 2 }) { Double($0) + $1 }
    #expect(sums.leaves == [1.5, 3, 4.5, 6, 7.5])
    #expect(sums.paths == tree.paths)
    let moved = try tree.zipLearned(with: tree.learned.map { "\($0)\($0)" }) { $0 + Int($1)! }
    #expect(moved.leaves == [12, 2, 36, 4, 5])
    #expect(try tree.frozen.zipLearned(with: tree.frozen.learned) { $0 + $1 }.leaves == tree.leaves)
    #expect(try Tree.frozen(3).zipLearned(with: Tree.frozen(3).learned) { $0 + $1 }.value == 3)
  }

  @Test func zipsThatDoNotFit() {
    let others: [Tree<Int>] = [
      .empty, .leaf(1), tree.learned, tree.frozen, Tree(tree.children.map(\.tree)),
      .branch(tree.children.reversed()), .branch(tree.children.dropLast()),
      .branch(tree.children + [.init("z", .leaf(1))]),
      .branch(tree.children.map { $0.label == "a" ? .init("a", .frozen(1)) : $0 }),
      .branch(tree.children.map { $0.label == "a" ? .init("a", .empty) : $0 }),
    ]
    for other in others {
      let error = #expect(throws: FlowError.self, "\(other)") { try tree.zip(with: other) { $0 + $1 } }
      #expect(error == .structure(who: "zip", expected: tree.outline, got: other.outline))
    }
    for other in others where other.outline != tree.learned.outline {
      let error = #expect(throws: FlowError.self, "\(other)") {
        try tree.zipLearned(with: other, who: "update") { $0 + $1 }
      }
      #expect(error == .structure(who: "update", expected: tree.learned.outline, got: other.outline))
    }
  }

  // MARK: - Trees of tensors

  private let params: Params = [
    "w": .leaf(Tensor([[3, 0], [0, 4]])), "p": .frozen(Tensor(ints: [1, 0])), "b": ["v": .leaf(Tensor([12]))],
  ]

  @Test func tensors() {
    #expect(params.learnedCount == 5)
    #expect(abs(params.learned.norm - 13) < 1e-12)
    #expect(Params.empty.norm == 0)
    let double = params.cast(to: .float64)
    #expect(double.leaves.map(\.dtype) == [.float64, .int32, .float64])
    #expect(params.learned.filled(with: 2).leaves.map(\.doubles) == [[2, 2, 2, 2], [2]])
    #expect(params.learnedLeaves.map(\.count) == [4, 1])
    let replaced = params.replacingLearned(with: [.zeros([1]), .zeros([2])])
    #expect(replaced.leaves.map(\.shape) == [[1], [2], [2]])
  }

  @Test func identity() throws {
    #expect(params.isIdentical(to: params.map { $0 }))
    #expect(!params.isIdentical(to: params.cast(to: .float64)))
    #expect(!params.isIdentical(to: params.frozen))
    #expect(!params.isIdentical(to: try params.replacing("b/v", by: .leaf(Tensor([12.000001])))))
    #expect(!params.isIdentical(to: try params.replacing("p", by: .frozen(Tensor(ints: [0, 1])))))
  }

  @Test func missingChildEndsTheProcess() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let params: Params = ["w": .leaf(Tensor([3]))]
      _ = params["weight"]
    }
    #expect(text(result).contains("no child weight in\n  w: [1] float32"))
  }
}
