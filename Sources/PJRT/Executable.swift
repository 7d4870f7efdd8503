import StableHLO
import Tensors

/// A program that a plugin has compiled for a device.
public final class Executable: Sendable {
  /// The device on which it runs.
  public let device: Device
  /// The shapes and dtypes of the arguments.
  public let arguments: [StableHLOProgram.Kind]
  /// The shapes and dtypes of the results.
  public let results: [StableHLOProgram.Kind]
  let address: UInt

  /// Takes over a loaded program of the plugin. Throws where it has another number of results.
  init(_ device: Device, _ address: UInt, _ program: StableHLOProgram) throws(PJRTError) {
    (self.device, self.address, arguments, results) = (device, address, program.arguments, program.results)
    let table = device.plugin.table
    let count = try withProgram { (own) throws(PJRTError) in
      let answer = PluginArgument([own])
      try table.call(.outputCount, answer)
      return Int(answer[1])
    }
    guard count == results.count else {
      throw .failed(function: "compile", code: 13, message: "\(results.count) results became \(count)")
    }
  }

  deinit { device.plugin.table.release(.destroyLoadedExecutable, address) }

  /// Calls `body` with the plugin's description of the program.
  func withProgram<Result>(_ body: (UInt) throws(PJRTError) -> Result) throws(PJRTError) -> Result {
    let table = device.plugin.table
    let answer = PluginArgument([address])
    try table.call(.executable, answer)
    defer { table.release(.destroyExecutable, answer[1]) }
    return try body(answer[1])
  }

  /// Runs the program. The call does not wait for the results; reading one does.
  ///
  /// - Throws: `PJRTError.outOfMemory` if there is no room for the results, `.failed` with the plugin's
  ///   message otherwise.
  /// - Precondition: the arguments have the program's shapes and dtypes.
  public func callAsFunction(_ inputs: [DeviceBuffer]) throws(PJRTError) -> [DeviceBuffer] {
    require(
      inputs.count == arguments.count
        && zip(inputs, arguments).allSatisfy { $0.shape == $1.shape && $0.dtype == $1.dtype },
      "a program of \(arguments.map { "\($0.shape) \($0.dtype)" }) is called with "
        + "\(inputs.map { "\($0.shape) \($0.dtype)" })")
    let (table, own) = (device.plugin.table, inputs.map(\.address))
    var outputs = [UInt](repeating: 0, count: results.count)
    // Of the options, words 2 to 13, none is set.
    let options = PluginArgument()
    try own.withUnsafeBufferPointer { (own) throws(PJRTError) in
      try outputs.withUnsafeMutableBufferPointer { (outputs) throws(PJRTError) in
        let lists = (UInt(UnsafeRawPointer(own.baseAddress)), UInt(UnsafeRawPointer(outputs.baseAddress)))
        try withUnsafePointer(to: lists.0) { (arguments) throws(PJRTError) in
          try withUnsafePointer(to: lists.1) { (results) throws(PJRTError) in
            let call = PluginArgument([
              address, UInt(UnsafeRawPointer(options.words)), UInt(UnsafeRawPointer(arguments)), 1,
              UInt(own.count), UInt(UnsafeRawPointer(results)), 0, device.index == 0 ? 0 : device.address,
            ])
            do throws(PJRTError) { try table.call(.execute, call) } catch {
              throw error.onDevice(device.name)
            }
          }
        }
      }
    }
    withExtendedLifetime(inputs) {}
    return zip(outputs, results).map {
      DeviceBuffer(device.plugin, $0, shape: $1.shape, dtype: $1.dtype)
    }
  }

  /// Copies tensors to the device, runs the program and copies its results back.
  ///
  /// - Throws: `PJRTError` as the parts do.
  /// - Precondition: the arguments have the program's shapes and dtypes.
  public func callAsFunction(_ inputs: [Tensor]) throws(PJRTError) -> [Tensor] {
    var buffers: [DeviceBuffer] = []
    for input in inputs { buffers.append(try device.buffer(input)) }
    var tensors: [Tensor] = []
    for buffer in try self(buffers) { tensors.append(try buffer.tensor()) }
    return tensors
  }
}
