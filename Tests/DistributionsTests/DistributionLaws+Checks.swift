import Distributions
import Foundation
import Randomness
import Tensors
import TestSupport
import Verification

extension DistributionLaws {
  func checkShapes() throws {
    for dtype in [DType.float32, .float64] {
      for specimen in try specimens(dtype) {
        for rows in [5, 1, 0] {
          let context = specimen.context?[0..<rows]
          let density = try specimen.logPDF(specimen.params, specimen.inputs[0..<rows], given: context)
          try require(
            density.shape == [rows] && density.dtype == dtype, "log-density \(density.shape) \(density.dtype)"
          )
          let (x, logPDF) = try specimen.sample.withLogPDF(key, specimen.params, count: rows, given: context)
          try require(
            x.shape == row.inputDim.batched(rows) && x.dtype == dtype, "draws \(x.shape) \(x.dtype)")
          try require(
            logPDF.shape == [rows] && logPDF.dtype == dtype, "the draws' log-density \(logPDF.shape)")
          try require(x.isFinite && logPDF.isFinite, "draws or their log-density are not finite")
        }
      }
    }
  }

  func checkOnePass() throws {
    for specimen in try specimens() {
      let (x, logPDF) = try specimen.sample.withLogPDF(
        key, specimen.params, count: 50, given: context(50, .float64))
      let alone = try specimen.sample(key, specimen.params, count: 50, given: context(50, .float64))
      try require(x.isIdentical(to: alone), "draws alone differ from draws with their log-density")
      let density = try specimen.logPDF(specimen.params, x, given: context(50, .float64))
      try require(
        isClose(logPDF, density, 1e-8), "\(specimen.label): \(logPDF) with the draws, \(density) of them")
    }
  }

  func checkFirstDraws() throws {
    for specimen in try specimens(.float32) {
      let many = try specimen.sample(key, specimen.params, count: 60, given: context(60, .float32))
      let few = try specimen.sample(key, specimen.params, count: 7, given: context(60, .float32)?[0..<7])
      try require(few.isIdentical(to: many[0..<7]), "7 draws are not the first of 60")
    }
  }

  func checkKeysOnce() throws {
    let reuses = try KeyRecorder.reuses {
      let (params, _, sample) = try initialized(.float32, key.folded(in: 8))
      _ = try sample.withLogPDF(key.folded(in: 9), params, count: 6, given: context(6, .float32))
    }
    try require(reuses.isEmpty, "\(reuses)")
  }

  func checkRowBits() throws {
    for specimen in try specimens(.float32) {
      let whole = try specimen.density()
      for i in 0..<specimen.inputs.rows {
        let alone = try specimen.logPDF(
          specimen.params, specimen.inputs[i..<i + 1], given: specimen.context?[i..<i + 1])
        try require(
          alone.isIdentical(to: whole[i..<i + 1]), "row \(i) alone has \(alone), in the batch \(whole)")
      }
    }
  }

  func checkRowIndependence() throws {
    for specimen in try specimens(.float32) {
      let nan = Tensor.full(specimen.inputs[0..<1].shape, .nan)
      let spoiled = concatenate([nan, specimen.inputs[1..<5]], axis: 0)
      let (whole, other) = (try specimen.density(), try specimen.density(nil, spoiled))
      try require(other[1..<5].isIdentical(to: whole[1..<5]), "a NaN in row 0 changed another row")
      try require(other.doubles[0].isNaN, "a row of NaN has log-density \(other.doubles[0])")
    }
  }

  func checkGradient() throws {
    let step = 1e-6
    for specimen in try specimens() {
      let weights = key.folded(in: 4).normal([specimen.inputs.rows]).cast(to: .float64)
      func probe(_ params: Params, _ x: Tensor) throws -> Tensor {
        (weights * (try specimen.density(params, x))).sum()
      }

      let gradient = try valueAndGradient(at: specimen.params) { try probe($0, specimen.inputs) }.gradient
      let direction = specimen.params.learned.filled(with: 0).perturbed(key.folded(in: 5), by: 1)
      func moved(_ by: Double) throws -> Params {
        try specimen.params.zipLearned(with: direction) { $0 + by * $1 }
      }
      let slope =
        (try probe(moved(step), specimen.inputs) - probe(moved(-step), specimen.inputs)) / (2 * step)
      let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
      try require(
        isClose(Tensor(claimed, dtype: .float64), slope, 1e-5), "by parameters \(claimed), expected \(slope)")

      if row.isDiscrete { continue }
      let shift = 1e-3 * key.folded(in: 6).normal(specimen.inputs.shape).cast(to: .float64)
      let byInputs = try Tensors.gradient(at: specimen.inputs) { try probe(specimen.params, $0) }
      let inputSlope =
        (try probe(specimen.params, specimen.inputs + step * shift)
          - probe(specimen.params, specimen.inputs - step * shift)) / (2 * step)
      let inputClaim = (byInputs * shift).sum()
      try require(isClose(inputClaim, inputSlope, 1e-5), "by inputs \(inputClaim), expected \(inputSlope)")
    }
  }

  func checkEveryLeafLearns() throws {
    let specimen = try specimens()[1]
    let gradient = try valueAndGradient(at: specimen.params) { try specimen.density($0).sum() }.gradient
    try require(gradient.leaves.allSatisfy(\.isFinite), "a gradient is not finite")
    var idle: [String] = []
    gradient.forEach { path, leaf, _ in
      if let branch = row.idle, path.hasPrefix(branch + "/") { return }
      if leaf.count > 0 && leaf.doubles.allSatisfy({ $0 == 0 }) { idle.append(path) }
    }
    try require(idle.isEmpty, "no gradient reaches \(idle.joined(separator: ", "))")
  }

  /// E ∂ log p(x; θ) / ∂θ = ∂ ∫ p / ∂θ = 0 over draws x: 20 means of 100 rows each, of which Student's t is
  /// taken.
  func checkScoreHasMeanZero() throws {
    if row.isBound { return }
    let (groups, size) = (20, 100)
    let specimen = try specimens()[1]
    guard specimen.params.learnedCount > 0 else { return }
    let context = context(groups * size, .float64)
    let draws = try specimen.sample(key.folded(in: 7), specimen.params, count: groups * size, given: context)
    let scores = try (0..<groups).map { group in
      let rows = group * size..<(group + 1) * size
      return try valueAndGradient(at: specimen.params) {
        try specimen.logPDF($0, draws[rows], given: context?[rows]).mean()
      }.gradient.leaves.flatMap(\.doubles)
    }
    // Among many numbers large ones are found: the tails of t with 19 degrees of freedom fall as t to the
    // power of -19.
    let limit = 5.5 * pow(max(1, Double(scores[0].count) / 100), 1 / 19)
    for i in scores[0].indices {
      let values = scores.map { $0[i] }
      let mean = values.reduce(0, +) / Double(groups)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(groups - 1)
      let error = (variance / Double(groups)).squareRoot()
      try require(
        abs(mean) <= limit * error + 1e-9,
        "the score of number \(i) has mean \(mean), standard error \(error)")
    }
  }

  func checkSameKey() throws {
    let (a, b) = (try initialized(.float32, key.folded(in: 8)), try initialized(.float32, key.folded(in: 8)))
    try require(a.params.isIdentical(to: b.params), "one key gave two parameter trees")
    func draws(_ index: Int, _ made: (params: Params, logPDF: LogPDF, sample: Sampler)) throws -> Tensor {
      try made.sample(key.folded(in: index), made.params, count: 4, given: context(4, .float32))
    }
    try require(try draws(9, a).isIdentical(to: draws(9, b)), "one key gave two sets of draws")
    try require(try !draws(9, a).isIdentical(to: draws(10, a)), "two keys gave the same draws")
  }

  func checkLoading() throws {
    let other = try initialized(.float32, key.folded(in: 10))
    for specimen in try specimens(.float32) {
      let there = try other.logPDF(specimen.params, specimen.inputs, given: specimen.context)
      try require(try specimen.density().isIdentical(to: there), "another density under another key")
      let draws = try specimen.sample(key, specimen.params, count: 5, given: specimen.context)
      let drawsThere = try other.sample(key, specimen.params, count: 5, given: specimen.context)
      try require(draws.isIdentical(to: drawsThere), "other draws under another key")
    }
  }

  func checkDTypes() throws {
    for (double, single) in zip(try specimens(.float64), try specimens(.float32)) {
      let (a, b) = (try single.density().cast(to: .float64), try double.density())
      try require(isClose(a, b, 1e-4), "\(single.label): float32 \(a), float64 \(b)")
    }
  }

  func checkBoundary() throws {
    let specimen = try specimens(.float32)[0]
    func requireError(_ what: String, _ body: () throws -> Void) throws {
      do { try body() } catch is FlowError { return }
      throw fail("\(what) was accepted")
    }
    let (params, x, context) = (specimen.params, specimen.inputs, specimen.context)
    let wide = Tensor.zeros(row.inputDim.replacing(-1, by: row.inputDim[-1] + 1).batched(5))
    try requireError("a wrong width") { _ = try specimen.logPDF(params, wide, given: context) }
    try requireError("a wrong dtype") {
      _ = try specimen.logPDF(params, x.cast(to: .float64), given: context)
    }
    let foreign: Params = ["foreign": .leaf(Tensor(0))]
    try requireError("a foreign tree") { _ = try specimen.logPDF(foreign, x, given: context) }
    try requireError("a foreign tree, sampling") {
      _ = try specimen.sample(key, foreign, count: 2, given: context?[0..<2])
    }
    let wrong = context == nil ? Tensor.zeros([5, 1]) : nil
    let what = context == nil ? "an unexpected context" : "a missing context"
    try requireError(what) { _ = try specimen.logPDF(params, x, given: wrong) }
    try requireError("\(what), sampling") { _ = try specimen.sample(key, params, count: 5, given: wrong) }
    if let context {
      try requireError("too little context") { _ = try specimen.logPDF(params, x, given: context[0..<3]) }
      try requireError("too little context, sampling") {
        _ = try specimen.sample(key, params, count: 5, given: context[0..<3])
      }
    }
    try requireError("inputDim 0") {
      _ = try row.distribution(key, inputDim: 0, contextDim: row.contextDim)
    }
  }

  func checkOneContextRow() throws {
    guard let contextDim = row.contextDim else { return }
    for specimen in try specimens(.float32) {
      let one = specimen.context![0..<1]
      let (a, b) = (
        try specimen.sample.withLogPDF(key, specimen.params, count: 6, given: one),
        try specimen.sample.withLogPDF(
          key, specimen.params, count: 6, given: one.broadcast(to: contextDim.batched(6)))
      )
      try require(
        a.samples.isIdentical(to: b.samples) && a.logPDF.isIdentical(to: b.logPDF),
        "one row of context is not six")
      _ = try specimen.sample(key, specimen.params, count: 0, given: one)
    }
  }
}
