import Bijections
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

@Suite struct TokenAutoregressiveTests {
  private let network = CausalTransformer(width: 8, layers: 2, heads: 2, lastWeight: .glorotUniform)

  /// The inverse keeps keys and values of earlier tokens. It finds the parameters of a pass over all tokens
  /// to the bit: 17 tokens are more than the 16 lanes of a sum, so zeros at the end of a sum are tested too.
  @Test(arguments: [DType.float32, .float64], [false, true])
  func inverseHasTheBitsOfAPass(_ dtype: DType, _ isReversed: Bool) throws {
    let block = TokenAutoregressive(network, isReversed: isReversed)
    let (initial, forward, inverse) = try block(Key(0), inputDim: [18, 2], contextDim: 3, dtype: dtype)
    let params = initial.perturbed(Key(1))
    let (y, context) = (Key(2).normal([5, 18, 2], dtype: dtype), Key(3).normal([5, 3], dtype: dtype))
    let (x, logDet) = try inverse(params, y, given: context)
    let (again, forwardLogDet) = try forward(params, x, given: context)
    #expect(logDet.doubles == (-forwardLogDet).doubles)
    #expect(isClose(again, y, dtype == .float32 ? 2e-4 : 1e-13))
  }

  /// Token i of the outputs does not depend on later tokens of the inputs, and no output of the first block
  /// of a token depends on others of the same token.
  @Test func jacobianIsTriangularInBlocks() throws {
    let (initial, forward, _) = try TokenAutoregressive(network)(Key(0), inputDim: [4, 2], dtype: .float64)
    let params = initial.perturbed(Key(1))
    let x = Key(2).normal([1, 4, 2], dtype: .float64)
    let y = try forward(params, x).outputs
    for j in 0..<8 {
      var moved = x.doubles
      moved[j] += 0.5
      let other = try forward(params, Tensor(moved, shape: [1, 4, 2], dtype: .float64)).outputs
      let changed = (other .!= y).doubles
      for i in 0..<8 where i / 2 < j / 2 || (i / 2 == j / 2 && i != j) {
        #expect(changed[i] == 0, "\(i) by \(j)")
      }
      #expect(changed[j] == 1)
      if j < 6 { #expect(changed[(j / 2 + 1) * 2..<8].contains(1), "later tokens see \(j)") }
    }
  }

  /// In both orders one token stays as it is: the first one, or the last.
  @Test func firstTokenStays() throws {
    let x = Key(2).normal([3, 2, 2, 1])
    for isReversed in [false, true] {
      let (initial, forward, _) = try TokenAutoregressive(network, isReversed: isReversed)(
        Key(0), inputDim: [2, 2, 1])
      let y = try forward(initial.perturbed(Key(1)), x).outputs
      let same = (x .== y).reshaped(to: [3, 4]).sum(axis: 0).doubles
      #expect(same == (isReversed ? [0, 0, 0, 3] : [3, 0, 0, 0]))
    }
  }

  @Test func refusesWhatHasNoTokens() {
    #expect(throws: FlowError.self) { try TokenAutoregressive(network)(Key(0), inputDim: 6) }
    #expect(throws: FlowError.self) { try TokenAutoregressive(network)(Key(0), inputDim: [1, 6]) }
    let odd = CausalTransformer(width: 7, heads: 2)
    #expect {
      try TokenAutoregressive(odd)(Key(0), inputDim: [2, 6])
    } throws: { "\($0)".contains("CausalTransformer") && "\($0)".contains("a multiple of 2 heads") }
    let coupled = VolumePreservingAffine()
    #expect {
      try TokenAutoregressive(network, coupled)(Key(0), inputDim: [2, 6])
    } throws: { "\($0)".contains("elementwise") }
  }
}
