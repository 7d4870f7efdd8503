import Tensors
import Testing

/// What tensors and trees look like, to the letter.
@Suite struct DescriptionTests {
  private func ramp(_ shape: Shape, dtype: DType = .float32) -> Tensor {
    Tensor((0..<shape.count).map(Double.init), shape: shape, dtype: dtype)
  }

  @Test func scalars() {
    #expect("\(Tensor(3))" == "3.0")
    #expect("\(Tensor(0.1, dtype: .float64))" == "0.1")
    #expect("\(Tensor(0.1))" == "0.1")
    #expect("\(Tensor(ints: [7], shape: []))" == "7")
  }

  @Test func vectorsAndMatrices() {
    #expect("\(Tensor([1, 2.5, -3]))" == "[1.0, 2.5, -3.0]  [3] float32")
    #expect("\(Tensor(ints: [2, 0, 1]))" == "[2, 0, 1]  [3] int32")
    #expect("\(Tensor([.nan, .infinity, -.infinity, 1e-30]))" == "[nan, inf, -inf, 1e-30]  [4] float32")
    #expect(
      "\(Tensor([[1, 2], [3, 4]], dtype: .float64))" == """
        [[1.0, 2.0],
         [3.0, 4.0]]  [2, 2] float64
        """)
    #expect(
      "\(ramp([2, 2, 1]))" == """
        [[[0.0],
          [1.0]],
         [[2.0],
          [3.0]]]  [2, 2, 1] float32
        """)
  }

  @Test func empty() {
    #expect("\(Tensor.zeros(0))" == "[]  [0] float32")
    #expect("\(Tensor.zeros([0, 3]))" == "[]  [0, 3] float32")
    #expect("\(Tensor.zeros([2, 0]))" == "[[],\n []]  [2, 0] float32")
    #expect(
      "\(Tensor.zeros([1_000_000, 0]))" == """
        [[],
         [],
         [],
         ...,
         [],
         [],
         []]  [1000000, 0] float32
        """)
  }

  @Test func longAxesAreAbridged() {
    #expect("\(ramp(1000))".hasSuffix("997.0, 998.0, 999.0]  [1000] float32"))
    #expect("\(ramp(1000))".count > 5000)
    #expect("\(ramp(1001))" == "[0.0, 1.0, 2.0, ..., 998.0, 999.0, 1000.0]  [1001] float32")
    #expect(
      "\(ramp([40, 30], dtype: .float64))" == """
        [[0.0, 1.0, 2.0, ..., 27.0, 28.0, 29.0],
         [30.0, 31.0, 32.0, ..., 57.0, 58.0, 59.0],
         [60.0, 61.0, 62.0, ..., 87.0, 88.0, 89.0],
         ...,
         [1110.0, 1111.0, 1112.0, ..., 1137.0, 1138.0, 1139.0],
         [1140.0, 1141.0, 1142.0, ..., 1167.0, 1168.0, 1169.0],
         [1170.0, 1171.0, 1172.0, ..., 1197.0, 1198.0, 1199.0]]  [40, 30] float64
        """)
    #expect(
      "\(ramp([2, 600]))" == """
        [[0.0, 1.0, 2.0, ..., 597.0, 598.0, 599.0],
         [600.0, 601.0, 602.0, ..., 1197.0, 1198.0, 1199.0]]  [2, 600] float32
        """)
  }

  @Test func dualAndTracedValuesPrintTheirValue() {
    var shown: [String] = []
    _ = jvp(at: Tensor([1, 2]), along: Tensor([3, 4])) {
      shown.append("\($0)")
      return $0
    }
    _ = gradient(at: Tensor([1, 2])) {
      shown.append("\($0 * 2)")
      return $0.sum()
    }
    #expect(shown == ["[1.0, 2.0]  [2] float32", "[2.0, 4.0]  [2] float32"])
  }

  @Test func trees() {
    let tree: Params = [
      "net": ["weight": .leaf(.zeros([2, 3])), "bias": .leaf(.zeros(3, dtype: .float64))],
      "order": .frozen(Tensor(ints: [1, 0])),
    ]
    #expect(
      "\(tree)" == """
          net/weight: [2, 3] float32
          net/bias: [3] float64
          order: [2] int32 frozen
        """)
    #expect("\(Params.empty)" == "  (empty)")
    #expect("\(Params.leaf(Tensor(1)))" == "  .: [] float32")
    #expect("\(Tree<Int>.frozen(3))" == "  .: 3 frozen")
  }

  @Test func dtypes() {
    #expect([DType.float32, .float64, .int32].map { "\($0)" } == ["float32", "float64", "int32"])
    #expect([DType.float32, .float64, .int32].map(\.byteCount) == [4, 8, 4])
    #expect((DType.float32.epsilon, DType.float64.epsilon) == (0x1p-23, 0x1p-52))
  }
}
