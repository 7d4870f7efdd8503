import Tensors

/// Changes valid files at random and hands them to their parser. The same seed makes the same files.
public struct Fuzzer {
  /// What came of it.
  public struct Outcome: Sendable {
    /// How many files were read.
    public var accepted = 0
    /// How many were refused with a `FlowError` that says where.
    public var refused = 0
  }

  private let format: Format
  private var generator: Generator

  /// A fuzzer of a format.
  public init(_ format: Format, seed: UInt64) {
    self.format = format
    generator = Generator(seed: seed)
  }

  /// Parses that many files. A crash, a hang or an error of another kind is the finding.
  public mutating func run(_ count: Int) -> Outcome {
    var outcome = Outcome()
    for _ in 0..<count {
      do throws(FlowError) {
        _ = try format.parse(nextFile())
        outcome.accepted += 1
      } catch {
        guard case .file(let path, _, _, let message) = error else {
          fatalError("unexpected error: \(error)")
        }
        require(!path.isEmpty && message.contains("expected"), "an error says what was expected: \(error)")
        outcome.refused += 1
      }
    }
    return outcome
  }

  private mutating func nextFile() -> [UInt8] {
    var bytes = format.seeds[generator.below(format.seeds.count)]
    for _ in 0..<generator.below(5) { mutate(&bytes) }
    if generator.below(2) == 0 { format.repair(&bytes) }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    // Headers stand first or last: half of the places are there.
    let range = generator.below(2) == 0 ? min(bytes.count, 64) : bytes.count
    var place = generator.below(range + 1)
    if generator.below(4) == 0 { place = bytes.count - place }
    let word = format.dictionary[generator.below(format.dictionary.count)]
    switch generator.below(8) {
    case 0: bytes.insert(contentsOf: word, at: place)
    case 1: bytes.replaceSubrange(place..<min(place + word.count, bytes.count), with: word)
    case 2 where place < bytes.count: bytes[place] ^= 1 << UInt8(generator.below(8))
    case 3 where place < bytes.count: bytes[place] = UInt8(generator.below(256))
    case 4: bytes.removeSubrange(place..<min(place + 1 + generator.below(8), bytes.count))
    case 5:
      bytes.insert(
        contentsOf: bytes[place...].prefix(1 + generator.below(40)), at: generator.below(bytes.count + 1))
    case 6 where generator.below(4) == 0: bytes.removeSubrange(place...)
    default: bytes.insert(UInt8(generator.below(256)), at: place)
    }
  }
}
