/// The column of each row of a square matrix of costs, each taken once, such that their sum is least.
///
/// Rows are added one by one. Each addition is a shortest augmenting path by reduced costs, so the result is
/// exact; O(n³). Of equal costs the first column counts. Jonker & Volgenant 1987, *A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems*.
func leastAssignment(costs: [Double], count: Int) -> [Int] {
  // Position `count` stands for the row that is added: it is a column of its own until the path ends.
  var rowOfColumn = [Int](repeating: -1, count: count + 1)
  var (byRow, byColumn) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count + 1))
  for row in 0..<count {
    rowOfColumn[count] = row
    var distance = [Double](repeating: .infinity, count: count)
    var previous = [Int](repeating: count, count: count)
    var isDone = [Bool](repeating: false, count: count + 1)
    var column = count
    repeat {
      isDone[column] = true
      let current = rowOfColumn[column]
      var (step, next) = (Double.infinity, -1)
      for j in 0..<count where !isDone[j] {
        let reduced = costs[current * count + j] - byRow[current] - byColumn[j]
        if reduced < distance[j] { (distance[j], previous[j]) = (reduced, column) }
        if distance[j] < step || next < 0 { (step, next) = (distance[j], j) }
      }
      for j in 0...count {
        if isDone[j] {
          byRow[rowOfColumn[j]] += step
          byColumn[j] -= step
        } else {
          distance[j] -= step
        }
      }
      column = next
    } while rowOfColumn[column] >= 0
    // The path is walked back: each column takes the row of the one before it.
    while column != count {
      rowOfColumn[column] = rowOfColumn[previous[column]]
      column = previous[column]
    }
  }
  var columns = [Int](repeating: 0, count: count)
  for j in 0..<count { columns[rowOfColumn[j]] = j }
  return columns
}
