import Randomness
import Tensors
import Testing

@Suite struct KeyRecorderTests {
  @Test func goodUse() {
    let reuses = KeyRecorder.reuses {
      let key = Key(0)
      for layer in 0..<3 {
        let child = key.folded(in: layer)
        _ = child.folded(in: 0).normal([3, 2])
        _ = child.folded(in: 1).uniform([2])
        _ = child.folded(in: 2).permutation(5)
        _ = child.folded(in: 3).integers([5], in: 0..<3)
      }
      _ = key.folded(in: 0)  // The same value again: no draw.
      _ = key.folded(in: 3).split(4).map { $0.gumbel([2]) }
    }
    #expect(reuses == [])
  }

  @Test func chunksAreOneDraw() {
    let key = Key(1)
    let reuses = KeyRecorder.reuses {
      for start in stride(from: 0, to: 100, by: 10) { _ = key.normal([10], from: start) }
      _ = key.normal([0], from: 5)
    }
    #expect(reuses == [])
    #expect(KeyRecorder.reuses { for start in [0, 9] { _ = key.normal([10], from: start) } }.count == 1)
  }

  static let misuses: [@Sendable (Key) -> Void] = [
    { key in for _ in 0..<2 { _ = key.normal([3]) } },
    { key in _ = (key.normal([3]), key.uniform([3])) },
    { key in _ = (key.normal([3]), key.uniform([3], from: 3)) },
    { key in _ = (key.bits(1), key.bits64(1, from: 1)) },
    { key in _ = (key.normal([3]), key.folded(in: 9)) },
    { key in _ = (key.split(), key.normal([3])) },
    { key in _ = (key.split(), key.folded(in: 5)) },
    { key in _ = (key.permutation(5), key.choice(2, of: 5)) },
    { key in _ = (key.integers([2], in: 0..<3), key.folded(in: 0)) },
    { key in for _ in 0..<2 { _ = key.folded(in: 1).categorical(logits: Tensor([1, 2])) } },
    { key in _ = (key.bernoulli([3]), key.truncatedNormal([3])) },
    { key in _ = (key.exponential([3]), key.laplace([3])) },
    { key in _ = (key.logistic([3]), key.cauchy([3])) },
    { key in _ = (key.indices(3, of: 5), key.bernoulli(probabilities: Tensor([0.5]))) },
    { key in _ = (key.permutationTensor(3), key.permutation(3)) },
  ]

  @Test(arguments: misuses.indices)
  func misuse(index: Int) throws {
    let reuses = KeyRecorder.reuses { Self.misuses[index](Key(3)) }
    #expect(reuses.count == 1)
    #expect(try #require(reuses.first).description.contains(" was used for "))
  }

  @Test func namesBothUses() {
    let reuses = KeyRecorder.reuses { _ = (Key(3).normal([2, 3]), Key(3).folded(in: 8)) }
    #expect(
      reuses.map(\.description) == ["Key(00000000 00000003) was used for normal[0..<6] and for folded(in: 8)"]
    )
  }

  @Test func childrenRecordWithTheirTask() async {
    let recorder = KeyRecorder()
    await KeyRecorder.$current.withValue(recorder) {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { _ = Key(8).normal([1]) } }
      }
    }
    #expect(recorder.reuses.count == 3)
    #expect(recorder.keyCount == 1)
    #expect(KeyRecorder.current == nil)
  }
}
