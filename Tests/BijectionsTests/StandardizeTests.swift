import Bijections
import Randomness
import Tensors
import TestSupport
import Testing

@Suite struct StandardizeTests {
  @Test func givesMeanZeroAndDeviationOne() throws {
    let data = Key(1).normal([300, 3]) * Tensor([1e-3, 1, 1e4]) + Tensor([5, -1, 2e6])
    let (params, forward, inverse) = try Standardize(of: data)(Key(0), inputDim: 3)
    let (z, logDet) = try forward(params, data)
    #expect(isClose(z.mean(axis: 0), .zeros([3]), 1e-2))
    #expect(isClose(square(z - z.mean(axis: 0)).mean(axis: 0), .ones([3]), 1e-2))
    #expect(isClose(logDet, -log(params["deviation"]).sum().broadcast(to: [300]), 1e-5))
    #expect(isClose(try inverse(params, z).outputs / data, .ones([300, 3]), 1e-5))
    #expect(params.learnedCount == 0)
  }

  @Test func constantChannelsKeepTheirScale() throws {
    let (params, _, _) = try Standardize(of: Tensor([[7, 1], [7, 3]]))(Key(0), inputDim: 2)
    #expect(params["mean"].doubles == [7, 2] && params["deviation"].doubles == [1, 1])
    #expect(throws: FlowError.self) { try Standardize(of: Tensor([[7, 1]]))(Key(0), inputDim: 3) }
  }
}
