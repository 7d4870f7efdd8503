import Distributions
import Randomness
import Tensors
import Verification

/// What every distribution owes, each a check that throws what is wrong: over `distributionTable` and over
/// broken ones.
enum DistributionLaw: String, CaseIterable, Sendable {
  /// One number a row, draws of the promised shape; also for one row and for none.
  case shapes
  /// Draws come with their log-density, and alone they are the same.
  case onePass
  /// The first draws do not depend on how many are asked for.
  case firstDraws
  /// No key is consumed twice.
  case keysOnce
  /// A row's log-density has the same bits alone and in any batch.
  case rowBits
  /// A NaN stays in its row, and is not lost there.
  case rowIndependence
  /// The gradient by parameters and inputs equals finite differences.
  case gradient
  /// At perturbed parameters every learned leaf has a non-zero gradient.
  case everyLeafLearns
  /// Draws follow the density: the mean over draws of ∂ log p / ∂ parameters is 0.
  case scoreHasMeanZero
  /// The same key gives the same parameters and draws, to the bit; another key gives other draws.
  case sameKey
  /// Parameters loaded under another key give the same functions, to the bit.
  case loading
  /// float32 and float64 are the same density.
  case dtypes
  /// A missing or unexpected context, a wrong width, dtype or tree throw.
  case boundary
  /// One row of context serves all draws.
  case oneContextRow

  func check(_ row: DistributionRow) throws {
    let law = DistributionLaws(row: row, law: self)
    switch self {
    case .shapes: try law.checkShapes()
    case .onePass: try law.checkOnePass()
    case .firstDraws: try law.checkFirstDraws()
    case .keysOnce: try law.checkKeysOnce()
    case .rowBits: try law.checkRowBits()
    case .rowIndependence: try law.checkRowIndependence()
    case .gradient: try law.checkGradient()
    case .everyLeafLearns: try law.checkEveryLeafLearns()
    case .scoreHasMeanZero: try law.checkScoreHasMeanZero()
    case .sameKey: try law.checkSameKey()
    case .loading: try law.checkLoading()
    case .dtypes: try law.checkDTypes()
    case .boundary: try law.checkBoundary()
    case .oneContextRow: try law.checkOneContextRow()
    }
  }
}

/// A distribution at a place.
struct DistributionRow: Sendable {
  let name: String
  let distribution: any Distribution
  var inputDim: Shape = 3
  var contextDim: Shape?
  /// Whether only whole numbers have a density, so that it has no slope by the inputs.
  var isDiscrete = false
  /// Whether the log-density is a lower bound, whose derivative by parameters need not have mean 0.
  var isBound = false
  /// The branch of the parameters that the density does not depend on.
  var idle: String?
}

/// A distribution at parameters, with rows that it drew and their context.
struct DistributionSpecimen {
  let label: String
  let params: Params
  let logPDF: LogPDF
  let sample: Sampler
  let inputs: Tensor
  let context: Tensor?

  func density(_ params: Params? = nil, _ x: Tensor? = nil) throws -> Tensor {
    try logPDF(params ?? self.params, x ?? inputs, given: context)
  }
}

struct DistributionLaws {
  let row: DistributionRow
  let law: DistributionLaw
  let key = Key(23)

  func fail(_ message: String) -> FlowError {
    .verification(who: "law \(law) of \(row.name)", message: message)
  }

  func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw fail(message()) }
  }

  func initialized(_ dtype: DType, _ key: Key) throws -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    try row.distribution(key, inputDim: row.inputDim, contextDim: row.contextDim, dtype: dtype)
  }

  func context(_ rows: Int, _ dtype: DType) -> Tensor? {
    row.contextDim.map { key.folded(in: 2).normal($0.batched(rows)).cast(to: dtype) }
  }

  /// At initial and at perturbed parameters; both dtypes see the same rows.
  func specimens(_ dtype: DType = .float64, rows: Int = 5) throws -> [DistributionSpecimen] {
    let (params, logPDF, sample) = try initialized(dtype, key.folded(in: 0))
    let single = try initialized(.float32, key.folded(in: 0))
    let inputs = try single.sample(
      key.folded(in: 1), single.params, count: rows, given: context(rows, .float32)
    ).cast(to: dtype)
    return [("initial", params), ("perturbed", params.perturbed(key.folded(in: 3)))].map {
      DistributionSpecimen(
        label: "\($0.0) parameters", params: $0.1, logPDF: logPDF, sample: sample, inputs: inputs,
        context: context(rows, dtype))
    }
  }
}
