import Arguments
import FittedModels
import Flows

/// The observables of histories and the measured data of `flow finetune`, from files.
struct MeasuredTable {
  /// The loss of each observable, or of all of them.
  enum Loss {
    case binned(ObservedData.BinnedLoss, bins: Int?)
    case distance(ObservedData.Distance)

    init(_ arguments: Arguments) throws(UsageError) {
      let bins = try arguments.value("bins") == nil ? nil : arguments.integer("bins", in: 2...10_000)
      let kind = try arguments.value(
        "loss",
        from: ["chi-squared": 0, "cross-entropy": 1, "wasserstein": 2, "energy": 3])
      if kind > 1, bins != nil { throw UsageError("--bins is for --loss chi-squared and cross-entropy") }
      self =
        kind < 2
        ? .binned(kind == 0 ? .chiSquared : .crossEntropy, bins: bins)
        : .distance(kind == 2 ? .wasserstein : .energy)
    }
  }

  /// The losses.
  let data: [ObservedData]
  /// The column with the history's number.
  private let column: String
  private let file: TableFile
  /// The numbers of the histories, in the file's order, and their observables.
  private let numbers: [Double]
  private let observables: Tensor

  /// Reads one row per history, and the measured data.
  init(
    _ path: String, _ target: String, _ arguments: Arguments, noting notices: Notices
  ) throws {
    column = arguments.text("history")
    let asked = try Table.names("observe", arguments)
    file = try TableFile.read([path], arguments, known: [column] + (asked ?? []), noting: notices)
    let measured = try TableFile.read([target], arguments, known: asked ?? [], noting: notices)
    guard let place = file.names.firstIndex(of: column) else { throw file.missing([column]) }
    let names = try asked ?? MeasuredTable.common(file, measured, except: column)
    func columns(_ names: [String], _ file: TableFile) throws -> [Int] {
      let places = names.map { file.names.firstIndex(of: $0) }
      let missing = zip(names, places).filter { $1 == nil }.map(\.0)
      if !missing.isEmpty { throw file.missing(missing) }
      return places.map { $0! }
    }
    if names.contains(column) { throw UsageError("--observe names \(column), the history's number") }
    numbers = try file.numbers([place]).doubles
    observables = try file.numbers(columns(names, file))
    // A file without a header may hold the observables alone, in their order.
    let isBare = !measured.hasNames && measured.names.count == names.count
    let values = try measured.numbers(isBare ? Array(names.indices) : columns(names, measured))
    data = try MeasuredTable.data(names, values, try Loss(arguments), measured.source)
  }

  /// The observables that both files name.
  private static func common(
    _ file: TableFile, _ measured: TableFile, except column: String
  ) throws -> [String] {
    guard file.hasNames && measured.hasNames else {
      throw UsageError("files without a header need --observe, such as --observe '#2'")
    }
    let names = file.names.enumerated().filter { i, name in
      name != column && file.incidental[i] == nil && measured.names.contains(name)
    }.map(\.element)
    guard !names.isEmpty else {
      throw FlowError.inFile(
        measured.source,
        "expected an observable of \(file.source), such as "
          + "\(file.names.first { $0 != column } ?? "none"), got \(measured.names.joined(separator: ", "))")
    }
    return names
  }

  private static func data(
    _ names: [String], _ values: Tensor, _ loss: Loss, _ source: String
  ) throws -> [ObservedData] {
    switch loss {
    case .distance(let distance):
      return [
        .samples(
          values, distance: distance, observables: Array(names.indices), name: names.joined(separator: ","))
      ]
    case .binned(let loss, let bins):
      return try names.enumerated().map { i, name in
        let own = values.sliced(axis: 1, i..<i + 1)
        let bins = MeasuredTable.bins(of: own.doubles, bins)
        let full = bins.shares(of: own.doubles).dropLast().filter { $0 * Double(own.rows) >= 19.5 }.count
        guard full > 1 else {
          throw FlowError.inFile(
            source,
            "expected two bins or more of at least 20 values of \(name), got \(full) of \(bins.count) "
              + "bins; give --bins a lower number, more rows, or --loss wasserstein, which needs no bins")
        }
        return .histogram(own, bins: bins, by: loss, observable: i, name: name)
      }
    }
  }

  /// Bins of equal content, or by default unit bins for whole numbers in a small range.
  private static func bins(of values: [Double], _ count: Int?) -> Bins {
    let sorted = values.sorted()
    let (low, high) = (sorted[0], sorted[sorted.count - 1])
    if count == nil, high - low <= 200, abs(low) < 1e9, values.allSatisfy({ $0 == $0.rounded() }) {
      return Bins(whole: Int(low)...Int(high))
    }
    // Bins of 20 values at least, as χ² needs them.
    let count = count ?? min(20, max(2, values.count / 20))
    var edges = [low]
    for i in 1...count {
      let edge = i == count ? high : sorted[i * sorted.count / count]
      if edge > edges[edges.count - 1] { edges.append(edge) }
    }
    return Bins(edges: edges.count > 1 ? edges : [low.nextDown, low, low.nextUp])
  }

  /// Reads the emissions of the histories.
  func histories(
    of model: Model, _ paths: [String], _ arguments: Arguments, noting notices: Notices
  ) throws -> Histories {
    let table = try Table.read(paths, for: model, besides: [column], arguments, noting: notices)
    guard let place = table.file.names.firstIndex(of: column) else { throw table.file.missing([column]) }
    var known: [Double: Int] = [:]
    for (row, number) in numbers.enumerated() where known.updateValue(row, forKey: number) != nil {
      throw error(file, row, "expected each history once, got \(text(number)) again")
    }
    var segments: [Int] = []
    for (row, number) in try table.file.numbers([place]).doubles.enumerated() {
      guard let history = known[number] else {
        throw error(
          table.file, row, "expected a history of \(file.source), got \(text(number)); add its observables")
      }
      segments.append(history)
    }
    var counts = [Int](repeating: 0, count: numbers.count)
    for segment in segments { counts[segment] += 1 }
    if let row = counts.firstIndex(of: 0) {
      throw error(
        file, row,
        "expected a history with emissions, got \(text(numbers[row])) without any; remove the row, or add "
          + "the draws that the simulator vetoed")
    }
    let context = try model.given.flatMap { given in
      try table.context.map { try given.standardized($0.values, model.dtype) }
    }
    return try Histories(
      table.rows(model.scales, model.dtype), context: context, segments: segments, observables: observables)
  }

  private func error(_ file: TableFile, _ row: Int, _ message: String) -> FlowError {
    file.error(row: row, column: file.names.firstIndex(of: column)!, message)
  }

  private func text(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}
