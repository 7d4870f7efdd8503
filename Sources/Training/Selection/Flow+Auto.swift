import Bijections
import Distributions
import Randomness
import Tensors

extension Flow {
  /// Fits the flow that suits the data, as `flow fit` does by default.
  ///
  /// ```swift
  /// let model = try Flow.auto(fittedTo: data, key: Key(0))
  /// let logDensities = try model.logPDF(model.params, data)
  /// for trial in model.trials { print(trial.name, trial.validationLoss) }
  /// ```
  ///
  /// It lets `select` choose among the flows of
  /// ``autoCandidates(for:given:standardizes:settings:key:)``.
  ///
  /// - Parameters: those of `select`.
  /// - Throws: the errors of `select`.
  public static func auto(
    fittedTo data: some RowSource, given context: Tensor? = nil, settings: FitSettings? = nil, key: Key,
    checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic
  ) throws -> Selection {
    let settings = settings ?? FitSettings(rows: data.shape[0])
    let candidates = try autoCandidates(
      for: data, given: context, settings: settings, key: key)
    return try select(
      among: candidates.map(\.candidate), by: .stacked, fittedTo: data, given: context, settings: settings,
      key: key,
      checkpoint: checkpoint, progress: progress)
  }

  /// A candidate, and the settings of its `Flow.splineMixture`.
  public typealias AutoCandidate = (
    candidate: Candidate, layers: Int, hidden: [Int], components: Int, regression: Bool
  )

  /// The flows that `auto` tries.
  ///
  /// Each is a `Flow.splineMixture` behind a standardization of the columns. The mixtures have one component,
  /// and as many, up to 32, as give the best validation loss when expectation-maximization alone fits them.
  /// Below 1,000 rows two components are tried too, below 30 one component without splines alone. The
  /// last candidate is the best mixture without splines.
  ///
  /// With a context a linear regression comes first in all flows, if it improves the validation loss of one
  /// normal distribution by 0.3.
  ///
  /// - Parameters:
  ///   - data: the rows.
  ///   - context: one row of context per row of data.
  ///   - standardizes: whether the flows standardize the columns.
  ///   - settings: the settings of the fits.
  ///   - key: the key of the fits.
  public static func autoCandidates(
    for data: some RowSource, given context: Tensor? = nil, standardizes: Bool = true, settings: FitSettings,
    key: Key
  ) throws -> [AutoCandidate] {
    let sample = try data.evenlySpacedRows(atMost: 100_000)
    let standardize = standardizes ? Standardize(of: sample) : nil
    let (starts, regression) = try starts(
      of: sample, given: context?.evenlySpacedRows(atMost: 100_000), standardize, settings, key)
    let width = min(max(128, 2 * sample.shape.sample.count), 512)
    let best = starts.min { $0.loss < $1.loss }!
    // Splines overfit a few rows, and the folds cannot tell.
    let isTiny = settings.rows < Self.fewestRowsForSplines
    return ((isTiny ? [] : starts.map { ($0, 3) }) + [(best, 0)]).map { start, layers in
      let flow = Flow.splineMixture(
        layers: layers, hidden: [width, width], components: start.components, shrinkage: start.shrinkage,
        regression: regression)
      let base =
        (start.components == 1 ? "a normal" : "\(start.components) normals")
        + (regression ? " around a regression" : "")
      let behind = standardize.map { Flow(Serial($0, flow.bijection), prior: flow.prior) }
      let candidate = Candidate(
        layers == 0 ? "\(base) alone" : "splines over \(base)",
        behind ?? flow,
        weightDecay: settings.rows < 5_000 && context == nil ? 10 : nil)
      return (candidate, layers, [width, width], start.components, regression)
    }
  }

  /// Below this number of rows a normal alone is tried.
  private static var fewestRowsForSplines: Int { 30 }

  private typealias Start = (components: Int, shrinkage: Double, loss: Double)

  /// The starts from one component, from two for few rows, and the best start of more; and whether they are
  /// behind a regression on the context.
  private static func starts(
    of sample: Tensor, given context: Tensor?, _ standardize: Standardize?, _ settings: FitSettings,
    _ key: Key
  ) throws -> (starts: [Start], regression: Bool) {
    let rows = try sample.evenlySpacedRows(atMost: 4_096)
    let context = try context?.evenlySpacedRows(atMost: 4_096)
    var standardized = rows
    if let standardize {
      let (params, forward, _) = try standardize(key, inputDim: rows.shape.sample, dtype: rows.dtype)
      standardized = try forward(params, rows).outputs
    }
    // Few rows tell little in one fold.
    let folds = settings.rows < 1_000 ? settings.folds : 1
    let splits = try (0..<folds).map { fold in
      let split = try TrainingRows(
        standardized, nil, nil, heldOut: max(settings.validationFraction, 0.1), fold: fold, key: key,
        who: "auto")
      // A fold of two or three rows holds out none.
      let training = Array(split.training)
      return (training, split.heldOut.isEmpty ? training : split.heldOut)
    }
    var regression = false
    func start(_ components: Int, _ shrinkage: Double) throws -> Start {
      var loss = 0.0
      for (training, heldOut) in splits {
        let flow = Flow.splineMixture(
          layers: 0, components: components, shrinkage: shrinkage, regression: regression)
        let (params, logPDF, _) = try flow(
          key, inputDim: rows.shape.sample, contextDim: context?.shape.sample,
          initInputs: standardized.rows(training), initContext: context?.rows(training), dtype: rows.dtype)
        let logDensities = try logPDF(params, standardized.rows(heldOut), given: context?.rows(heldOut))
        loss -= logDensities.cast(to: .float64).mean().item / Double(folds)
      }
      return (components, shrinkage, loss)
    }
    let shrinkages =
      settings.rows < 1_000 ? [0.01, 0.1, 1, 10, 100] : settings.rows < 5_000 ? [0.1, 1, 10] : [1]
    func bestStart(_ components: Int) throws -> Start {
      try shrinkages.map { try start(components, $0) }.min { $0.loss < $1.loss }!
    }
    func oneNormal() throws -> Start {
      // Shrinkage spoils the normal of columns that are almost functions of each other.
      let (shrunk, plain) = (try bestStart(1), try start(1, 1e-9))
      return plain.loss < shrunk.loss - (settings.rows < 1_000 ? 0.3 : 0.05) ? plain : shrunk
    }
    var first = try oneNormal()
    if context?.shape.rank == 2, rows.shape.rank == 2 {
      regression = true
      let regressed = try oneNormal()
      regression = regressed.loss < first.loss - 0.3
      if regression { first = regressed }
    }
    var (starts, worse) = ([first], 0)
    var best = starts[0]
    let size = sample.shape.sample.count
    let counts = settings.rows < Self.fewestRowsForSplines ? [] : [2, 3, 4, 6, 8, 12, 16, 24, 32]
    for components in counts where worse < 2 && 2 * components * size <= rows.rows {
      let next = try bestStart(components)
      if components == 2 && settings.rows < 1_000 { starts.append(next) }
      worse = next.loss < best.loss ? 0 : worse + 1
      if next.loss < best.loss { best = next }
    }
    return (starts.contains { $0.components == best.components } ? starts : starts + [best], regression)
  }
}

extension RowSource {
  /// Rows at equal distances from the first on.
  func evenlySpacedRows(atMost count: Int) throws(FlowError) -> Tensor {
    let step = max(1, (shape[0] + count - 1) / count)
    return try rows(Array(stride(from: 0, to: shape[0], by: step)))
  }
}
