import Tensors

/// The steps of a batch in an order in which all rows can take them together.
package struct StepSchedule: Sendable {
  /// One step: the number of leading rows that take it, and its times.
  package typealias Entry = (rows: Int, times: StepTimes)

  /// The order of the rows: those with more steps come first. Nil: the rows stay in place.
  package let order: [Int]?
  /// The steps, first to last.
  package let entries: [Entry]

  /// Equal steps that all rows take.
  package init(steps count: Int, rows: Int, from first: Double, to last: Double) {
    order = nil
    entries = (0..<count).map { (rows, StepTimes($0, of: count, from: first, to: last)) }
  }

  /// The recorded steps of rows.
  package init(_ steps: [[(start: Double, length: Double, end: Double)]]) {
    let order = steps.indices.sorted { (-steps[$0].count, $0) < (-steps[$1].count, $1) }
    let longest = order.first.map { steps[$0].count } ?? 0
    entries = (0..<longest).map { k in
      let active = order.prefix { steps[$0].count > k }.map { steps[$0][k] }
      let times = StepTimes(
        starts: active.map(\.start), lengths: active.map(\.length), ends: active.map(\.end))
      return (active.count, times)
    }
    self.order = order
  }

  /// Takes the steps from a state on. Rows leave after their last step and return to their places.
  ///
  /// - Parameter advance: the state of the leading rows after a step.
  package func run(
    from state: Tensor, _ advance: (_ state: Tensor, _ step: Entry) -> Tensor
  ) -> Tensor {
    var (active, done): (Tensor, [Tensor]) = (order.map(state.rows) ?? state, [])
    for entry in entries {
      if entry.rows < active.rows {
        done.append(active[entry.rows..<active.rows])
        active = active[0..<entry.rows]
      }
      active = advance(active, entry)
    }
    let joined = done.isEmpty ? active : concatenate([active] + done.reversed(), axis: 0)
    return order.map { joined.rows(inverted($0)) } ?? joined
  }
}
