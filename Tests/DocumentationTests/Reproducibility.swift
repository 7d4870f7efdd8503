import Flows

/// The code of the article Reproducibility, block by block to the letter.
// swift-format-ignore
func reproducibility() throws -> Bool {
  // block 1
  let key = Key(7)
  let a = key.normal([1_000])
  let b = concatenate((0..<10).map { key.normal([100], from: 100 * $0) }, axis: 0)
  print(a.isIdentical(to: b))   // true: element i is the hash of the counter i
  // end
  return a.isIdentical(to: b)
}
