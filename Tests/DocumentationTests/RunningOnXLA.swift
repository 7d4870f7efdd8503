import Flows

/// The code of the article RunningOnXLA, block by block to the letter.
// swift-format-ignore
func runningOnXLA(
  path: String, data: Tensor
) throws -> (loss: Double, mean: Tensor, gram: Tensor, rows: Tensor) {
  // block 1
  let plugin = try PJRTPlugin(path)
  print(plugin, plugin.devices)
  // end
  // block 2
  let fitted = try fit(
    Flow.neuralSpline(layers: 2), to: data, key: Key(0), epochs: 3, on: .pjrt(plugin))
  print(fitted.bestRecord.validationLoss!)
  // end
  // block 3
  let device = plugin.firstDevice
  let density = try DeviceLogPDF(fitted.logPDF, fitted.params, on: device)
  let draws = try DeviceSampler(fitted.sample, fitted.params, on: device)
  let rows = try draws(Key(1), count: 10_000)
  let mean = try density(rows).mean()
  // end
  // block 4
  let program = try StableHLOProgram("gram", of: [.init([64, 2], .float32)]) { inputs in
    [matmul(inputs[0], inputs[0], transposeA: true)]
  }
  let executable = try device.compile(program)
  let gram = try executable([rows[0..<64]])[0]
  // end
  return (fitted.bestRecord.validationLoss!, mean, gram, rows)
}
