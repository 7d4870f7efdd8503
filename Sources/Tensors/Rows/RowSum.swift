/// The gradients of the rows' losses by one value, as they come together in a backward pass.
struct RowSum {
  /// Those of a value with a block for each row.
  var blocks: Tensor?
  /// Those of the same kind that are known to depend on no row.
  var publicBlocks: Tensor?
  /// Those of a shared value, [rows] + shape.
  var shared: Tensor?
  /// Those of a shared matrix as products. The masks differ.
  var products: [RowProducts] = []
  /// Those of a shared value by formulas.
  var formulas: [any RowFormula] = []
  /// A gradient that is the same for each row and depends on no row, in the value's shape.
  var common: Tensor?

  /// The blocks, if there is nothing else.
  var onlyBlocks: Tensor? {
    publicBlocks == nil && shared == nil && common == nil && products.isEmpty && formulas.isEmpty
      ? blocks : nil
  }

  mutating func add(_ cotangent: RowCotangent) {
    switch cotangent {
    case .blocks(let g): blocks = sum(blocks, g)
    case .shared(let g): shared = sum(shared, g)
    case .products(let g): add(g)
    case .parts(let parts): for g in parts { add(g) }
    case .formula(let g): formulas.append(g)
    }
  }

  /// Adds a part that depends on no row.
  mutating func addPublic(_ cotangent: RowCotangent) {
    switch cotangent {
    case .blocks(let g): publicBlocks = sum(publicBlocks, g)
    case .shared(let g): common = sum(common, g[0])
    case .products(let g): common = sum(common, g.multipliedOut()[0])
    case .parts(let parts): for g in parts { common = sum(common, g.multipliedOut()[0]) }
    case .formula(let g): common = sum(common, g.multipliedOut()[0])
    }
  }

  mutating func add(_ other: RowSum) {
    blocks = sum(blocks, other.blocks)
    publicBlocks = sum(publicBlocks, other.publicBlocks)
    shared = sum(shared, other.shared)
    common = sum(common, other.common)
    for product in other.products { add(product) }
    formulas += other.formulas
  }

  private mutating func add(_ product: RowProducts) {
    for (i, own) in products.enumerated() {
      guard let joined = own.joined(product) else { continue }
      products[i] = joined
      return
    }
    products.append(product)
  }
}

/// The cotangents found so far in a backward pass by row, by slot.
struct RowSums {
  let rows: Int
  private var values: [RowSum?]

  init(_ count: Int32, rows: Int) {
    values = Array(repeating: nil, count: Int(count))
    self.rows = rows
  }

  mutating func add(_ sum: RowSum, at slot: Int32) {
    if values[Int(slot)] == nil { values[Int(slot)] = sum } else { values[Int(slot)]!.add(sum) }
  }

  mutating func add(_ cotangent: RowCotangent, at slot: Int32) {
    if values[Int(slot)] == nil { values[Int(slot)] = RowSum() }
    values[Int(slot)]!.add(cotangent)
  }

  /// Removes and returns the sum of a slot.
  mutating func take(_ slot: Int32) -> RowSum? { values[Int(slot)].take() }
}

/// Moves the gradients by row of a primitive's results on to its inputs.
func pullBackByRow<P: Primitive>(
  _ primitive: P, _ given: [RowSum?], _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
) throws(NoRowRule) -> [RowSum?] {
  let rule = primitive as? any RowRule
  var found = [RowSum?](repeating: nil, count: inputs.count)
  func change(_ i: Int, _ body: (inout RowSum) -> Void) {
    if found[i] == nil { found[i] = RowSum() }
    body(&found[i]!)
  }
  func ordinary(_ g: Operands, _ add: (inout RowSum, Tensor) -> Void) {
    let cotangents = primitive.cotangent(g, inputs, outputs, wanted: wanted)
    for i in 0..<inputs.count where wanted[i] {
      if let cotangent = cotangents.optional(i) { change(i) { add(&$0, cotangent) } }
    }
  }

  // Values with a block for each row. Of a single row every value is its block.
  let isLinear = rule?.isLinear(inputs, wanted: wanted) ?? false
  var (blocks, publicBlocks) = (Operands(absent: given.count), Operands(absent: given.count))
  for (i, sum) in given.enumerated() {
    blocks.set(i, to: isLinear ? sum?.blocks : Tensors.sum(sum?.blocks, sum?.publicBlocks))
    publicBlocks.set(i, to: isLinear ? sum?.publicBlocks : nil)
  }
  for (g, isPublic) in [(blocks, false), (publicBlocks, true)] where !g.isAllAbsent {
    if rows == 1 {
      ordinary(g) { isPublic ? $0.addPublic(.blocks($1)) : $0.add(.blocks($1)) }
      continue
    }
    guard let cotangents = rule?.fromBlocks(g, inputs, outputs, wanted: wanted, rows: rows) else {
      throw NoRowRule()
    }
    for (i, cotangent) in cotangents.enumerated() {
      if let cotangent { change(i) { isPublic ? $0.addPublic(cotangent) : $0.add(cotangent) } }
    }
  }

  // Shared values.
  var shared = Operands(absent: given.count)
  for (i, sum) in given.enumerated() {
    shared.set(
      i, to: sum?.formulas.reduce(sum?.shared) { Tensors.sum($0, $1.multipliedOut()) } ?? sum?.shared)
    for product in sum?.products ?? [] {
      if let cotangents = rule?.fromProducts(product, inputs, outputs, wanted: wanted) {
        for (i, cotangent) in cotangents.enumerated() {
          if let cotangent { change(i) { $0.add(cotangent) } }
        }
      } else {
        shared.set(i, to: Tensors.sum(shared.optional(i), product.multipliedOut()))
      }
    }
  }
  if !shared.isAllAbsent {
    let highest = max((0..<inputs.count).map { inputs[$0].rank }.max()!, outputs[0].rank)
    if highest >= Shape.maximumRank { throw NoRowRule() }
    let cotangents =
      rule?.fromShared(shared, inputs, outputs, wanted: wanted)
      ?? oneByOne(primitive, shared, inputs, outputs, wanted, rows)
    for i in 0..<inputs.count where wanted[i] {
      if let cotangent = cotangents.optional(i) { change(i) { $0.add(.shared(cotangent)) } }
    }
  }
  var common = Operands(absent: given.count)
  for (i, sum) in given.enumerated() { common.set(i, to: sum?.common) }
  if !common.isAllAbsent { ordinary(common) { $0.common = Tensors.sum($0.common, $1) } }
  return found
}

/// The ordinary cotangents for one row after the other, stacked.
private func oneByOne(
  _ primitive: some Primitive, _ g: Operands, _ inputs: Operands, _ outputs: Operands, _ wanted: Wanted,
  _ rows: Int
) -> Operands {
  let each = (0..<rows).map { row -> Operands in
    var own = Operands(absent: g.count)
    for i in 0..<g.count { own.set(i, to: g.optional(i)?[row]) }
    return primitive.cotangent(own, inputs, outputs, wanted: wanted)
  }
  var found = Operands(absent: inputs.count)
  for i in 0..<inputs.count where wanted[i] && each[0].optional(i) != nil {
    found.set(i, to: stack(each.map { $0[i] }))
  }
  return found
}
