import Files
import Tensors

extension TableSchema {
  /// The schema as JSON on one line.
  public var text: String { json.text }

  package var json: JSON {
    ["version": 1, "header": .bool(hasHeader), "columns": .array(columns.map(\.json))]
  }

  /// Reads a schema that `text` gave.
  ///
  /// - Throws: `FlowError.mismatch` for any other text.
  public init(parsing text: String) throws(FlowError) {
    guard let json = try? JSON(parsing: Array(text.utf8)), let schema = TableSchema(json) else {
      throw .mismatch(
        who: "TableSchema", what: "a text", expected: "the JSON of a schema", got: excerpt(text))
    }
    self = schema
  }

  /// Reads a schema; nil for any other JSON.
  package init?(_ json: JSON) {
    guard json["version"] == 1, let all = json["columns"]?.array, (1...100_000).contains(all.count) else {
      return nil
    }
    hasHeader = json["header"] != false
    columns = all.compactMap(TableColumn.init)
    guard columns.count == all.count, Set(columns.map(\.name)).count == all.count,
      columns.allSatisfy({ $0.derivation == nil || isSound($0) })
    else { return nil }
  }
}

extension TableSchema {
  /// Whether a column's source has the content that the rule needs.
  private func isSound(_ column: TableColumn) -> Bool {
    guard let source = source(of: column).map({ columns[$0] }), source.derivation == nil else { return false }
    switch column.derivation?.rule {
    case .levels(let levels): return source.levels.count == levels.count
    case .line: return source.scale != nil
    case nil: return true
    }
  }
}

extension TableColumn {
  package var json: JSON {
    var members: [JSON.Member] = [
      .init("name", .string(name)), .init("kind", .string(kind.rawValue)),
      .init("missing", missing.map(JSON.string) ?? .null),
    ]
    switch content {
    case .levels(let levels): members.append(.init("levels", .strings(levels)))
    case .numbers(let scale): members.append(.init("numbers", scale.json))
    case .derived(let derivation): members.append(.init("derived", derivation.json))
    }
    return .object(members)
  }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string, let kind = (json["kind"]?.string).flatMap(ColumnKind.init) else {
      return nil
    }
    (self.name, self.kind, missing) = (name, kind, json["missing"]?.string)
    if let levels = json["levels"]?.array {
      let texts = levels.compactMap(\.string)
      guard (1...1_000).contains(levels.count), Set(texts).count == levels.count else { return nil }
      content = .levels(texts)
    } else if let derived = json["derived"] {
      guard let derivation = Derivation(derived) else { return nil }
      content = .derived(derivation)
    } else {
      guard [.continuous, .integer, .date].contains(kind),
        let scale = json["numbers"].flatMap(NumberScale.init)
      else { return nil }
      content = .numbers(scale)
    }
  }
}

extension Derivation {
  var json: JSON {
    var members: [JSON.Member] = [.init("from", .string(source))]
    switch rule {
    case .levels(let levels): members.append(.init("levels", .strings(levels)))
    case .line(let line, let spelling):
      members += [
        .init("slope", .number(line.slope)), .init("intercept", .number(line.intercept)),
        .init("relative_tolerance", .number(line.relativeTolerance)),
      ]
      members += spelling.members
    }
    return .object(members)
  }

  init?(_ json: JSON) {
    guard let source = json["from"]?.string else { return nil }
    self.source = source
    if let levels = json["levels"]?.array {
      let texts = levels.compactMap(\.string)
      guard !texts.isEmpty, texts.count == levels.count, Set(texts).count == texts.count else { return nil }
      rule = .levels(texts)
    } else {
      guard let slope = json["slope"]?.number, let intercept = json["intercept"]?.number,
        let spelling = NumberScale.Spelling(json), slope.isFinite, slope != 0, intercept.isFinite
      else { return nil }
      // Earlier files have none: their rules are exact.
      let tolerance = json["relative_tolerance"]?.number ?? 0
      guard tolerance >= 0, tolerance <= Line.rounding else { return nil }
      rule = .line(Line(slope: slope, intercept: intercept, relativeTolerance: tolerance), spelling)
    }
  }
}

extension NumberScale.Spelling {
  fileprivate var members: [JSON.Member] {
    switch self {
    case .decimal(let places, let isFixed):
      return [.init("places", .integer(places)), .init("fixed", .bool(isFixed))]
    case .date(let format):
      let mark = format.mark.map { JSON.string(String($0)) } ?? .null
      return [.init("date", ["mark": mark, "seconds": .bool(format.hasSeconds), "utc": .bool(format.isUTC)])]
    }
  }

  fileprivate init?(_ json: JSON) {
    if let date = json["date"] {
      let mark = date["mark"]?.string
      guard mark == nil || mark == " " || mark == "T" else { return nil }
      self = .date(
        DateFormat(mark: mark?.first, hasSeconds: date["seconds"] == true, isUTC: date["utc"] == true))
    } else {
      guard let places = json["places"]?.integer, (0...15).contains(places) else { return nil }
      self = .decimal(places: places, isFixed: json["fixed"] == true)
    }
  }
}

extension NumberScale {
  var json: JSON {
    var members = spelling.members
    members += [
      .init("step", .number(step)), .init("lower", lower.map(JSON.number) ?? .null),
      .init("upper", upper.map(JSON.number) ?? .null), .init("least", .number(least)),
      .init("most", .number(most)),
      .init("spikes", .array(spikes.map(JSON.number))), .init("curve", curve.json),
      .init("mean", .number(mean)), .init("deviation", .number(deviation)),
    ]
    return .object(members)
  }

  init?(_ json: JSON) {
    guard let spelling = Spelling(json) else { return nil }
    self.spelling = spelling
    guard let step = json["step"]?.number, let mean = json["mean"]?.number,
      let deviation = json["deviation"]?.number, let curve = json["curve"].flatMap(Curve.init),
      let spikes = json["spikes"]?.array?.compactMap(\.number), spikes.count <= 20
    else { return nil }
    (self.step, self.mean, self.deviation, self.curve, self.spikes) = (step, mean, deviation, curve, spikes)
    (lower, upper) = (json["lower"]?.number, json["upper"]?.number)
    (least, most) = (json["least"]?.number ?? .nan, json["most"]?.number ?? .nan)
    let numbers = [step, mean, deviation, least, most] + spikes + [lower, upper].compactMap { $0 }
    guard numbers.allSatisfy(\.isFinite), step >= 0, deviation > 0,
      (lower ?? -.infinity) <= upper ?? .infinity, least <= most
    else { return nil }
  }
}

extension Curve {
  fileprivate var json: JSON {
    switch self {
    case .identity: ["name": "identity"]
    case .log(let origin): ["name": "log", "origin": .number(origin)]
    case .logit(let low, let high): ["name": "logit", "low": .number(low), "high": .number(high)]
    case .asinh(let center, let width): ["name": "asinh", "center": .number(center), "width": .number(width)]
    }
  }

  fileprivate init?(_ json: JSON) {
    func number(_ name: String) -> Double? { json[name]?.number.flatMap { $0.isFinite ? $0 : nil } }
    switch json["name"]?.string {
    case "identity": self = .identity
    case "log":
      guard let origin = number("origin") else { return nil }
      self = .log(origin: origin)
    case "logit":
      guard let low = number("low"), let high = number("high"), low < high else { return nil }
      self = .logit(low: low, high: high)
    case "asinh":
      guard let center = number("center"), let width = number("width"), width > 0 else { return nil }
      self = .asinh(center: center, width: width)
    default: return nil
    }
  }
}
