import Arguments
import Flows

/// The declared numbers of `flow fit --private`, and the report of them.
struct PrivateOptions {
  static let options: [Arguments.Option] = [
    .init(flag: "private", "fit with differential privacy; needs the options from --epsilon to --steps"),
    .init("epsilon", "E", "private: what all steps may reveal about a row: 1 is strong, 8 weak"),
    .init("delta", "D", "private: the probability that epsilon fails, well below 1 / rows"),
    .init("sampling-rate", "Q", "private: the probability that a row joins a step"),
    .init(
      "expected-batch", "B", "private: about the rows of a step, a declared number; sums are divided by it"),
    .init("clip", "C", default: "1", "private: the largest norm of a row's gradient"),
    .init("schema", "FILE", "private: the declared columns of a mixed table, as JSON, instead of --bounds"),
    .init(
      "bounds-share", "S", default: "0.1", "private: the part of epsilon that buys bounds"),
    .init("points", "N", default: "131072", "private: the accountant's grid points, a power of two"),
    .init("not-private-seed", "N", "private: noise that everybody can repeat, for tests; NOT private"),
  ]

  /// Options that read the rows without a charge, with the option to use instead.
  private static let refused = [
    ("columns", "--bounds or --schema names the columns"),
    ("without", "--bounds or --schema names the columns"),
    ("context", "a private fit takes no context"), ("epochs", "give --steps"),
    ("max-time", "give --steps"), ("batch-size", "give --sampling-rate and --expected-batch"),
    ("patience", "all steps are taken"), ("folds", "no rows are held out"),
    ("validation", "no rows are held out"), ("type", "--schema declares the columns"),
    ("missing", "--schema declares missing values"), ("picture", "the losses must not be known"),
  ]

  let epsilon, delta, rate, batch: Double
  let steps: Int
  /// The part of ε that buys bounds.
  private let boundsShare: Double
  let clipping: RowClipping
  let accountant: PLDAccountant
  let noise: NoiseSource
  let optimizer: any Optimizer
  let dtype: DType
  let key: Key

  /// Reads the command line.
  init(_ arguments: Arguments, noting notices: Notices) throws {
    for (option, instead) in Self.refused where arguments.value(option) != nil {
      throw UsageError("--\(option) does not go with --private: \(instead)")
    }
    if arguments.has("no-standardize") {
      throw UsageError("--no-standardize does not go with --private: --bounds set the scales")
    }
    for option in ["epsilon", "delta", "sampling-rate", "expected-batch", "steps"]
    where arguments.value(option) == nil {
      throw UsageError("--private needs --\(option)")
    }
    steps = try arguments.integer("steps", in: 1...10_000_000)
    epsilon = try arguments.number("epsilon", in: 1e-3...1e3)
    delta = try arguments.number("delta", in: 1e-50...0.5)
    rate = try arguments.number("sampling-rate", in: 1e-9...1)
    batch = try arguments.number("expected-batch", in: 1e-3...1e9)
    boundsShare = try arguments.number("bounds-share", in: 1e-3...0.9)
    clipping = .perRow(try arguments.number("clip", in: 1e-9...1e9))
    noise =
      arguments.value("not-private-seed") == nil
      ? .secret()
      : .notPrivate(
        seed: UInt64(bitPattern: Int64(try arguments.integer("not-private-seed", in: .min ... .max))))
    let learningRate = try arguments.value("learning-rate").map { _ in
      try arguments.number("learning-rate", in: 1e-12...1e3)
    }
    let decay = try arguments.value("weight-decay").map { _ in
      try arguments.number("weight-decay", in: 0...1e6)
    }
    optimizer = MovingAverage(
      AdamW(
        learningRate: .cosine(learningRate ?? 2e-3, steps: steps), weightDecay: decay ?? 0,
        decayed: .matrices), decay: 0.99)
    dtype = try arguments.value("dtype", from: ["float32": DType.float32, "float64": .float64])
    key = Key(try arguments.seed())
    let points = try arguments.integer("points", in: 1 << 8...1 << 24)
    guard points.nonzeroBitCount == 1 else {
      throw UsageError("expected a power of two for --points, got \(points)")
    }
    accountant = PLDAccountant(points: points)
    if !noise.isPrivate {
      notices.warn("--not-private-seed: anybody can subtract this noise, so the model is NOT private")
    }
    notices.warn(
      "the number of rows is private too: do not derive --sampling-rate, --expected-batch, --steps, --delta "
        + "or the columns' bounds and levels from this file")
  }

  /// A search for bounds that are to be bought; nil if all are given.
  func search(for names: [String]) throws(PrivacyError) -> RangeSearch? {
    names.isEmpty ? nil : try RangeSearch(epsilon: boundsShare * epsilon, delta: delta, by: accountant)
  }

  /// The charge of a search.
  func ledger(of search: RangeSearch?) throws(PrivacyError) -> PrivacyLedger {
    if let search { return try search.ledger }
    return PrivacyLedger()
  }

  /// The ε of a plan by both accountants.
  typealias Spent = (moments: Double, losses: PrivacyBounds)

  /// The numbers of the guarantee, for the model file and programs. None depends on the rows.
  ///
  /// - Parameter fits: The number of fits with the plan's steps, which all count.
  func numbers(_ plan: PrivacyPlan, _ spent: Spent, fits: Int = 1) -> [JSON.Member] {
    [
      .init("private", .bool(noise.isPrivate)), .init("epsilon", .number(spent.losses.upper)),
      .init("epsilon_lower", .number(spent.losses.lower)), .init("epsilon_rdp", .number(spent.moments)),
      .init("delta", .number(plan.delta)), .init("sampling_rate", .number(plan.mechanism.rate)),
      .init("noise", .number(plan.mechanism.noiseMultiplier)), .init("steps", .integer(fits * plan.steps)),
      .init("clip", .number(plan.clipping.bound)), .init("expected_batch", .number(plan.batch)),
    ]
  }

  /// The report of a fit.
  func report(
    _ fitted: String, _ plan: PrivacyPlan, _ spent: Spent, fits: Int = 1,
    bought: [(name: String, bounds: ClosedRange<Double>)], isCancelled: Bool, to out: String,
    _ members: [JSON.Member]
  ) -> Report {
    var lines = [
      "fitted \(fitted)",
      noise.isPrivate
        ? "epsilon \(decimals(spent.losses.upper)) at delta \(plan.delta), for one row more or less "
          + "(\(decimals(spent.moments)) by Rényi divergences)"
        : "NOT private: the noise can be repeated from its seed",
      "rate \(plan.mechanism.rate), noise \(decimals(plan.mechanism.noiseMultiplier)) times the norm "
        + "\(plan.clipping.bound)",
      "the likelihood is not known: computing it on these rows would reveal more about them",
    ]
    for (name, bounds) in bought {
      lines.append(
        "bought bounds of \(name): \(decimals(bounds.lowerBound)) to \(decimals(bounds.upperBound))")
    }
    if isCancelled { lines.append("interrupted: epsilon is that of all steps") }
    lines.append("wrote \(out)")
    var json = [JSON.Member("model", .string(out))] + members + numbers(plan, spent, fits: fits)
    if !bought.isEmpty {
      let ends = bought.map {
        JSON.Member($0.name, .array([.number($0.bounds.lowerBound), .number($0.bounds.upperBound)]))
      }
      json.append(.init("bought_bounds", .object(ends)))
    }
    if isCancelled { json.append(.init("interrupted", true)) }
    return Report(text: lines.joined(separator: "\n"), json: .object(json), code: isCancelled ? 130 : 0)
  }
}
