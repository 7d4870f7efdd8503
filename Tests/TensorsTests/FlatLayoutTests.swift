import Testing

@testable import Tensors

/// The numbers that ranks send to each other.
@Suite struct FlatLayoutTests {
  /// Absent tensors stay absent, and every bit of the others stays.
  @Test func numbersTravelAsTheyAre() throws {
    let layout = FlatLayout([([2], .float32), ([3], .float64), ([2], .float32), ([], .float32)])
    let tensors: [Tensor?] = [
      Tensor([-0.0, 1]), Tensor([.infinity, -0.0, .nan], dtype: .float64), nil, Tensor(0x1p-149),
    ]
    let back = layout.tensors(layout.bytes(tensors))
    #expect(layout.doubles == 24 && back[2] == nil)
    for i in [0, 1, 3] {
      #expect(back[i]!.withBytes { Array($0) } == tensors[i]!.withBytes { Array($0) })
    }
  }

  /// An absent tensor is −0, which changes nothing that it is added to.
  @Test func absentNumbersAreMinusZero() {
    for dtype in [DType.float32, .float64] {
      let layout = FlatLayout([([2], dtype)])
      let minusZero = Tensor([-0.0, -0.0], dtype: dtype)
      let size = 2 * dtype.byteCount
      #expect(layout.bytes([nil])[..<size] == layout.bytes([minusZero])[..<size])
    }
  }
}
