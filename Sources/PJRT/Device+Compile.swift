import StableHLO

extension Device {
  /// Compiles a program for the device.
  ///
  /// - Parameters:
  ///   - program: the program.
  ///   - name: its name in errors.
  ///   - cache: the folder of compiled programs; nil for none.
  /// - Throws: `PJRTError.notCompiled` with the plugin's message for a program that it refuses.
  public func compile(
    _ program: StableHLOProgram, named name: String = "main", cache: CompileCache? = .fromEnvironment
  ) throws(PJRTError) -> Executable {
    if let known = cache?.executable(for: program, on: self) { return known }
    let executable = try compiled(program, name)
    cache?.store(executable, for: program)
    return executable
  }

  private func compiled(_ program: StableHLOProgram, _ name: String) throws(PJRTError) -> Executable {
    let table = plugin.table
    let argument = PluginArgument([plugin.client])
    var (text, format, options) = (Array(program.text.utf8), Array("mlir".utf8), compileOptions)
    do throws(PJRTError) {
      try text.withUnsafeMutableBufferPointer { (text) throws(PJRTError) in
        try format.withUnsafeMutableBufferPointer { (format) throws(PJRTError) in
          try options.withUnsafeMutableBufferPointer { (options) throws(PJRTError) in
            let source = PluginArgument([
              UInt(UnsafeRawPointer(text.baseAddress)), UInt(text.count),
              UInt(UnsafeRawPointer(format.baseAddress)), UInt(format.count),
            ])
            argument[1] = UInt(UnsafeRawPointer(source.words))
            argument[2] = UInt(UnsafeRawPointer(options.baseAddress))
            argument[3] = UInt(options.count)
            try table.call(.compile, argument)
          }
        }
      }
    } catch {
      guard case .failed(_, let code, let message) = error else { throw error }
      if code == PJRTError.exhausted { throw .outOfMemory(device: self.name, message: message) }
      throw .notCompiled(program: name, message: message)
    }
    return try Executable(self, argument[4], program)
  }

  /// The options of a compilation, a message of protocol buffers: one replica and one partition. A program
  /// for another device than the first is portable, so that the call names its device.
  private var compileOptions: [UInt8] {
    [0x1A, 0x04, 0x20, 0x01, 0x28, 0x01] + (index == 0 ? [] : [0x20, 0x01])
  }
}
