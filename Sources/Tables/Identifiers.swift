/// Whether the numbers of a column may identify the rows: whole numbers, no two of which are equal.
///
/// Prices may differ too, so this is a reason for a warning only. A hundred rows tell enough, or twenty under
/// a name such as `id` or `customer_id`.
package func mayIdentifyRows(_ numbers: [Double], named name: String) -> Bool {
  guard numbers.count >= (isNameOfIdentifiers(name) ? 20 : 100) else { return false }
  var seen: Set<Double> = []
  return numbers.allSatisfy { $0.rounded() == $0 && seen.insert($0).inserted }
}

private func isNameOfIdentifiers(_ name: String) -> Bool {
  let lower = name.lowercased()
  let words = ["id", "ids", "key", "uuid", "guid", "index", "idx", "no", "nr", "number", "code", "serial"]
  let last = lower.split { !$0.isLetter && !$0.isNumber }.last.map(String.init) ?? lower
  return words.contains(last) || name.hasSuffix("Id") || name.hasSuffix("ID")
}
