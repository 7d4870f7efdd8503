import Arguments
import Flows

/// `flow compare`: judges a synthetic table by a real one.
enum CompareCommand: Subcommand {
  static let name = "compare"
  static let purpose = "Compare a synthetic table with a real one: columns, pairs, closest rows, classifiers."
  static let operands = ["REAL", "SYNTHETIC"]

  private static let ownOptions: [Arguments.Option] = [
    .init(
      "train", "FILE", "the rows that the model was fitted to; REAL then holds rows that it has not seen"),
    .init(
      "target", "A", "with --train: how well a network predicts this column of REAL, trained on SYNTHETIC"),
    .init("categorical", "A,B,...", "columns of numbers that are categories"),
    .init("without", "A,B,...", "columns to leave out, such as names of the rows"),
    .init("picture", "FILE", "draw the columns there (.svg), and the pairs beside it; or a folder for both"),
    .init("rows", "N", default: "20000", "the most rows of each table for distances, chosen at random"),
    .init(
      "steps", "N", default: "400", "steps of the classifiers that tell the tables apart; 0 leaves them out"),
    .seed,
  ]

  static let options = ownOptions + TableFile.options

  static let examples = [
    "flow compare real.csv synthetic.csv",
    "flow compare held-out.csv synthetic.csv --train train.csv --picture compared.svg",
    "flow compare held-out.csv synthetic.csv --train train.csv --target price",
    "flow compare real.csv synthetic.csv --categorical zip,grade --without id --json",
  ]

  /// The results of a comparison.
  struct Comparison {
    let real, synthetic: ComparedTable
    let training: ComparedTable?
    let quality: TableQuality
    let distances: RecordDistances
    /// The share of training rows among the real rows for the distances.
    let trainingShare: Double?
    let test: TwoSampleTest?
    let transfer: (target: String, test: TransferTest)?
  }

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let key = Key(try arguments.seed())
    let rows = try arguments.integer("rows", in: 1...1_000_000)
    let steps = try arguments.integer("steps", in: 0...1_000_000)
    let pictures = try picturePaths(arguments)
    let target = arguments.value("target")
    if target != nil && (arguments.value("train") == nil || steps == 0) {
      throw UsageError("--target goes with --train FILE, and with --steps above 0")
    }
    let paths = arguments.operands + (arguments.value("train").map { [$0] } ?? [])
    let tables = try tables(paths, arguments, notices)
    let (real, synthetic, training) = (tables[0], tables[1], tables.count > 2 ? tables[2] : nil)
    if let target, !real.columns.contains(where: { $0.name == target }) {
      throw UsageError(
        "expected a column for --target, such as \(quotedInOption(real.columns[0].name)), got \(target)")
    }
    warn(of: real, notices)

    func few(_ table: ComparedTable, _ i: Int) -> ComparedTable {
      table.rows > rows ? table.sample(key.folded(in: 0).folded(in: i), rows: rows) : table
    }
    let (known, heldOut) = (few(training ?? real, 0), training == nil ? nil : few(real, 1))
    let comparison = Comparison(
      real: real, synthetic: synthetic, training: training,
      quality: TableQuality(real: real, synthetic: synthetic),
      distances: RecordDistances(
        of: few(synthetic, 2), training: known, heldOut: heldOut, key: key.folded(in: 1)),
      trainingShare: heldOut.map { Double(known.rows) / Double(known.rows + $0.rows) },
      test: steps == 0
        ? nil
        : try TwoSampleTest(
          real: real, synthetic: synthetic, settings: .init(steps: steps), key: key.folded(in: 2)),
      transfer: try target.flatMap { target in
        try training.map { training in
          let test = try TransferTest(
            target, real: real, synthetic: synthetic, training: training, settings: .init(steps: steps),
            key: key.folded(in: 3))
          return (target, test)
        }
      })
    var report = comparison.report
    if let pictures {
      try comparison.columnsPicture.write(to: pictures.columns)
      try comparison.pairsPicture.write(to: pictures.pairs)
      report.text += "\n\nwrote \(pictures.columns) and \(pictures.pairs)"
    }
    return report
  }

  /// The paths of the two pictures.
  private static func picturePaths(_ arguments: Arguments) throws -> (columns: String, pairs: String)? {
    guard let path = arguments.value("picture") else { return nil }
    if FileBytes.isWritable(path + "/.") {
      let folder = path.hasSuffix("/") ? path : path + "/"
      return (folder + "columns.svg", folder + "pairs.svg")
    }
    guard path.lowercased().hasSuffix(".svg") else {
      throw UsageError("expected a name that ends in .svg, or a folder, for --picture, got \(path)")
    }
    guard let path = try Output.path("picture", [".svg"], in: arguments) else { return nil }
    return (path, path.dropLast(4) + "-pairs" + path.suffix(4))
  }

  /// Reads the tables, with the same columns.
  private static func tables(
    _ paths: [String], _ arguments: Arguments, _ notices: Notices
  ) throws -> [ComparedTable] {
    let categorical = try Table.names("categorical", arguments) ?? []
    let without = try Table.names("without", arguments) ?? []
    var (texts, arrays): ([TextTable], [(values: Tensor, source: String)]) = ([], [])
    for path in paths {
      let file = try TableFile.read([path], arguments, noting: notices)
      if texts.isEmpty && arrays.isEmpty {
        for name in categorical + without where !file.names.contains(name) { throw file.missing([name]) }
      }
      switch file {
      case .texts(let table): texts.append(table)
      case .array(let values, let source): arrays.append((values, source))
      }
    }
    guard texts.isEmpty || arrays.isEmpty else {
      throw UsageError("tables as text and as arrays do not go together")
    }
    let (asCategories, omitted) = (Set(categorical), Set(without))
    if arrays.isEmpty {
      return try ComparedTable.aligned(texts, categorical: asCategories, without: omitted)
    }
    return try arrays.map { values, source in
      let (width, wanted) = (values.shape[1], arrays[0].values.shape[1])
      if width != wanted {
        throw FlowError.inFile(source, "expected \(wanted) columns, as in \(arrays[0].source), got \(width)")
      }
      return try table(of: values, source, asCategories, omitted)
    }
  }

  /// The columns of an array, where NaN is a missing value.
  private static func table(
    of values: Tensor, _ source: String, _ categorical: Set<String>, _ without: Set<String>
  ) throws(FlowError) -> ComparedTable {
    var columns: [ComparedTable.Column] = []
    for column in 0..<values.shape[1] where !without.contains("#\(column + 1)") {
      let (name, numbers) = ("#\(column + 1)", values.sliced(axis: 1, column..<column + 1).doubles)
      if let row = numbers.firstIndex(where: \.isInfinite) {
        throw .inFile(
          source, row: row + 1, column: column + 1, "expected a finite number or NaN, got \(numbers[row])")
      }
      columns.append(
        categorical.contains(name)
          ? .init(name, .categories(numbers.map { $0.isNaN ? nil : "\($0)" }))
          : .init(name, .numbers(numbers)))
    }
    guard !columns.isEmpty else { throw .inFile(source, "expected columns to compare, got none") }
    return ComparedTable(columns)
  }

  /// Warns of columns that look like names of the rows.
  private static func warn(of table: ComparedTable, _ notices: Notices) {
    for column in table.columns {
      guard case .categories(let values) = column.values else { continue }
      let distinct = Set(values.compactMap { $0 }).count
      if distinct > max(50, table.rows / 2) {
        notices.warn(
          "\(column.name) has \(distinct) categories in \(table.rows) rows, as names of rows do; "
            + "--without leaves it out")
      }
    }
  }
}
