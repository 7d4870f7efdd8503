import Flows

/// The speeds that a machine reaches on so many threads, with which workloads are compared.
struct MachineSpeed {
  /// The speed of matrix products, in 10⁹ floating-point operations per second.
  let gigaflops: Double
  /// The speed at which results of 16 MiB are written to memory, in 10⁹ bytes per second. Each result takes
  /// the same number of bytes to be read.
  let gigabytes: Double

  /// Measures both.
  init(threads: Int) {
    let (a, b) = (Key(0).normal([512, 512]), Key(1).normal([512, 512]))
    let product = Measurement(repetitions: 20) { _ = matmul(a, b) }
    gigaflops = Double(threads) * 2 * 512 * 512 * 512 / product.least / 1e6
    let leaves = (0..<threads).map { _ in Tensor.ones([1 << 22], dtype: .float32) }
    let pass = Measurement(repetitions: 5) { _ = mapLeaves(leaves) { -leaves[$0] } }
    gigabytes = Double(threads << 24) / pass.least / 1e6
  }
}
