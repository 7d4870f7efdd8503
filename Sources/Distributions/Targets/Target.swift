import Randomness
import Tensors

/// A density to fit a flow to, known up to a constant: the logarithm of a function whose integral may be
/// anything.
///
/// ```swift
/// let ring = Target("ring", inputDim: 2) { x in -2 * square(sqrt(square(x).sumPerRow()) - 3) }
/// let same = Target.perSample("ring", inputDim: 2) { x in -2 * square(sqrt(square(x).sum()) - 3) }
/// let banana = try Target(Banana(), inputDim: 2)
/// ```
///
/// The function uses tensor operations and is differentiated. Row i of the result depends only on row i.
/// For an amortised fit, a target has a context. Then its function also receives one row of context per
/// row.
public struct Target: Sendable {
  /// A function that gives the log-density up to a constant, `[rows]`, of a batch `[rows] + inputDim`.
  public typealias LogDensity = @Sendable (_ x: Tensor) throws(FlowError) -> Tensor
  /// A function that gives the log-density up to a constant, `[rows]`, of a batch and its context, `[rows]
  /// + contextDim`.
  public typealias ConditionalLogDensity =
    @Sendable (_ x: Tensor, _ context: Tensor) throws(FlowError) -> Tensor
  /// A function that makes exact draws, `[count] + inputDim`.
  public typealias Draw = @Sendable (_ key: Key, _ count: Int, _ dtype: DType) throws(FlowError) -> Tensor

  /// The name in messages.
  public let name: String
  /// The shape of a sample.
  public let inputDim: Shape
  /// The log-normalizer log ∫ exp(log-density), an upper bound of any ELBO, or nil if it is unknown.
  public let logNormalizer: Double?
  /// The function of exact draws, or nil.
  public let draw: Draw?
  /// The shape of a context sample, or nil for none.
  public let contextDim: Shape?
  /// The log-density without checks, for a target without context.
  public var logDensity: LogDensity { { (x) throws(FlowError) in try body(x, nil) } }
  private let body: @Sendable (_ x: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// Makes a target from a function of a batch.
  ///
  /// - Parameters:
  ///   - name: The name in messages.
  ///   - inputDim: The shape of a sample.
  ///   - logNormalizer: The log-normalizer log ∫ exp(log-density), if it is known.
  ///   - draw: A function of exact draws, if there is one.
  ///   - logDensity: The log-density up to a constant, one number per row.
  public init(
    _ name: String, inputDim: Shape, logNormalizer: Double? = nil, draw: Draw? = nil,
    logDensity: @escaping LogDensity
  ) {
    self.init(name, inputDim, nil, logNormalizer, draw) { (x, _) throws(FlowError) in try logDensity(x) }
  }

  /// Makes a target from a function of a batch and its context.
  ///
  /// ```swift
  /// let posterior = Target("posterior", inputDim: 1, contextDim: 1) { theta, x in
  ///   (-0.5 * square(theta) - 0.5 * square(x - theta)).sumPerRow()
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - name: The name in messages.
  ///   - inputDim: The shape of a sample.
  ///   - contextDim: The shape of a context sample.
  ///   - logDensity: The log-density up to a constant that may depend on the context, one number per row.
  public init(
    _ name: String, inputDim: Shape, contextDim: Shape, logDensity: @escaping ConditionalLogDensity
  ) {
    self.init(name, inputDim, contextDim, nil, nil) { (x, context) throws(FlowError) in
      guard let context else {
        throw .mismatch(who: name, what: "context", expected: "of shape [rows] + \(contextDim)", got: "none")
      }
      return try logDensity(x, context)
    }
  }

  private init(
    _ name: String, _ inputDim: Shape, _ contextDim: Shape?, _ logNormalizer: Double?, _ draw: Draw?,
    body: @escaping @Sendable (_ x: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor
  ) {
    (self.name, self.inputDim, self.contextDim) = (name, inputDim, contextDim)
    (self.logNormalizer, self.draw, self.body) = (logNormalizer, draw, body)
  }

  /// Makes a target from a function of one sample, which gives a single number. It is called row by row.
  public static func perSample(
    _ name: String, inputDim: Shape, logNormalizer: Double? = nil, draw: Draw? = nil,
    logDensity: @escaping LogDensity
  ) -> Target {
    Target(name, inputDim: inputDim, logNormalizer: logNormalizer, draw: draw) { (x) throws(FlowError) in
      var values: [Tensor] = []
      for row in 0..<x.rows { values.append(try logDensity(x[row]).reshaped(to: [1])) }
      return values.isEmpty ? .zeros([0], dtype: x.dtype) : concatenate(values, axis: 0)
    }
  }

  /// Makes a target from a distribution with its initial parameters. The normalizer is 1, and there are exact
  /// draws.
  ///
  /// - Throws: The errors of the distribution for this shape.
  public init(
    _ distribution: some Distribution, inputDim: Shape, name: String? = nil
  ) throws(FlowError) {
    // The rows decide the dtype.
    let single = try distribution(Key(0), inputDim: inputDim, dtype: .float32)
    let double = try distribution(Key(0), inputDim: inputDim, dtype: .float64)
    self.init(
      name ?? "\(type(of: distribution))", inputDim: inputDim, logNormalizer: 0,
      draw: { (key, count, dtype) throws(FlowError) in
        let form = dtype == .float64 ? double : single
        return try form.sample(key, form.params, count: count)
      }
    ) { (x) throws(FlowError) in
      let form = x.dtype == .float64 ? double : single
      return try form.logPDF.body(form.params, x, nil)
    }
  }

  /// Computes the log-density up to a constant, `[rows]`. Many rows are evaluated in shards on all cores.
  ///
  /// Throws `mismatch` for rows, contexts or results of another shape.
  public func callAsFunction(_ x: Tensor, given context: Tensor? = nil) throws(FlowError) -> Tensor {
    if x.rank != inputDim.rank + 1 || x.shape.sample != inputDim {
      throw .mismatch(who: name, what: "rows of shape", expected: "[rows] + \(inputDim)", got: "\(x.shape)")
    }
    if context?.shape != contextDim?.batched(x.rows) {
      throw .mismatch(
        who: name, what: "context", expected: contextDim.map { "of shape \($0.batched(x.rows))" } ?? "none",
        got: context.map { "shape \($0.shape)" } ?? "none")
    }
    return try mapRows(x.rows, of: inputDim) { (rows) throws(FlowError) in
      let values = try body(x[rows], context?[rows])
      if values.shape != [rows.count] {
        throw .mismatch(
          who: name, what: "log-densities of shape", expected: "[\(rows.count)]", got: "\(values.shape)")
      }
      return [values]
    }[0]
  }

  /// The density to the power of an inverse temperature: β · log-density, and 0 everywhere for β = 0. Nothing
  /// is known of its normalizer.
  public func tempered(_ inverseTemperature: Double) -> Target {
    if inverseTemperature == 1 { return self }
    return Target("\(name)^\(inverseTemperature)", inputDim, contextDim, nil, nil) {
      (x, context) throws(FlowError) in
      // 0 times the −∞ outside the support would be NaN.
      inverseTemperature == 0
        ? .zeros([x.rows], dtype: x.dtype) : inverseTemperature * (try body(x, context))
    }
  }

  /// The product of the target and as many standard normal momenta, for a fit of a Hamiltonian flow.
  ///
  /// Its samples are vectors of twice the length. The normalizer is the same.
  ///
  /// - Precondition: Samples are vectors.
  public func withMomentum() -> Target {
    require(inputDim.rank == 1, "withMomentum needs a target of vectors, got samples of shape \(inputDim)")
    let size = inputDim.count
    var joint: Draw?
    if let draw {
      joint = { (key, count, dtype) throws(FlowError) in
        let position = try draw(key.folded(in: 0), count, dtype)
        return concatenate([position, key.folded(in: 1).normal([count, size], dtype: dtype)], axis: 1)
      }
    }
    return Target("\(name) with momentum", inputDim: [2 * size], logNormalizer: logNormalizer, draw: joint) {
      (x) throws(FlowError) in
      let momentum = x.sliced(axis: 1, size..<2 * size)
      let constant = 0.5 * Double(size) * 1.8378770664093454836  // log 2π
      return try logDensity(x.sliced(axis: 1, 0..<size)) - 0.5 * square(momentum).sumPerRow() - constant
    }
  }
}
