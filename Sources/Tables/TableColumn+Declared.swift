import Tensors

// Columns that are declared instead of inferred, for models that must not look at the rows to find them.
extension TableColumn {
  /// Declares a column of texts, each one of some levels.
  ///
  /// - Parameter missing: the text of a missing value; nil if no value may be missing.
  /// - Precondition: there is a level, and no level occurs twice.
  public static func levels(_ name: String, _ levels: [String], missing: String? = nil) -> TableColumn {
    require(
      !levels.isEmpty && Set(levels).count == levels.count, "levels are different texts, got \(levels)")
    return TableColumn(name: name, kind: .categorical, missing: missing, content: .levels(levels))
  }

  /// Declares a column of numbers between bounds.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - bounds: the least and the greatest number.
  ///   - places: the decimals to which numbers are rounded, 0 for whole numbers; nil for numbers with a
  ///     density.
  ///   - isLogarithmic: whether the logarithm is modelled, as for prices.
  ///   - spikes: frequent numbers, which have probabilities of their own.
  ///   - missing: the text of a missing value; nil if no value may be missing.
  /// - Precondition: bounds that rise and are finite, above 0 for logarithms; 0 to 12 places.
  public static func numbers(
    _ name: String, in bounds: ClosedRange<Double>, places: Int? = nil, isLogarithmic: Bool = false,
    spikes: [Double] = [], missing: String? = nil
  ) -> TableColumn {
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    require(
      low < high && low.isFinite && high.isFinite && (!isLogarithmic || low > 0) && places ?? 0 >= 0
        && places ?? 0 <= 12 && spikes.allSatisfy(bounds.contains),
      "declared bounds are finite and rise, above 0 for logarithms, got \(bounds)")
    let step = places.map { places in (0..<places).reduce(1.0) { step, _ in step / 10 } } ?? 0
    var scale = NumberScale(spelling: .decimal(places: places ?? 15, isFixed: false), step: step)
    (scale.lower, scale.upper, scale.least, scale.most) = (low, high, low, high)
    scale.spikes = spikes
    // A number at the lower bound has a cell that ends above the origin.
    scale.curve = isLogarithmic ? .log(origin: min(0, low - step)) : .identity
    let ends = scale.curve(Tensor([low, high], dtype: .float64)).doubles
    // A uniform column has mean 0 and deviation 1 in the flow's units.
    (scale.mean, scale.deviation) = (0.5 * (ends[0] + ends[1]), (ends[1] - ends[0]) / 12.0.squareRoot())
    return TableColumn(
      name: name, kind: places == 0 ? .integer : .continuous, missing: missing, content: .numbers(scale))
  }
}

extension TableColumn {
  /// The declared bounds of a column of numbers; nil if one is not declared.
  public var bounds: ClosedRange<Double>? {
    guard let scale, let low = scale.lower, let high = scale.upper else { return nil }
    return low...high
  }

  /// Whether the logarithm of the numbers is modelled.
  public var isLogarithmic: Bool { if case .log = scale?.curve { true } else { false } }

  /// The text of a number, rounded as the column is.
  ///
  /// - Precondition: a column of numbers.
  public func text(of number: Double) -> String {
    guard let scale else { fatalError("\(quoted) is no column of numbers") }
    return scale.text(scale.step > 0 ? (number / scale.step).rounded() * scale.step : number)
  }
}

extension TableSchema {
  /// Declares a schema.
  ///
  /// - Precondition: there is a column, and names differ.
  public init(declaring columns: [TableColumn], hasHeader: Bool = true) {
    require(
      !columns.isEmpty && Set(columns.map(\.name)).count == columns.count,
      "a schema has columns of different names, got \(columns.map(\.name))")
    self.init(columns, hasHeader: hasHeader)
  }
}
