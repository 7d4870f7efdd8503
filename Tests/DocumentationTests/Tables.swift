import Flows

/// The code of the article Tables, block by block to the letter.
// swift-format-ignore
func tables(
  _ text: String
) throws -> (kinds: [ColumnKind], scores: Tensor, draws: TableDraws, given: TableDraws) {
  // block 1
  let table = try TextTable.parse(text)
  var options = TableSchema.Options()
  options.bounds = ["age": 17...90]
  let (schema, rows) = try TableSchema.infer(from: table, options: options)
  let kinds = schema.columns.map(\.kind)   // categorical, integer, continuous
  // end
  // block 2
  var settings = FitSettings(rows: rows.count)
  settings.folds = 1
  settings.steps = 100
  let fit = try TableModel.fit(
    schema, to: schema.encode(table, rows: rows), settings: settings, key: Key(0))
  let scores = try fit.model.logLikelihood(of: schema.encode(table, rows: rows))
  // end
  // block 3
  let draws = try fit.model.sample(Key(1), count: 100)
  print(draws.text())
  let given = try fit.model.sample(Key(2), count: 100, given: ["city": "Bern", "income": "52.5"])
  // end
  // block 4
  let saved = SafeTensors(fit.model.params, metadata: ["schema": schema.text])
  let loaded = try TableModel(
    TableSchema(parsing: saved.metadata["schema"] ?? ""), flows: [.orderedSplines()], params: saved.tree)
  // end
  let again = try loaded.sample(Key(1), count: 100).text()
  precondition(again == draws.text())
  return (kinds, scores, draws, given)
}
