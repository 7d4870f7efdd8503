import Randomness
import Tensors
import Testing

@testable import Training

/// Assignments against plain shortest augmenting paths, row by row.
@Suite struct LeastAssignmentTests {
  @Test(arguments: [0, 1, 2, 3, 7, 40, 120], [false, true])
  func costTheLeast(count: Int, hasTies: Bool) {
    for seed in 0..<(count > 20 ? 2 : 20) {
      let draws = Key(seed).uniform([count, count], in: -2..<5, dtype: .float64)
      let costs = (hasTies ? floor(draws) : draws).doubles
      let found = leastAssignment(costs: costs, count: count)
      #expect(Set(found) == Set(0..<count) && found.count == count)
      let own = found.enumerated().reduce(0) { $0 + costs[$1.offset * count + $1.element] }
      let least = leastCost(costs, count)
      #expect(abs(own - least) < 1e-9 * Double(count + 1), "\(count), seed \(seed): \(own), \(least)")
    }
  }

  /// The least cost, by the dual variables of the plain method.
  private func leastCost(_ costs: [Double], _ count: Int) -> Double {
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
          if distance[j] < step { (step, next) = (distance[j], j) }
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
      while column != count {
        rowOfColumn[column] = rowOfColumn[previous[column]]
        column = previous[column]
      }
    }
    return (0..<count).reduce(0) { $0 + costs[rowOfColumn[$1] * count + $1] }
  }
}
