/// The column of each row of a square matrix of costs, each taken once, such that their sum is least.
///
/// Columns are first given to the rows that pay least for them, and rows bid against each other for their
/// best columns. The rest are added by shortest augmenting paths on reduced costs, so the result is exact;
/// O(n³). Of equal costs the first column counts. Jonker & Volgenant 1987, *A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems*.
///
/// - Precondition: the costs are finite.
func leastAssignment(costs: [Double], count: Int) -> [Int] {
  if count == 0 { return [] }
  var assignment = Assignment(costs: costs, count: count)
  assignment.reduceColumns()
  for _ in 0..<2 { assignment.bid() }
  assignment.augment()
  return assignment.columnOfRow
}

/// A partial assignment with prices of columns: each row of it has a column that is cheapest at these prices.
private struct Assignment {
  let costs: [Double]
  let count: Int
  var columnOfRow, rowOfColumn: [Int]
  var prices: [Double]

  init(costs: [Double], count: Int) {
    (self.costs, self.count) = (costs, count)
    columnOfRow = [Int](repeating: -1, count: count)
    (rowOfColumn, prices) = (columnOfRow, [Double](repeating: 0, count: count))
  }

  private var freeRows: [Int] { columnOfRow.indices.filter { columnOfRow[$0] < 0 } }

  /// The price of a column is its least cost. The first free row with that cost gets it.
  mutating func reduceColumns() {
    for column in (0..<count).reversed() {
      var best = 0
      for row in 0..<count where costs[row * count + column] < costs[best * count + column] { best = row }
      prices[column] = costs[best * count + column]
      if columnOfRow[best] < 0 { (columnOfRow[best], rowOfColumn[column]) = (column, best) }
    }
  }

  /// Each free row takes its cheapest column, whose price falls by the distance to the second cheapest. The
  /// row that had it tries again, if the price has fallen.
  mutating func bid() {
    for row in freeRows {
      var (bidder, rounds) = (row, 0)
      while bidder >= 0 && rounds < count {
        let (first, second, column) = twoCheapest(bidder)
        let former = rowOfColumn[column]
        let fall = second - first
        if fall <= 0 && former >= 0 { break }
        // A single column has no second cheapest.
        if fall.isFinite { prices[column] -= fall }
        if former >= 0 { columnOfRow[former] = -1 }
        (columnOfRow[bidder], rowOfColumn[column]) = (column, bidder)
        (bidder, rounds) = (former, rounds + 1)
      }
    }
  }

  private func twoCheapest(_ row: Int) -> (first: Double, second: Double, column: Int) {
    costs.withUnsafeBufferPointer { costs in
      prices.withUnsafeBufferPointer { prices in
        var (first, second, column) = (Double.infinity, Double.infinity, 0)
        for j in 0..<count {
          let reduced = costs[row * count + j] - prices[j]
          if reduced < first {
            (first, second, column) = (reduced, first, j)
          } else if reduced < second {
            second = reduced
          }
        }
        return (first, second, column)
      }
    }
  }

  /// Gives each free row a column along the shortest path of reduced costs to a free one.
  mutating func augment() {
    for row in freeRows {
      var distances = (0..<count).map { costs[row * count + $0] - prices[$0] }
      var previous = [Int](repeating: row, count: count)
      var (isDone, done) = ([Bool](repeating: false, count: count), [Int]())
      var (column, distance) = (-1, 0.0)
      while true {
        column = -1
        for j in 0..<count where !isDone[j] && (column < 0 || distances[j] < distances[column]) { column = j }
        distance = distances[column]
        let owner = rowOfColumn[column]
        if owner < 0 { break }
        isDone[column] = true
        done.append(column)
        let offset = distance - (costs[owner * count + column] - prices[column])
        costs.withUnsafeBufferPointer { costs in
          for j in 0..<count where !isDone[j] {
            let through = costs[owner * count + j] - prices[j] + offset
            if through < distances[j] { (distances[j], previous[j]) = (through, owner) }
          }
        }
      }
      for j in done { prices[j] += distances[j] - distance }
      var end = column
      while true {
        let owner = previous[end]
        rowOfColumn[end] = owner
        swap(&columnOfRow[owner], &end)
        if owner == row { break }
      }
    }
  }
}
