import Tensors

/// A device of a plugin: a processor, or a GPU with memory of its own.
public struct Device: Sendable {
  /// The plugin.
  public let plugin: PJRTPlugin
  /// The number among the plugin's devices.
  public let index: Int
  let address: UInt

  init(plugin: PJRTPlugin, address: UInt, index: Int) {
    (self.plugin, self.address, self.index) = (plugin, address, index)
  }

  /// The model of the hardware, such as `NVIDIA H100`.
  public var kind: String { text(.deviceKind) }

  private func text(_ function: PluginFunction) -> String {
    let description = PluginArgument([address])
    guard (try? plugin.table.call(.deviceDescription, description)) != nil else { return "" }
    let answer = PluginArgument([description[1]])
    guard (try? plugin.table.call(function, answer)) != nil else { return "" }
    return answer.text(1)
  }

  /// Copies a tensor to the device's memory.
  ///
  /// - Throws: `PJRTError.outOfMemory` if there is no room, `.failed` with the plugin's message otherwise.
  public func buffer(_ tensor: Tensor) throws(PJRTError) -> DeviceBuffer {
    let sizes = tensor.shape.sizes.map(Int64.init)
    let argument = PluginArgument([plugin.client])
    let table = plugin.table
    try tensor.withBytes { (bytes) throws(PJRTError) in
      try sizes.withUnsafeBufferPointer { (sizes) throws(PJRTError) in
        // Semantics 0 in field 7: the plugin copies the bytes during the call.
        argument[1] = UInt(bytes.baseAddress)
        argument[2] = UInt(tensor.dtype.plugin)
        argument[3] = UInt(UnsafeRawPointer(sizes.baseAddress))
        argument[4] = UInt(sizes.count)
        argument[8] = address
        do throws(PJRTError) { try table.call(.bufferFromHost, argument) } catch {
          throw error.onDevice(name)
        }
      }
    }
    table.release(.destroyEvent, argument[11])
    return DeviceBuffer(plugin, argument[12], shape: tensor.shape, dtype: tensor.dtype)
  }

  /// A name for errors.
  var name: String { "\(plugin.platform) device \(index)" }
}

extension Device: CustomStringConvertible {
  /// The device's own description.
  public var description: String { text(.deviceText) }
}

extension DType {
  /// The number of the element type in the plugin interface.
  var plugin: Int { self == .float32 ? 11 : self == .float64 ? 12 : 4 }
}
