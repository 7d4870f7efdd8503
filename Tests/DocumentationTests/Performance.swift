import Flows

/// The code of the article Performance, block by block to the letter.
// swift-format-ignore
func performance(path: String) throws {
  // block 1
  let data = try MappedArray(path)
  for batch in data.batches(of: 256, key: Key(0)) {      // one pass, in an order drawn from the key
    let rows = try data.rows(batch)                      // [256, columns]
    print(rows.shape)
  }
  // end
}
