import Bijections
import Distributions
import Integration
import Networks
import Randomness
import Synchronization
import Tensors
import Testing

/// Data for initial parameters pass through layers only where one behind them, or the prior, may read them.
@Suite struct StartRowsTests {
  /// The identity, which counts its forward passes.
  private struct Counting: Bijection {
    final class Counter: Sendable { let count = Mutex(0) }
    let counter = Counter()
    var count: Int { counter.count.withLock { $0 } }

    func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
      site.layer("Counting") { _, x, _ in
        counter.count.withLock { $0 += 1 }
        return (x, .zeros([x.rows], dtype: x.dtype))
      } inverse: { _, y, _ in
        (y, .zeros([y.rows], dtype: y.dtype))
      }
    }
  }

  private let rows = Key(0).normal([300, 3])

  private func passes(_ flow: (Counting) -> Flow) throws -> Int {
    let layer = Counting()
    _ = try flow(layer)(Key(1), inputDim: 3, initInputs: rows[0..<50])
    return layer.count
  }

  @Test func passWhereTheyAreRead() throws {
    #expect(try passes { Flow(Serial($0, ActNorm())) } == 1)
    #expect(try passes { Flow(Serial(Shuffle(), Serial($0, ActNorm()))) } == 1)
    #expect(try passes { Flow($0, prior: GaussianMixture(components: 2)) } == 1)
    #expect(try passes { Flow(Serial(ActNorm(), $0)) } == 0)
    #expect(try passes { Flow(Serial(Shuffle(), Serial(ActNorm(), $0)), prior: Logistic()) } == 0)
  }

  /// A layer that gives outputs without log-dets starts the one behind it from the same bits, on any number
  /// of threads.
  @Test(arguments: [1, 2]) func outputsAloneAreTheSame(_ threads: Int) throws {
    let layers: [any Bijection] = [
      ResidualFlow(SpectralMLP(hidden: [8], lastWeight: .glorotUniform)),
      ContinuousFlow(OTFlowPotential(width: 4), solver: .steps(2)),
    ]
    for layer in layers {
      try Parallelism.$threads.withValue(threads) {
        let (params, _, _) = try Serial(layer, ActNorm())(Key(1), inputDim: 3, initInputs: rows)
        let (own, forward, _) = try layer(Key(1).folded(in: 0), inputDim: 3)
        let outputs = try forward(own, rows).outputs
        let norm = try ActNorm()(Key(1).folded(in: 1), inputDim: 3, initInputs: outputs).params
        let found = params.child(1)
        #expect(params.child(0).leaves.elementsEqual(own.leaves) { $0.isIdentical(to: $1) })
        #expect(found.leaves.elementsEqual(norm.leaves) { $0.isIdentical(to: $1) })
      }
    }
  }
}
