import Tensors

/// What a text says when it is read as a decimal number, rounded once to the nearest `Scalar`.
///
/// The grammar is `[+-] digits [. digits] [e [+-] digits]`, where one side of the point may be empty. It is narrower
/// than Swift's own `Double(_:)`, which takes hexadecimal too.
enum DecimalText<Scalar: DecimalScalar>: Equatable {
  case number(Scalar)
  /// Nothing but blanks.
  case empty
  /// `nan`, `inf` or `infinity`, with or without a sign, in any case.
  case notFinite
  /// A number that rounds to infinity.
  case tooLarge
  /// Anything else.
  case text

  init(_ field: ArraySlice<UInt8>) {
    let digits = field.trimmingBlanks
    guard !digits.isEmpty else {
      self = .empty
      return
    }
    guard let decimal = Decimal(digits) else {
      self = Self.spellsNonFinite(digits) ? .notFinite : .text
      return
    }
    let number = decimal.exactly() ?? Scalar(String(decoding: digits, as: UTF8.self))
    guard let number else {
      self = .text
      return
    }
    self = number.isFinite ? .number(number) : .tooLarge
  }

  private static func spellsNonFinite(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count <= 9 else { return false }
    let word = String(decoding: bytes, as: UTF8.self).lowercased()
    let unsigned = word.hasPrefix("+") || word.hasPrefix("-") ? String(word.dropFirst()) : word
    return ["nan", "inf", "infinity"].contains(unsigned)
  }
}

/// A decimal number: ± significand · 10^exponent.
private struct Decimal {
  var isNegative = false
  /// The digits read as a whole number; nil once they do not fit.
  var significand: UInt64? = 0
  var exponent = 0

  /// The number that `text` spells from its first to its last byte, or nil.
  init?(_ text: ArraySlice<UInt8>) {
    var position = text.startIndex
    func byte() -> UInt8? { position < text.endIndex ? text[position] : nil }
    func sign() -> Bool {
      guard let sign = byte(), sign == 0x2B || sign == 0x2D else { return false }
      position += 1
      return sign == 0x2D
    }
    /// Calls `body` for each digit and gives their number.
    func digits(_ body: (UInt64) -> Void) -> Int {
      let start = position
      while let digit = byte(), (0x30...0x39).contains(digit) {
        body(UInt64(digit - 0x30))
        position += 1
      }
      return position - start
    }
    func append(_ digit: UInt64) {
      guard let value = significand, value < 1_000_000_000_000_000_000 else { return significand = nil }
      significand = value * 10 + digit
    }

    isNegative = sign()
    var count = digits(append)
    if byte() == 0x2E {
      position += 1
      let fraction = digits(append)
      exponent = -fraction
      count += fraction
    }
    guard count > 0 else { return nil }
    if byte() == 0x65 || byte() == 0x45 {
      position += 1
      let isNegativeExponent = sign()
      var magnitude = 0
      guard digits({ magnitude = min(magnitude * 10 + Int($0), 1_000_000) }) > 0 else { return nil }
      exponent += isNegativeExponent ? -magnitude : magnitude
    }
    guard position == text.endIndex else { return nil }
  }

  /// The nearest scalar, where one exact multiplication or division finds it: both operands are scalars without
  /// rounding, so that the operation rounds once (Clinger, "How to read floating point numbers accurately", 1990).
  func exactly<Scalar: DecimalScalar>() -> Scalar? {
    guard let significand, significand <= Scalar.largestExactInteger else { return nil }
    let powers = Scalar.exactPowersOfTen
    guard abs(exponent) < powers.count else { return nil }
    let power = powers[abs(exponent)]
    let magnitude = exponent < 0 ? Scalar(significand) / power : Scalar(significand) * power
    return isNegative ? -magnitude : magnitude
  }
}

/// A type of number that decimal text can be rounded to.
protocol DecimalScalar: BinaryFloatingPoint, LosslessStringConvertible {
  static var dtype: DType { get }
  /// 10⁰, 10¹, ..., as far as they need no rounding.
  static var exactPowersOfTen: [Self] { get }
  /// All whole numbers up to here are values of this type.
  static var largestExactInteger: UInt64 { get }
}

extension Float: DecimalScalar {
  static let dtype = DType.float32
  static let exactPowersOfTen: [Float] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]
  static let largestExactInteger: UInt64 = 1 << 24
}

extension Double: DecimalScalar {
  static let dtype = DType.float64
  static let exactPowersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]
  static let largestExactInteger: UInt64 = 1 << 53
}
