import Tensors

extension TextTable {
  /// Puts the rows of tables below each other. Columns with names from a header are found by name.
  ///
  /// - Throws: `FlowError.file` for a table with other columns.
  /// - Precondition: There is at least one table.
  public static func joined(_ tables: [TextTable]) throws(FlowError) -> TextTable {
    require(!tables.isEmpty, "a joined table needs a table")
    var result = tables[0]
    for table in tables.dropFirst() { try result.append(table) }
    return result
  }

  private mutating func append(_ other: TextTable) throws(FlowError) {
    let columns = try positions(in: other)
    let (offset, firstRow) = (bytes.count, rows)
    bytes += other.bytes
    places.reserveCapacity(places.count + other.places.count)
    for row in 0..<other.rows {
      for column in columns {
        var place = other.places[row * other.width + column]
        place.start += offset
        places.append(place)
      }
    }
    lines += other.lines
    parts += other.parts.map { part in
      Part(
        source: part.source, firstRow: firstRow + part.firstRow, decimalMark: part.decimalMark,
        columns: columns.map { part.columns[$0] })
    }
    for remark in other.remarks where !remarks.contains(remark) { remarks.append(remark) }
    // A column is left out if no file has data there.
    incidental = incidental.filter { column, kind in other.incidental[columns[column]] == kind }
  }

  /// The position in another table of each of this table's columns.
  private func positions(in other: TextTable) throws(FlowError) -> [Int] {
    let (own, source) = (parts[0].source, other.parts[0].source)
    guard hasHeader == other.hasHeader else {
      let (with, without) = hasHeader ? ("a", "none") : ("no", "one")
      throw .inFile(source, "expected \(with) header, as \(own) has, got \(without)")
    }
    guard hasHeader else {
      guard width == other.width else {
        throw .inFile(source, "expected \(width) columns, as in \(own), got \(other.width)")
      }
      return Array(0..<width)
    }
    let missing = names.filter { !other.names.contains($0) }
    let added = other.names.filter { !names.contains($0) }
    guard missing.isEmpty, added.isEmpty else {
      let got = [("without", missing), ("with", added)].filter { !$1.isEmpty }.map {
        "\($0) " + $1.prefix(10).map { excerpt($0) }.joined(separator: ", ")
      }
      throw .inFile(
        source, row: 1, "expected the columns of \(own), got them \(got.joined(separator: " and "))")
    }
    return names.map { other.names.firstIndex(of: $0)! }
  }
}
