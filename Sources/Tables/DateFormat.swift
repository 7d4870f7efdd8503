/// A format of days and times in the order of ISO 8601: `2024-01-31`, `2024-01-31 09:30`,
/// `2024-01-31T09:30:00Z`.
struct DateFormat: Sendable, Hashable {
  /// The character between day and time; nil for days alone.
  var mark: Character?
  var hasSeconds = false
  /// Whether a Z ends the text.
  var isUTC = false

  /// Parses a text in any of the formats.
  ///
  /// - Returns: the format, with the days since 1970-01-01 or the seconds; nil for other texts.
  static func parse(_ text: String) -> (format: DateFormat, number: Double)? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 10, bytes[4] == 0x2D, bytes[7] == 0x2D, let year = number(bytes[0..<4]),
      let month = number(bytes[5..<7]), let day = number(bytes[8..<10]), (1...12).contains(month),
      (1...length(ofMonth: month, year)).contains(day)
    else { return nil }
    let days = daysSince1970(year, month, day)
    var rest = bytes[10...]
    guard let mark = rest.first else { return (DateFormat(), Double(days)) }
    guard mark == 0x20 || mark == 0x54 else { return nil }
    var format = DateFormat(mark: Character(UnicodeScalar(mark)))
    if rest.last == 0x5A {
      format.isUTC = true
      rest.removeLast()
    }
    let parts = rest.dropFirst().split(separator: 0x3A, omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, parts.allSatisfy({ $0.count == 2 }) else { return nil }
    let numbers = parts.compactMap(number)
    guard numbers.count == parts.count, numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 }) else {
      return nil
    }
    format.hasSeconds = numbers.count == 3
    let seconds = numbers[0] * 3_600 + numbers[1] * 60 + (numbers.count == 3 ? numbers[2] : 0)
    return (format, Double(days * 86_400 + seconds))
  }

  /// The text of a number of days or seconds, within the years 0 to 9999.
  func text(_ number: Double) -> String {
    let unit = mark == nil ? 1.0 : 86_400
    let whole = min(max(number.rounded(), -719_528 * unit), 2_932_897 * unit - 1)
    let days = (whole / unit).rounded(.down)
    var text = DateFormat.day(Int(days))
    guard let mark else { return text }
    let seconds = Int(whole - days * unit)
    text += "\(mark)\(padded(seconds / 3_600)):\(padded(seconds / 60 % 60))"
    if hasSeconds { text += ":" + padded(seconds % 60) }
    return isUTC ? text + "Z" : text
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    digits.allSatisfy { (0x30...0x39).contains($0) }
      ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
  }

  private static func length(ofMonth month: Int, _ year: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  // The years begin in March, so that the day of a leap year is the last. 400 years have 146,097 days.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month > 2 ? year + 400 : year + 399
    let days = 365 * y + y / 4 - y / 100 + y / 400
    return days + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 - 719_468 - 146_097
  }

  private static func day(_ number: Int) -> String {
    let days = number + 719_468 + 146_097
    let (era, day) = (days / 146_097, days % 146_097)
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
    let rest = day - (365 * year + year / 4 - year / 100)
    let month = (5 * rest + 2) / 153
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let calendarYear = era * 400 + year - 400 + (calendarMonth < 3 ? 1 : 0)
    let digits = "\(max(calendarYear, 0))"
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "-"
      + padded(calendarMonth) + "-" + padded(rest - (153 * month + 2) / 5 + 1)
  }
}

private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
