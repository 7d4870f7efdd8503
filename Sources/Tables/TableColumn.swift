import Files
import Tensors

/// A column of a table: its name, its kind, and the map between its texts and numbers for a model.
public struct TableColumn: Sendable, Hashable {
  /// The name.
  public let name: String
  /// The kind.
  public let kind: ColumnKind
  /// The text of a missing value; nil if no value may be missing.
  public let missing: String?
  let content: Content

  enum Content: Sendable, Hashable {
    /// One of some texts, in the order of their codes.
    case levels([String])
    /// Numbers.
    case numbers(NumberScale)
    /// A function of another column.
    case derived(Derivation)
  }

  /// The texts of a column of few different values; empty for other columns. The most frequent is the first,
  /// unless the column follows from another one.
  public var levels: [String] {
    switch content {
    case .levels(let levels): levels
    case .derived(let derivation): if case .levels(let levels) = derivation.rule { levels } else { [] }
    case .numbers: []
    }
  }

  var scale: NumberScale? { if case .numbers(let scale) = content { scale } else { nil } }

  /// The number of codes. Levels come first, or code 0 for a number without a code and then the frequent
  /// values. The last code is that of a missing value, if values may be missing.
  var codeCount: Int {
    let own =
      switch content {
      case .levels(let levels): levels.count
      case .numbers(let scale): 1 + scale.spikes.count
      case .derived: 1
      }
    return derivation != nil ? own : own + (missing == nil ? 0 : 1)
  }

  /// Whether a code belongs to a row of this column.
  var hasCode: Bool { codeCount > 1 }
  /// The code of a missing value.
  var missingCode: Int? { missing == nil || derivation != nil ? nil : codeCount - 1 }

  /// The value of a field.
  enum Cell {
    case code(Int)
    case number(Double)
  }

  /// Reads a field, or returns a message about it.
  func cell(_ field: Field, clamping: Bool = false) -> Result<Cell, Message> {
    if isMissing(field) {
      guard let missingCode else {
        return .failure(
          Message("expected a value in \(quoted), got a missing one; the model's data had all"))
      }
      return .success(.code(missingCode))
    }
    switch content {
    // A column that follows from another one has no cells of its own.
    case .derived: return .success(.code(0))
    case .levels(let levels):
      if let code = code(of: field) { return .success(.code(code)) }
      let shown = levels.prefix(10).map { $0.count > 20 ? "\($0.prefix(20))…" : $0 }
      let known = shown.joined(separator: ", ") + (levels.count > 10 ? ", …" : "")
      let hint = isOfNumbers ? "; a fit with --bounds takes others too" : ""
      return .failure(Message("expected one of \(known) in \(quoted), got \(excerpt(field.text))\(hint)"))
    case .numbers(let scale):
      return number(field, scale, clamping).map { x in
        scale.spikes.firstIndex(of: x).map { .code($0 + 1) } ?? .number(x)
      }
    }
  }

  /// Whether a field stands for a missing value.
  func isMissing(_ field: Field) -> Bool {
    if field.text == missing || field.isMissing(isNumeric: false) { return true }
    guard field.isMissing(isNumeric: true) else { return false }
    switch kind {
    case .continuous, .integer, .date: return true
    case .categorical: return false
    case .boolean, .constant: return levels.allSatisfy { Double($0)?.isFinite == true }
    }
  }

  /// The code of a field that is one of the levels; nil for other fields.
  func code(of field: Field) -> Int? {
    let levels = levels
    if let code = levels.firstIndex(of: field.text) { return code }
    // Another spelling of the same number is the same level, but for categories such as 007.
    if kind != .categorical, let number = field.number,
      let code = levels.firstIndex(where: { Double($0) == number })
    {
      return code
    }
    guard kind == .boolean else { return nil }
    return levels.firstIndex { $0.lowercased() == field.text.lowercased() }
  }

  /// The number of a field of a column of numbers or dates; nil for other fields.
  func number(of field: Field) -> Double? {
    guard case .date(let format) = spelling else { return field.number }
    let parsed = DateFormat.parse(field.text)
    return parsed.flatMap { ($0.format.mark == nil) == (format.mark == nil) ? $0.number : nil }
  }

  /// The number of a text as the column writes it; nil for other texts.
  func number(_ text: String) -> Double? {
    if case .date = spelling { DateFormat.parse(text)?.number } else { Double(text) }
  }

  private var spelling: NumberScale.Spelling? {
    if case .line(_, let spelling)? = derivation?.rule { spelling } else { scale?.spelling }
  }

  private func number(
    _ field: Field, _ scale: NumberScale, _ clamping: Bool
  ) -> Result<Double, Message> {
    var what = kind == .integer ? "a whole number" : "a number"
    if case .date = scale.spelling {
      what = "a date such as \(scale.text(scale.numbers(.zeros([1]))[0]))"
    }
    guard let x = number(of: field), kind != .integer || x.rounded() == x else {
      return .failure(Message("expected \(what) in \(quoted), got \(excerpt(field.text))"))
    }
    guard scale.isWithinBounds(x) else {
      if clamping { return .success(min(max(x, scale.least), scale.most)) }
      let ends = [
        scale.lower.map { "at least \(scale.text($0))" }, scale.upper.map { "at most \(scale.text($0))" },
      ]
      let range = ends.compactMap { $0 }.joined(separator: " and ")
      return .failure(Message("expected \(what) of \(range) in \(quoted), got \(excerpt(field.text))"))
    }
    guard scale.admits(x) else {
      var range = "near the model's data"
      if case .log(let origin) = scale.curve { range = "above \(spelled(origin + scale.step / 2))" }
      return .failure(Message("expected \(what) \(range) in \(quoted), got \(excerpt(field.text))"))
    }
    return .success(x)
  }

  /// The text of a code, nil for a missing value, or of a number where the code is that of numbers.
  func text(code: Int, number: Double) -> String? {
    if code == missingCode { return nil }
    switch content {
    case .derived: return nil
    case .levels(let levels): return levels[min(code, levels.count - 1)]
    case .numbers(let scale): return scale.text(code == 0 ? number : scale.spikes[code - 1])
    }
  }

  /// Whether all values are numbers.
  private var isOfNumbers: Bool { kind == .integer || kind == .continuous }

  /// A name for messages.
  var quoted: String { excerpt(name) }

  /// A message about a field.
  struct Message: Error { let text: String; init(_ text: String) { self.text = text } }
}

/// The shortest decimal of a number, such as 5 instead of 5.0.
func spelled(_ x: Double) -> String {
  let text = "\(x == 0 ? 0 : x)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

extension TableColumn {
  /// The kind, the rounding, the bounds and the map, in a few words.
  package var summary: String {
    var words = [kind.rawValue]
    switch content {
    case .derived(let derivation): words.append(derivation.words)
    case .levels(let levels):
      if kind != .constant { words.append("\(levels.count) levels") }
    case .numbers(let scale):
      if scale.step > 0, kind == .continuous { words.append("rounded to \(spelled(scale.step))") }
      if scale.lower != nil || scale.upper != nil {
        words.append("\(scale.lower.map(spelled) ?? "") to \(scale.upper.map(spelled) ?? "")")
      }
      if !scale.spikes.isEmpty {
        words.append("often \(scale.spikes.map(scale.text).joined(separator: " "))")
      }
      switch scale.curve {
      case .identity: break
      case .log: words.append("log")
      case .logit: words.append("logit")
      case .asinh: words.append("asinh")
      }
    }
    if missing != nil { words.append("missing values") }
    return words.joined(separator: ", ")
  }

  /// The text of a cell as JSON: a number for columns of numbers, null for a missing value.
  package func json(_ text: String?) -> JSON {
    guard let text else { return .null }
    return isOfNumbers
      ? Int(text).map(JSON.integer) ?? Double(text).map(JSON.number) ?? .string(text)
      : .string(text)
  }
}
