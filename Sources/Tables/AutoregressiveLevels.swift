import Bijections
import Distributions
import Networks
import Randomness
import Tensors

/// A distribution of rows of codes, each in 0, 1, ..., count − 1 of its column: the exact probabilities of a
/// masked network.
///
/// log P(x) = Σ_j log softmax(f_j(x₁ … x_{j−1}))[x_j]. The logits are bias + h · D + relu(h · U + u) · V.
/// Here h has the indicators of all codes, and masks keep later columns from earlier ones. The sum over all
/// rows of codes is 1. It serves columns of two levels and of hundreds. Noise for discrete values would give
/// a bound of the likelihood, and a flow would have to learn steep walls.
///
/// Draws: column after column. Cost: a network pass per row, and one per column for draws.
///
/// Parameters: `bias` [S] for S indicators, `direct` [S, S], and `dense_0`, `dense_1` of a hidden layer. With
/// `initInputs` the bias starts as the logarithms of the levels' shares.
///
/// Germain et al. 2015, *MADE*, arXiv 1502.03509; Uria, Murray & Larochelle 2013, *RNADE*, arXiv 1306.0186.
struct AutoregressiveLevels: Distribution {
  /// The number of codes of each column.
  let counts: [Int]
  /// The width of the hidden layer.
  let hidden: Int

  init(_ counts: [Int], hidden: Int? = nil) {
    self.counts = counts
    self.hidden = hidden ?? min(max(64, 2 * counts.reduce(0, +)), 256)
  }

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    guard site.inputDim == Shape([counts.count]) else {
      throw .mismatch(
        who: "AutoregressiveLevels", what: "inputDim", expected: "[\(counts.count)]", got: "\(site.inputDim)")
    }
    let functions = Functions(counts, hidden: hidden, dtype: site.dtype)
    let boundary = site.boundary("AutoregressiveLevels")
    return (
      functions.initialParams(key, site.initInputs),
      LogPDF(boundary) { params, codes, _ in functions.logProbability(params, codes) },
      Sampler(boundary) { key, params, count, _ in
        let codes = functions.draw(key, params, count: count, fixed: [:]).codes
        return (codes, functions.logProbability(params, codes))
      }
    )
  }

  /// The functions of the parameters.
  struct Functions: Sendable {
    let counts: [Int]
    private let hidden: Int
    private let size: Int
    /// Masks [S, S], [S, hidden] and [hidden, S].
    private let direct, inner, outer: Tensor

    init(_ counts: [Int], hidden: Int, dtype: DType) {
      (self.counts, self.hidden, size) = (counts, hidden, counts.reduce(0, +))
      let owners = counts.indices.flatMap { [Int](repeating: $0, count: counts[$0]) }
      // A hidden unit of degree d sees the columns up to d, and the columns behind d see it.
      let degrees = (0..<hidden).map { $0 % max(counts.count - 1, 1) }
      func mask(_ a: [Int], _ b: [Int], _ keeps: (Int, Int) -> Bool) -> Tensor {
        let entries = a.flatMap { from in b.map { keeps(from, $0) ? 1.0 : 0 } }
        return Tensor(entries, shape: [a.count, b.count], dtype: dtype)
      }
      direct = mask(owners, owners) { $0 < $1 }
      inner = mask(owners, degrees) { $0 <= $1 }
      outer = mask(degrees, owners) { $0 < $1 }
    }

    func initialParams(_ key: Key, _ codes: Tensor?) -> Params {
      let dtype = direct.dtype
      var bias = Tensor.zeros([size], dtype: dtype)
      if let codes {
        let shares = indicators(codes, counts).sum(axis: 0) + 0.5
        bias = log(shares / (Double(codes.rows) + 1))
      }
      let draw = Initializer.heNormal(key, [size, hidden], dtype: dtype)
      return [
        "bias": .leaf(bias), "direct": .leaf(.zeros([size, size], dtype: dtype)),
        "dense_0": ["weight": .leaf(draw), "bias": .leaf(.zeros([hidden], dtype: dtype))],
        "dense_1": ["weight": .leaf(.zeros([hidden, size], dtype: dtype))],
      ]
    }

    /// The logits of all columns, [rows, S].
    private func logits(_ params: Params, _ indicators: Tensor) -> Tensor {
      let (first, second) = (params.child("dense_0"), params.child("dense_1"))
      let units = dense(indicators, first["weight"] * inner, first["bias"], .relu)
      return params["bias"] + matmul(indicators, params["direct"] * direct)
        + matmul(units, second["weight"] * outer)
    }

    private func range(_ column: Int) -> Range<Int> {
      let start = counts[..<column].reduce(0, +)
      return start..<start + counts[column]
    }

    func logProbability(_ params: Params, _ codes: Tensor) -> Tensor {
      let hot = indicators(codes.detached, counts)
      let logits = logits(params, hot)
      var total = Tensor.zeros([codes.rows], dtype: codes.dtype)
      for column in counts.indices {
        let own = logits.sliced(axis: 1, range(column)).logSoftmax(axis: 1)
        total = total + (own * hot.sliced(axis: 1, range(column))).sumPerRow()
      }
      // A number that is no code has no indicator.
      let isKnown = hot.sumPerRow() .== Double(counts.count)
      return select(where: isKnown, total, -.infinity)
    }

    /// Draws codes [count, columns] with some columns' codes fixed. Also computes the logarithm of the fixed
    /// ones' probabilities, given the columns before them, summed per row in float64.
    func draw(
      _ key: Key, _ params: Params, count: Int, fixed: [Int: Int]
    ) -> (codes: Tensor, logWeight: Tensor) {
      let dtype = direct.dtype
      var codes: [Tensor] = []
      var logWeight = Tensor.zeros([count], dtype: .float64)
      for column in counts.indices {
        let later = Tensor.full([count, 1], -1, dtype: dtype)
        let known = codes + [Tensor](repeating: later, count: counts.count - column)
        let own = logits(params, indicators(concatenate(known, axis: 1), counts)).sliced(
          axis: 1, range(column))
        if let code = fixed[column] {
          codes.append(.full([count, 1], Double(code), dtype: dtype))
          let term = own.logSoftmax(axis: 1).sliced(axis: 1, code..<code + 1)
          logWeight = logWeight + term.reshaped(to: [count]).cast(to: .float64)
        } else {
          let drawn = key.folded(in: column).categorical(logits: own)
          codes.append(drawn.cast(to: dtype).reshaped(to: [count, 1]))
        }
      }
      return (concatenate(codes, axis: 1), logWeight)
    }
  }
}
