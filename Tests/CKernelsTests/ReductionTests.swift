import CKernels
import Testing

/// The order the header states.
private func orderedSum<T: Element>(_ x: ArraySlice<T>) -> T {
  var total = 0.0
  for start in stride(from: x.startIndex, to: x.endIndex, by: 1024) {
    var lanes = [T](repeating: 0, count: T.lanes)
    for (c, value) in x[start..<min(start + 1024, x.endIndex)].enumerated() { lanes[c % T.lanes] += value }
    var half = T.lanes / 2
    while half > 0 {
      for i in 0..<half { lanes[i] += lanes[i + half] }
      half /= 2
    }
    total += Double(lanes[0])
  }
  return T(total)
}

@Suite struct ReductionTests {
  @Test(arguments: [0, 1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 100, 1024, 1030, 2500]) func rows(_ columns: Int) {
    sums(Float.self, 3, columns)
    sums(Double.self, 3, columns)
    sums(Float.self, 37, min(columns, 70))
    sums(Double.self, 37, min(columns, 70))
  }

  func sums<T: Element>(_: T.Type, _ rows: Int, _ columns: Int) {
    var generator = Generator()
    let x = T.random(rows * columns, &generator)
    let row = { (r: Int) in x[r * columns..<(r + 1) * columns] }
    #expect(bits(T.sumRows(x, rows, columns)) == bits((0..<rows).map { orderedSum(row($0)) }))
    #expect(T.maxRows(x, rows, columns) == (0..<rows).map { row($0).max() ?? -.infinity })
    let columnOf = { (c: Int) in (0..<rows).map { x[$0 * columns + c] } }
    #expect(bits(T.sumColumns(x, rows, columns)) == bits((0..<columns).map { columnOf($0).reduce(0, +) }))
    #expect(T.maxColumns(x, rows, columns) == (0..<columns).map { columnOf($0).max()! })
    #expect(T.transpose(x, rows, columns) == (0..<columns).flatMap(columnOf))
    for reverse in [false, true] {
      let running = (0..<rows).flatMap { r -> [T] in
        var sum: T = 0
        let sums = (reverse ? Array(row(r).reversed()) : Array(row(r))).map { value -> T in
          sum += value
          return sum
        }
        return reverse ? sums.reversed() : sums
      }
      #expect(bits(T.cumsum(x, rows, columns, reverse: reverse)) == bits(running))
    }
  }

  @Test func maximaKeepNaN() {
    for at in [0, 5, 16, 39] {
      var x = [Float](repeating: 1, count: 40)
      x[at] = .nan
      #expect(Float.maxRows(x, 1, 40)[0].isNaN)
      #expect(Float.maxColumns(x, 40, 1)[0].isNaN)
      #expect(Float.maxColumns(x, 1, 40).map(\.isNaN) == x.map(\.isNaN))
    }
  }

  @Test func gatherAndScatter() {
    let x: [Float] = (0..<24).map { Float($0) }  // [2][4][3]
    let index: [Int32] = [3, 0, 3]
    var picked = [Float](repeating: .nan, count: 18)
    ck_gather(CK_F32, x, 2, 4, 3, index, 3, &picked)
    #expect(picked == [9, 10, 11, 0, 1, 2, 9, 10, 11, 21, 22, 23, 12, 13, 14, 21, 22, 23])
    var sums = [Float](repeating: 1, count: 24)
    ck_scatter_add(CK_F32, picked, 2, 4, 3, index, 3, &sums)
    #expect(sums == [1, 2, 3, 1, 1, 1, 1, 1, 1, 19, 21, 23, 13, 14, 15, 1, 1, 1, 1, 1, 1, 43, 45, 47])
    var single = [Double](repeating: .nan, count: 3)
    ck_gather(CK_F64, [5.0, 6, 7, 8], 1, 4, 1, index, 3, &single)
    #expect(single == [8, 5, 8])
  }

  @Test func steps() {
    var y = [Float](repeating: .nan, count: 19)
    let x = (0..<19).map { Float($0) }
    ck_binary(CK_F32, CK_SUBTRACT, [Float(100)], 0, x, 1, &y, 19)
    #expect(y == x.map { 100 - $0 })
    ck_select(CK_F32, x.map { Float($0 < 9 ? 0 : 1) }, 1, x, 1, [Float(-1)], 0, &y, 19)
    #expect(y == x.map { $0 < 9 ? -1 : $0 })
    ck_select(CK_F32, [Float(0)], 0, x, 1, x.map { -$0 }, 1, &y, 19)
    #expect(y == x.map { -$0 })
    ck_fill(CK_F32, 4, &y, 18)
    #expect(y == [Float](repeating: 4, count: 18) + [-18])
    let wide = (0..<19).map { Double($0) / 3 }
    var narrow = y
    ck_convert_f64_f32(wide, &narrow, 19)
    #expect(narrow == wide.map { Float($0) })
    var back = wide
    ck_convert_f32_f64(narrow, &back, 19)
    #expect(back == narrow.map { Double($0) })
  }
}
