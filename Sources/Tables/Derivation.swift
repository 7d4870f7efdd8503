import Files

/// The rule by which a column follows from another one in all rows.
///
/// Such a column has no density of its own: the joint density would be unbounded. So it is left out of the
/// model, and draws compute it.
struct Derivation: Sendable, Hashable {
  /// The name of the other column.
  let source: String
  let rule: Rule

  enum Rule: Sendable, Hashable {
    /// The numbers lie on a line, and are written in a way.
    case line(Line, NumberScale.Spelling)
    /// The levels, one for each of the source's in their order.
    case levels([String])
  }

  /// The rule in words, such as `2 · x + 1`.
  var words: String {
    switch rule {
    case .levels: return "one level for each of \(source)"
    case .line(let line, _):
      let (slope, inverse) = (spelled(line.slope), spelled(1 / line.slope))
      let isInverse = slope.count > 8 && inverse.count < slope.count
      if line.slope == -1, line.intercept == 0 { return "-\(source)" }
      let term = line.slope == 1 ? source : isInverse ? "\(source) / \(inverse)" : "\(slope) · \(source)"
      if line.intercept == 0 { return term }
      return term + (line.intercept < 0 ? " − " : " + ") + spelled(abs(line.intercept))
    }
  }
}

extension TableColumn {
  var derivation: Derivation? { if case .derived(let rule) = content { rule } else { nil } }

  /// The rule by which the column follows from another one in all rows, such as `y = 2 · x + 1`; nil for a
  /// column of its own.
  public var dependence: String? {
    derivation.map { derivation in
      if case .levels = derivation.rule { return "\(name) has \(derivation.words)" }
      return "\(name) = \(derivation.words)"
    }
  }

  /// The texts that follow from texts of the source column; nil for missing values.
  func texts(from texts: [String?], in source: TableColumn) -> [String?] {
    switch derivation?.rule {
    case nil: return texts
    case .line(let line, let spelling):
      return texts.map { $0.flatMap(source.number).map { spelling.text(line($0)) } }
    case .levels(let levels):
      let own = Dictionary(zip(source.levels, levels)) { first, _ in first }
      return texts.map { $0.flatMap { own[$0] } }
    }
  }

  /// A message if a field is not the one that follows from the source column's field.
  func misfit(_ field: Field, from other: Field, in source: TableColumn) -> Message? {
    guard let derivation else { return nil }
    let got = isMissing(field) ? nil : field
    var expected: String?
    if !source.isMissing(other) {
      switch derivation.rule {
      case .line(let line, let spelling):
        guard let x = source.number(of: other) else { return nil }
        if let got, let y = number(of: got), line.contains(x, y, in: spelling) { return nil }
        expected = spelling.text(line(x))
      case .levels(let levels):
        guard let code = source.code(of: other) else { return nil }
        if let got, self.code(of: got) == code { return nil }
        expected = levels[min(code, levels.count - 1)]
      }
    } else if got == nil {
      return nil
    }
    return Message(
      "expected \(expected.map { excerpt($0) } ?? "a missing value") in \(quoted), got "
        + (got.map { excerpt($0.text) } ?? "a missing one")
        + "; all rows of the fit have \(excerpt(dependence ?? ""))")
  }

  /// The text of the source column from which a field follows, or a message about the field.
  func sourceText(of field: Field, in source: TableColumn) -> Result<String, Message> {
    if isMissing(field) {
      return source.missing == nil
        ? .failure(Message("expected a value in \(quoted), got a missing one; the model's data had all"))
        : .success("")
    }
    switch derivation?.rule {
    case .levels(let levels):
      if let code = code(of: field), code < source.levels.count { return .success(source.levels[code]) }
      let known = levels.prefix(10).joined(separator: ", ") + (levels.count > 10 ? ", …" : "")
      return .failure(Message("expected one of \(known) in \(quoted), got \(excerpt(field.text))"))
    case .line(let line, let spelling):
      guard let y = number(of: field), let scale = source.scale else {
        return .failure(Message("expected a number in \(quoted), got \(excerpt(field.text))"))
      }
      let x = (y - line.intercept) / line.slope
      let text = scale.text(scale.step > 0 ? (x / scale.step).rounded() * scale.step : x)
      // A rounded column stands for many numbers of a finer one.
      let unit = scale.step > 0 ? scale.step : 1e-6 * scale.most - 1e-6 * scale.least
      guard let back = source.number(text), line.contains(back, y, in: spelling),
        ![back - unit, back + unit].contains(where: { line.contains($0, y, in: spelling) })
      else {
        return .failure(
          Message(
            "expected a value of \(source.quoted), from which \(quoted) follows, got \(quoted) = "
              + excerpt(field.text)))
      }
      return .success(text)
    case nil: return .success(field.text)
    }
  }
}
