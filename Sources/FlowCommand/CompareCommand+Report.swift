import Flows

extension CompareCommand.Comparison {
  /// The comparison as text and as JSON.
  var report: Report {
    Report(
      text: (qualityLines + distanceLines + testLines + transferLines).joined(separator: "\n"), json: json)
  }

  private func name(_ column: Int) -> String { quality.columns[column].name }

  /// A score or an area with three decimals.
  private func shown(_ score: Double) -> String { score.isNaN ? "none" : decimals(score) }

  private var qualityLines: [String] {
    let strong = quality.pairs.filter(\.isStrong)
    var lines = [
      "quality \(shown(quality.score)), 1 is best: \(counted(real.rows, "real row")), "
        + counted(synthetic.rows, "synthetic row"),
      "  column shapes \(shown(quality.columnShapes))",
      "  pair trends \(shown(quality.pairTrends)), of \(strong.count) strong relations among "
        + "\(counted(quality.pairs.count, "pair")); of all pairs \(shown(quality.allPairTrends))",
      "", "columns",
    ]
    lines += table(
      quality.columns.map { ($0.name, $0.score, $0.isNumeric ? "numbers" : "categories") }, most: 40)
    let pairs = strong.isEmpty ? quality.pairs : strong
    let sorted = pairs.enumerated().filter { !$1.trend.score.isNaN }
      .sorted { ($0.element.trend.score, $0.offset) < ($1.element.trend.score, $1.offset) }
    if !sorted.isEmpty {
      lines += ["", "pairs\(strong.isEmpty ? "" : " with a strong relation"), the least alike first"]
      lines += table(
        sorted.map { _, pair in
          let strength =
            pair.isNumeric
            ? "correlation \(decimals(pair.trend.real)), \(decimals(pair.trend.synthetic)) synthetic"
            : "association \(decimals(pair.trend.real))"
          return ("\(name(pair.first)), \(name(pair.second))", pair.trend.score, strength)
        }, most: 10)
    }
    return lines
  }

  /// Lines of a name, a score and a note, in columns.
  private func table(_ rows: [(name: String, score: Double, note: String)], most: Int) -> [String] {
    let names = rows.prefix(most).map { row in String(row.name.map { $0.isNewline ? " " : $0 }) }
    let width = min(names.map(\.count).max() ?? 0, 40)
    let lines = zip(names, rows).map { whole, row in
      let name = whole.count > width ? whole.prefix(width - 1) + "…" : whole[...]
      let score = shown(row.score)
      return "  \(name)\(spaces(width - name.count))  \(score)\(spaces(5 - score.count))  \(row.note)"
    }
    return lines + (rows.count > most ? ["  and \(rows.count - most) more, all of them with --json"] : [])
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }

  /// The number of synthetic rows that stand in the real table too.
  private var copies: Int { distances.toTraining.count { $0 == 0 } }

  private var distanceLines: [String] {
    let source = training == nil ? "real" : "training"
    var lines = [
      "", "closest rows, by the mean difference of a column in units of its range",
      "  to a \(source) row: median \(decimals(distances.medianToTraining)); of random rows "
        + decimals(distances.medianOfRandom)
        + "; baseline protection \(shown(distances.baselineProtection))",
      "  \(copies) of \(counted(distances.toTraining.count, "row")) are in the \(source) table",
    ]
    if let heldOut = distances.medianToHeldOut, let share = distances.shareCloserToTraining, let trainingShare
    {
      lines.append(
        "  to a held-out row: median \(decimals(heldOut)); \(decimals(share)) of the rows are closer to "
          + "a training row, about \(decimals(trainingShare)) at most without copying")
    }
    return lines
  }

  private var testLines: [String] {
    guard let test else { return [] }
    return [
      "", "classifiers that tell the tables apart, AUC: 0.5 cannot, 1 always",
      "  logistic regression \(shown(test.logistic)), network \(shown(test.network))",
    ]
  }

  private var transferLines: [String] {
    guard let (target, test) = transfer else { return [] }
    return [
      "", "prediction of \(target) on the real rows, \(test.isNumeric ? "R²" : "AUC")",
      "  \(shown(test.synthetic)) trained on synthetic rows, \(shown(test.training)) on training rows",
    ]
  }

  private var json: JSON {
    let columns = quality.columns.map { column -> JSON in
      [
        "name": .string(column.name), "kind": .string(column.isNumeric ? "numbers" : "categories"),
        "score": .number(column.score),
      ]
    }
    let pairs = quality.pairs.map { pair -> JSON in
      [
        "columns": .strings([name(pair.first), name(pair.second)]),
        "metric": .string(pair.isNumeric ? "correlation" : "contingency"), "score": .number(pair.trend.score),
        "real": .number(pair.trend.real), "synthetic": .number(pair.trend.synthetic),
        "strong": .bool(pair.isStrong),
      ]
    }
    func optional(_ number: Double?) -> JSON { number.map(JSON.number) ?? .null }
    return [
      "quality": .number(quality.score), "column_shapes": .number(quality.columnShapes),
      "pair_trends": .number(quality.pairTrends), "all_pair_trends": .number(quality.allPairTrends),
      "rows": .integer(real.rows), "synthetic_rows": .integer(synthetic.rows),
      "columns": .array(columns), "pairs": .array(pairs),
      "median_distance": .number(distances.medianToTraining),
      "median_distance_of_random": .number(distances.medianOfRandom),
      "baseline_protection": .number(distances.baselineProtection), "copies": .integer(copies),
      "median_distance_to_held_out": optional(distances.medianToHeldOut),
      "closer_to_training": optional(distances.shareCloserToTraining),
      "expected_closer_to_training": optional(trainingShare),
      "overfitting_protection": optional(distances.overfittingProtection),
      "target": transfer.map { .string($0.target) } ?? .null,
      "prediction": optional(transfer?.test.synthetic),
      "prediction_of_training": optional(transfer?.test.training), "auc_logistic": optional(test?.logistic),
      "auc_network": optional(test?.network),
    ]
  }
}
