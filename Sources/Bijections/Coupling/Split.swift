/// A split of a sample into a part that passes a coupling unchanged and a part that is transformed.
///
/// Channels are the last axis of vectors and images alike. A split of channels is the same at each position.
/// A split of positions (`checkerboard`) shows the network the whole sample with zeros at the transformed
/// positions. It needs a network that sees neighbouring positions.
///
/// If a split would transform nothing (one channel), it passes nothing instead, swapped or not.
public struct Split: Sendable, Hashable {
  enum Rule: Sendable, Hashable {
    case firstHalf, alternating, random, checkerboard
    case mask([Bool])
  }

  let rule: Rule
  let isSwapped: Bool

  private init(_ rule: Rule, isSwapped: Bool = false) { (self.rule, self.isSwapped) = (rule, isSwapped) }

  /// The first ⌊channels / 2⌋ pass. This is the fastest split, since it slices.
  public static let firstHalf = Split(.firstHalf)
  /// Channels 0, 2, 4, ... pass.
  public static let alternating = Split(.alternating)
  /// ⌊channels / 2⌋ channels pass, drawn from the key. They are a frozen leaf of the parameters.
  public static let random = Split(.random)
  /// All channels pass at positions whose indices have an even sum. It needs samples with positions, such as
  /// images.
  public static let checkerboard = Split(.checkerboard)
  /// Channels marked true pass, or elements of the whole sample in row-major order. At least one is false.
  public static func mask(_ passes: [Bool]) -> Split { Split(.mask(passes)) }

  /// The same split with the two parts swapped.
  public var swapped: Split { Split(rule, isSwapped: !isSwapped) }
}

extension Split: CustomStringConvertible {
  /// `firstHalf`, `checkerboard.swapped`, ...
  public var description: String {
    if case .mask(let passes) = rule {
      return "mask(\(passes.count { $0 }) of \(passes.count))" + (isSwapped ? ".swapped" : "")
    }
    return "\(rule)" + (isSwapped ? ".swapped" : "")
  }
}
