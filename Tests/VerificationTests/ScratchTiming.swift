import Bijections
import Networks
import Randomness
import Tensors
import Testing
import Verification

@Suite struct ScratchTiming {
  @Test func timing() throws {
    for contextDim in [nil, 2] as [Shape?] {
      let laws = Laws(of: AffineCoupling(MLP(hidden: [64, 64])), inputDim: 5, contextDim: contextDim)
      for law in Laws.Law.allCases {
        let clock = ContinuousClock()
        let time = clock.measure { do { try laws.check(law) } catch { print(error) } }
        print("TIME", law, time)
      }
    }
  }
}
