import CKernels

extension SameBits {
  /// The sets that the kernels are compiled for on this architecture, best first.
  public static var instructionSets: [String] {
    #if arch(x86_64)
      ["v4", "v3", "baseline"]
    #else
      ["baseline"]
    #endif
  }

  /// The set whose kernels this process runs.
  public static var instructionSet: String { String(cString: ck_instruction_set()) }

  /// Whether the processor has a set.
  public static func isSupported(_ set: String) -> Bool { ck_has_instruction_set(set) }

  /// Changes to a set, and returns whether the processor has it. Nothing else may run meanwhile.
  public static func use(_ set: String) -> Bool { ck_use_instruction_set(set) }
}
