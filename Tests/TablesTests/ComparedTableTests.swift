import Files
import Randomness
import Tensors
import Testing

@testable import Tables

@Suite struct ComparedTableTests {
  private func aligned(
    _ texts: String..., categorical: Set<String> = [], without: Set<String> = []
  ) throws -> [ComparedTable] {
    try ComparedTable.aligned(
      texts.enumerated().map { try TextTable.parse($1, source: "file \($0 + 1)") }, categorical: categorical,
      without: without)
  }

  private func numbers(_ table: ComparedTable, _ column: Int) -> [Double]? {
    if case .numbers(let values) = table.columns[column].values { values } else { nil }
  }

  private func categories(_ table: ComparedTable, _ column: Int) -> [String?]? {
    if case .categories(let values) = table.columns[column].values { values } else { nil }
  }

  /// A column is of numbers if it is in all files. Columns are found by name.
  @Test func kindsOfColumns() throws {
    let tables = try aligned(
      "x,y,day,code,grade\n1,2,1970-01-02,a,1\n,3,,,2\n",
      "y,x,code,grade,day\n2.5,oops,b,1.0,1970-01-01T00:00:02Z\nNaN,,a,,1970-01-03\n", categorical: ["grade"])
    for table in tables {
      #expect(table.columns.map(\.name) == ["x", "y", "day", "code", "grade"] && table.rows == 2)
      #expect(table.columns.map(\.isTime) == [false, false, true, false, false])
    }
    #expect(categories(tables[0], 0) == ["1", nil] && categories(tables[1], 0) == ["oops", nil])
    #expect(numbers(tables[0], 1) == [2, 3])
    #expect(numbers(tables[1], 1)?[0] == 2.5 && numbers(tables[1], 1)?[1].isNaN == true)
    #expect(numbers(tables[0], 2)?[0] == 86_400e9 && numbers(tables[1], 2) == [2e9, 2 * 86_400e9])
    #expect(categories(tables[0], 3) == ["a", nil])
    #expect(categories(tables[0], 4) == ["1", "2"] && categories(tables[1], 4) == ["1", nil])
  }

  @Test(arguments: [
    (
      "a,b\n1,2\n", "a,c\n1,2\n",
      "file 2: expected the columns of file 1, got them without \"b\" and with \"c\""
    ),
    ("a\n1\n", "c\n1\n", "file 2: expected the columns of file 1, got no column in common: \"c\", not \"a\""),
    (
      "a,b\n1,2\n", "a,b\n1,2\n3,inf\n",
      "file 2, row 3, column 2: expected a finite number or nothing in \"b\", got \"inf\""
    ),
  ]) func refused(_ a: String, _ b: String, _ message: String) {
    #expect {
      try aligned(a, b)
    } throws: {
      "\($0)" == message
    }
  }

  @Test func leavesOut() throws {
    let tables = try aligned(",a,b\n0,1,x\n1,5,y\n", "a,id\n3,7\n", without: ["b", "id"])
    #expect(tables.map { $0.columns.map(\.name) } == [["a"], ["a"]])
    #expect {
      try aligned("a\n1\n", without: ["a"])
    } throws: {
      "\($0)" == "file 1: expected columns to compare, got none"
    }
  }

  /// Random values lie in the range of the real ones, with their share of missing ones.
  @Test func randomRows() throws {
    let table = ComparedTable([
      .init("whole", .numbers([1, 2, 5])), .init("real", .numbers([0.5, .nan, -0.5])),
      .init("none", .numbers([.nan, .nan, .nan])), .init("word", .categories(["a", nil, "b"])),
    ])
    let random = table.random(Key(3), rows: 3_000)
    let whole = try #require(numbers(random, 0))
    #expect(Set(whole) == [1, 2, 3, 4, 5])
    let real = try #require(numbers(random, 1))
    #expect(abs(Double(real.count { $0.isNaN }) / 3_000 - 1.0 / 3) < 0.04)
    #expect(real.present.allSatisfy { abs($0) <= 0.5 } && real.present.max()! > 0.49)
    #expect(numbers(random, 2)?.allSatisfy(\.isNaN) == true)
    let word = try #require(categories(random, 3))
    #expect(Set(word) == ["a", "b", nil] && abs(Double(word.count { $0 == "a" }) / 3_000 - 1.0 / 3) < 0.04)
    #expect(numbers(table.random(Key(3), rows: 3_000), 0) == whole)
    #expect(numbers(table.sample(Key(1), rows: 10), 0)?.sorted() == [1, 2, 5])
    #expect(table.sample(Key(1), rows: 2).rows == 2)
  }

  /// Copies of training rows are closer to these than to held-out rows; rows of the same kind are not.
  @Test func copiesAreFound() throws {
    func rows(_ key: Key, _ count: Int) -> ComparedTable {
      ComparedTable([
        .init("x", .numbers(key.folded(in: 0).normal([count]).doubles)),
        .init("y", .numbers(key.folded(in: 1).normal([count]).doubles)),
      ])
    }
    let (training, heldOut, fresh) = (rows(Key(1), 150), rows(Key(2), 150), rows(Key(3), 150))
    let copied = RecordDistances(of: training, training: training, heldOut: heldOut, key: Key(0))
    #expect(copied.shareCloserToTraining == 1 && copied.overfittingProtection == 0)
    #expect(copied.medianToTraining == 0 && copied.baselineProtection == 0)
    let own = RecordDistances(of: fresh, training: training, heldOut: heldOut, key: Key(0))
    #expect(abs(own.shareCloserToTraining! - 0.5) < 0.13 && own.medianToHeldOut! > 0)
    #expect(own.ofRandom.count == 150 && own.baselineProtection < 1)
    let alone = TableMetrics.distancesToClosest(of: fresh.choosing([7]), in: training)
    #expect(alone == [own.toTraining[7]], "a row's distance does not depend on the other rows")
  }
}
