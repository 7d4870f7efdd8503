import CKernels
import Synchronization

/// A source of noise and of samples of rows for private training.
///
/// Each call draws from a stream of its own, so no number is ever used twice. The secret key cannot be read,
/// copied, printed or saved, and is new in each process: a run that goes on from a checkpoint gets fresh
/// noise. Its numbers are those of ChaCha20 under a key from the operating system.
///
/// A run with a known key has no privacy, since anybody can draw the noise again and subtract it.
public final class NoiseSource: Sendable {
  /// Whether the key is secret. Results of a source that is not must not be called private.
  public let isPrivate: Bool
  private let cipher: ChaCha20
  private let streams = Atomic<UInt64>(0)

  private init(isPrivate: Bool, _ words: () -> UInt32) {
    self.isPrivate = isPrivate
    var key = SIMD8<UInt32>()
    for i in 0..<8 { key[i] = words() }
    cipher = ChaCha20(key: key)
  }

  /// A source with a key of 256 bits from the operating system's cryptographic generator.
  public static func secret() -> NoiseSource {
    var system = SystemRandomNumberGenerator()
    return NoiseSource(isPrivate: true) { UInt32.random(in: .min ... .max, using: &system) }
  }

  /// A source whose numbers anybody can repeat, for tests. It gives no privacy.
  public static func notPrivate(seed: UInt64) -> NoiseSource {
    var rest = seed
    var isLow = false
    return NoiseSource(isPrivate: false) {
      isLow.toggle()
      defer { rest >>= isLow ? 32 : 0 }
      return UInt32(truncatingIfNeeded: rest)
    }
  }

  /// Gaussian noise in double precision.
  ///
  /// A Box-Muller transform of 64 random bits reaches 9.4 deviations, where 5 · 10⁻²¹ of the probability is
  /// left. The low-order bits of a single transform reveal bits of its sum with other numbers (Mironov 2012;
  /// Holohan and Braghin 2021). The secure mode adds draws of four transforms and halves the sum, which makes
  /// that search infeasible.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - deviation: Their standard deviation.
  ///   - secure: Whether each is half the sum of four.
  /// - Precondition: `count` is not negative.
  public func gaussians(_ count: Int, deviation: Double = 1, secure: Bool = true) -> [Double] {
    gaussians(count, deviation: deviation, secure: secure, stream: nextStream())
  }

  /// A stream that no other call gets.
  package func nextStream() -> UInt64 { streams.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// The Gaussian noise of a stream. Each stream serves one call.
  package func gaussians(_ count: Int, deviation: Double, secure: Bool, stream: UInt64) -> [Double] {
    require(count >= 0, "NoiseSource: expected a count of at least 0, got \(count)")
    return [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      if count > 0 { draw(count, secure: secure, stream: stream, into: buffer.baseAddress!) }
      for i in 0..<count { buffer[i] *= deviation }
      filled = count
    }
  }

  /// y = scale · (x + noise) for some numbers of one type, which may replace each other.
  ///
  /// The sum is formed in double precision and rounded once. The noise is that of a stream from a place on,
  /// so several calls for places that do not overlap may share a stream.
  ///
  /// - Precondition: `first` is a multiple of 1024.
  package func addGaussians(
    to x: UnsafeRawPointer, _ type: ck_type, count: Int, deviation: Double, scale: Double, secure: Bool,
    stream: UInt64, from first: Int, into y: UnsafeMutableRawPointer
  ) {
    require(first % 1024 == 0, "NoiseSource: expected a start at a whole piece, got \(first)")
    let bytes = type == CK_F32 ? 4 : 8
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 1024) { draws in
      for start in stride(from: 0, to: count, by: 1024) {
        let own = min(1024, count - start)
        draw(own, from: first + start, secure: secure, stream: stream, into: draws.baseAddress!)
        ck_add_noise(type, deviation, scale, draws.baseAddress!, x + start * bytes, own, y + start * bytes)
      }
    }
  }

  /// Standard normal numbers of a stream, from a multiple of 128 on.
  private func draw(
    _ count: Int, from first: Int = 0, secure: Bool, stream: UInt64, into y: UnsafeMutablePointer<Double>
  ) {
    cipher.gaussians(count, from: UInt64(first / (secure ? 2 : 8)), nonce: stream, secure: secure, into: y)
  }

  /// The rows that join a step: each with probability `rate`, independently. There may be none.
  ///
  /// A sample that an adversary knows amplifies nothing, so it comes from the same secret key.
  ///
  /// - Precondition: `rate` is from 0 to 1, and `rows` is not negative.
  public func poissonSample(rate: Double, of rows: Int) -> [Int] {
    require(rate >= 0 && rate <= 1, "poissonSample: expected a rate from 0 to 1, got \(rate)")
    let bits = bits(rows)
    return bits.indices.filter { Double(bits[$0] >> 11) * 0x1p-53 < rate }
  }

  /// The next stream's words.
  private func bits(_ count: Int) -> [UInt64] {
    require(count >= 0, "NoiseSource: expected a count of at least 0, got \(count)")
    let blocks = (count + 7) / 8
    return [UInt64](unsafeUninitializedCapacity: 8 * blocks) { buffer, filled in
      if blocks > 0 { cipher.blocks(blocks, from: 0, nonce: nextStream(), into: buffer.baseAddress!) }
      filled = count
    }
  }
}

extension NoiseSource: CustomStringConvertible, CustomReflectable {
  /// Whether it is private; never the key.
  public var description: String { isPrivate ? "NoiseSource.secret" : "NoiseSource.notPrivate" }
  /// No children, so that `dump` shows no key.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
