import Tensors

/// A tensor in the memory of a device. The memory is freed with the last reference.
public final class DeviceBuffer: Sendable {
  /// The sizes of the axes.
  public let shape: Shape
  /// The type of the elements.
  public let dtype: DType
  let plugin: PJRTPlugin
  let address: UInt

  /// Takes over a buffer of the plugin.
  init(_ plugin: PJRTPlugin, _ address: UInt, shape: Shape, dtype: DType) {
    (self.plugin, self.address, self.shape, self.dtype) = (plugin, address, shape, dtype)
  }

  deinit { plugin.table.release(.destroyBuffer, address) }

  /// Copies the numbers to memory, after waiting until the device has computed them.
  ///
  /// - Throws: `PJRTError` for a computation that failed, such as `.outOfMemory`.
  public func tensor() throws(PJRTError) -> Tensor {
    let table = plugin.table
    do throws(PJRTError) {
      return try Tensor(shape: shape, dtype: dtype) { (bytes) throws(PJRTError) in
        let argument = PluginArgument([
          address, 0, UInt(UnsafeRawPointer(bytes.baseAddress)), UInt(bytes.count),
        ])
        try table.call(.bufferToHost, argument)
        try table.wait(for: argument[4])
      }
    } catch { throw error.onDevice(plugin.platform) }
  }
}
