import Tensors

/// The result of reading a text as a decimal number, rounded once to the nearest `Number`.
///
/// The grammar is `[+-] digits [. digits] [e [+-] digits]`; one side of the point may be empty, and the point
/// may be another mark. Swift's own `Double(_:)` takes hexadecimal numbers too.
enum DecimalText<Number: DecimalScalar>: Equatable {
  case number(Number)
  /// An empty text, or one of blanks alone.
  case empty
  /// The text `nan`, `inf` or `infinity` in any case, with or without a sign.
  case notFinite
  /// A number that rounds to infinity, or to 0 without being 0.
  case outOfRange
  /// Any other text.
  case text

  /// Reads a text whose fraction follows `mark`.
  init(_ field: ArraySlice<UInt8>, mark: CSV.DecimalMark = .point) {
    let digits = field.trimmingBlanks
    guard !digits.isEmpty else {
      self = .empty
      return
    }
    guard let decimal = Decimal(digits, mark: mark.rawValue) else {
      self = Self.spellsNonFinite(digits) ? .notFinite : .text
      return
    }
    guard let number = decimal.exactly() ?? Self.nearest(digits, mark) else {
      self = .text
      return
    }
    let isLost = number.isInfinite || number == 0 && decimal.significand != 0
    self = isLost ? .outOfRange : .number(number)
  }

  private static func nearest(_ digits: ArraySlice<UInt8>, _ mark: CSV.DecimalMark) -> Number? {
    if mark == .point { return Number(String(decoding: digits, as: UTF8.self)) }
    let point = CSV.DecimalMark.point.rawValue
    return Number(String(decoding: digits.map { $0 == mark.rawValue ? point : $0 }, as: UTF8.self))
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
  /// The digits as a whole number; nil if they do not fit.
  var significand: UInt64? = 0
  var exponent = 0

  /// Reads the whole of `text`, or fails.
  init?(_ text: ArraySlice<UInt8>, mark: UInt8) {
    var position = text.startIndex
    func byte() -> UInt8? { position < text.endIndex ? text[position] : nil }
    func sign() -> Bool {
      guard let sign = byte(), sign == 0x2B || sign == 0x2D else { return false }
      position += 1
      return sign == 0x2D
    }
    /// Calls `body` for each digit and returns the number of digits.
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
    if byte() == mark {
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

  /// The nearest scalar, or nil if a single multiplication or division cannot compute it.
  ///
  /// If both operands are exact, the operation is the only one that rounds (Clinger, "How to read floating
  /// point numbers accurately", 1990).
  func exactly<Number: DecimalScalar>() -> Number? {
    guard let significand, significand <= Number.largestExactInteger else { return nil }
    let powers = Number.exactPowersOfTen
    guard abs(exponent) < powers.count else { return nil }
    let power = powers[abs(exponent)]
    let magnitude = exponent < 0 ? Number(significand) / power : Number(significand) * power
    return isNegative ? -magnitude : magnitude
  }
}

/// A floating-point type to which decimal text can be rounded.
protocol DecimalScalar: Scalar, LosslessStringConvertible {
  /// The powers 10⁰, 10¹, ... that are exact in this type.
  static var exactPowersOfTen: [Self] { get }
  /// The largest n such that all whole numbers up to n are exact in this type.
  static var largestExactInteger: UInt64 { get }
}

extension Float: DecimalScalar {
  static let exactPowersOfTen: [Float] = (0...10).map { Float("1e\($0)") ?? .nan }
  static let largestExactInteger: UInt64 = 1 << 24
}

extension Double: DecimalScalar {
  static let exactPowersOfTen: [Double] = (0...22).map { Double("1e\($0)") ?? .nan }
  static let largestExactInteger: UInt64 = 1 << 53
}
