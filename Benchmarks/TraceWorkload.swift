import Flows

/// The exact trace of OT-Flow's potential against one Jacobian-vector product per dimension:
/// `--workload trace`.
///
/// It times a field of 43 numbers and width 256, alone and with the gradient of a loss of both results. Least
/// times are printed.
///
///     benchmarks --workload trace [--rows 256] [--threads 2]
struct TraceWorkload {
  let rows, dimension, width: Int
  let threads, repetitions: Int

  func run() throws {
    let (params, own) = try OTFlowPotential(width: width).initialize(
      Key(0), at: Site(inputDim: Shape([dimension])))
    let x = Key(1).normal([rows, dimension])
    let time = Tensor(0.3)
    let fields = [("closed form", own), ("products", Velocity(own.function))]
    let product = (Key(2).normal([128 * dimension, width]), Key(3).normal([width, width]))
    let bound = Measurement(repetitions: repetitions) { _ = matmul(product.0, product.1) }
    print("the matrix product of the closed form alone, one thread: \(bound.least * Double(rows) / 128) ms")
    try Parallelism.$threads.withValue(threads) {
      for isGradient in [false, true] {
        var times: [Double] = []
        for (name, velocity) in fields {
          @Sendable func loss(_ params: Params, _ x: Tensor) -> Tensor {
            let result = velocity.traced(params, x, time, nil)
            return square(result.velocity).sumPerRow() + result.trace
          }
          let measured = try Measurement(name, repetitions: repetitions) {
            if isGradient {
              _ = try valueAndGradient(at: params, over: x) { params, rows in loss(params, rows) }
            } else {
              _ = mapRows(rows, of: [dimension]) { rows in [loss(params, x[rows])] }
            }
          }
          times.append(measured.least)
        }
        let what = isGradient ? "with gradient" : "value"
        print(
          "trace, \(rows) rows of \(dimension), width \(width), \(what): closed form \(times[0]) ms, "
            + "\(dimension) products \(times[1]) ms, ratio \(times[1] / times[0])")
      }
    }
  }
}
