import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct FitTests {
  // MARK: - What it finds

  @Test func recoversAGaussian() throws {
    let fitted = try fit(
      affineFlow, to: gaussianData(2_000), key: Key(1), epochs: 40, batchSize: 200,
      optimizer: Adam(learningRate: .cosine(0.03, steps: 360)), patience: nil, progress: .silent)
    let draws = try fitted.sample(Key(2), fitted.params, count: 20_000)
    let mean = draws.mean(axis: 0)
    let centred = draws - mean
    let covariance = matmul(centred, centred, transposeA: true) / Double(draws.rows)
    #expect(isClose(mean, truth.mean, 0.1))
    #expect(isClose(covariance, matmul(truth.factor, truth.factor, transposeB: true), 0.1))
    // The entropy of two normal variables is log(2πe) + log|det A|, and |det A| = 1.
    let entropy = 1 + log(Tensor(2 * Double.pi, dtype: .float64)).item
    let last = try #require(fitted.history.last)
    #expect(abs(last.trainingLoss - entropy) < 0.05)
    #expect(abs(try #require(last.validationLoss) - entropy) < 0.15)
    #expect(abs(try -fitted.logPDF(fitted.params, gaussianData(20_000, Key(9))).mean().item - entropy) < 0.03)
    #expect(fitted.ending == .completed)
  }

  @Test func fitsAConditionalDensity() throws {
    let context = Key(31).uniform([1_000, 1], in: -1..<1)
    let data = 2 * context + 0.1 * Key(32).normal([1_000, 1])
    let flow = Flow(AffineCoupling(MLP(hidden: [16], activation: .tanh), scale: .exponential))
    let fitted = try fit(
      flow, to: data, given: context, key: Key(1), epochs: 30, batchSize: 100,
      optimizer: Adam(learningRate: .cosine(0.02, steps: 270)), progress: .silent)
    for place in [-0.5, 0.5] {
      let draws = try fitted.sample(Key(4), fitted.params, count: 500, given: Tensor([[place]]))
      #expect(abs(draws.mean().item - 2 * place) < 0.1)
    }
  }

  // MARK: - Same key, same bits

  @Test func bitsDoNotDependOnThreads() throws {
    let data = gaussianData(700)
    func run(_ threads: Int) throws -> Fitted {
      try Parallelism.$threads.withValue(threads) {
        try fit(
          smallFlow, to: data, key: Key(3), epochs: 2, batchSize: 300,
          augment: { $1 + 0.01 * $0.normal($1.shape) },
          progress: .silent)
      }
    }
    let one = try run(1)
    for threads in [1, 2, 3] {
      let other = try run(threads)
      #expect(other.params.isIdentical(to: one.params))
      #expect(other.history == one.history)
    }
    let another = try fit(smallFlow, to: data, key: Key(4), epochs: 2, batchSize: 300, progress: .silent)
    #expect(!another.params.isIdentical(to: one.params))
  }

  @Test func historyCountsEpochsAndSteps() throws {
    let log = Log<Fitted.Record>()
    let fitted = try fit(
      smallFlow, to: gaussianData(100), key: Key(3), epochs: 3, batchSize: 32, validationFraction: 0.25,
      progress: .silent
    ) {
      log.entries.append($0.latest)
      return .proceed
    }
    // 75 rows to train on, in batches of 32, 32 and 11.
    #expect(fitted.history.map(\.index) == [0, 1, 2])
    #expect(fitted.history.map(\.steps) == [3, 6, 9])
    #expect(fitted.history == log.entries)
    #expect(fitted.history[0].isBest)
    #expect(fitted.history.allSatisfy { $0.validationLoss != nil })
  }

  // MARK: - Validation and endings

  @Test func earlyStoppingKeepsTheBest() throws {
    // Forty rows and a wide network: it overfits at once. Without augmentation the held-out rows can be had
    // again.
    let (data, key) = (gaussianData(40), Key(5))
    let wide = Flow(Serial(AffineCoupling(MLP(hidden: [32])), Reverse(), AffineCoupling(MLP(hidden: [32]))))
    let fitted = try fit(
      wide, to: data, key: key, epochs: 400, batchSize: 10, optimizer: Adam(learningRate: 0.02),
      validationFraction: 0.25, patience: 15, progress: .silent)
    #expect(fitted.ending == .stoppedEarly)
    let losses = fitted.history.compactMap(\.validationLoss)
    let lowest = try #require(losses.min())
    let held = data.rows(Array(key.folded(in: 1).permutation(40)[..<10]))
    let again = -(try fitted.logPDF(fitted.params, held)).mean().item
    #expect(again == lowest)
    let bestEpoch = try #require(losses.firstIndex(of: lowest))
    #expect(losses.count - 1 - bestEpoch == 15)
    #expect(fitted.history.last { $0.isBest }?.index == bestEpoch)
    #expect(try #require(losses.last) > lowest)
  }

  @Test func withoutValidationTheLastParametersCount() throws {
    let log = Log<Int>()
    let fitted = try fit(
      smallFlow, to: gaussianData(50), key: Key(3), epochs: 4, batchSize: 50,
      optimizer: Adam(learningRate: 1e-3), validationFraction: 0, patience: 1,
      augment: { _, rows in
        log.entries.append(rows.rows)
        return rows
      }, progress: .silent)
    #expect(fitted.ending == .completed)
    #expect(fitted.history.count == 4)
    #expect(fitted.history.allSatisfy { $0.validationLoss == nil })
    #expect(log.entries == [50, 50, 50, 50, 50])  // the start and four steps
    let loss = -(try fitted.logPDF(fitted.params, gaussianData(50))).mean().item
    #expect(loss < fitted.history[3].trainingLoss)
  }

  @Test func oneRowIsEnoughToTrainOn() throws {
    let fitted = try fit(
      Flow(AdditiveCoupling(MLP(hidden: [4]))), to: Tensor([[1, 2]]), key: Key(0), epochs: 2,
      validationFraction: 0.9, progress: .silent)
    #expect(fitted.history.count == 2)
    #expect(fitted.history[0].validationLoss == nil)
  }

  @Test func callbackStops() throws {
    let fitted = try fit(smallFlow, to: gaussianData(60), key: Key(3), epochs: 50, progress: .silent) {
      $0.latest.index == 1 ? .stop : .proceed
    }
    #expect(fitted.ending == .stoppedByCallback)
    #expect(fitted.history.count == 2)
  }

  @Test func callbackErrorsPass() throws {
    struct Enough: Error {}
    #expect(throws: Enough.self) {
      try fit(smallFlow, to: gaussianData(60), key: Key(3), progress: .silent) { _ in throw Enough() }
    }
  }

  @Test func cancellationReturnsWhatThereIs() async throws {
    let (began, beginning) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try fit(
        smallFlow, to: gaussianData(600), key: Key(3), epochs: 1_000_000, patience: nil, progress: .silent
      ) { _ in
        beginning.yield()
        return .proceed
      }
    }
    for await _ in began { break }
    task.cancel()
    let fitted = try await task.value
    #expect(fitted.ending == .cancelled)
    #expect(fitted.history.count >= 1)
    #expect(try fitted.logPDF(fitted.params, gaussianData(5)).isFinite)
  }

  @Test func cancelledBeforeTheFirstStep() async throws {
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try fit(smallFlow, to: gaussianData(60), key: Key(3), progress: .silent)
    }
    task.cancel()
    let fitted = try await task.value
    #expect(fitted.ending == .cancelled)
    #expect(fitted.history.isEmpty)
  }

  /// What training has reached counts even before the first epoch is over.
  @Test func cancelledInTheFirstEpochKeepsItsSteps() async throws {
    let log = Log<Params>()
    let steps = Log<Int>()
    let task = Task {
      try fit(
        smallFlow, to: gaussianData(100), key: Key(3), batchSize: 10,
        optimizer: Watched { log.entries.append($0) },
        augment: { _, rows in
          steps.entries.append(1)
          if steps.entries.count == 5 { withUnsafeCurrentTask { $0?.cancel() } }
          return rows
        }, progress: .silent)
    }
    let fitted = try await task.value
    #expect(fitted.ending == .cancelled)
    #expect(fitted.history.isEmpty)
    #expect(!fitted.params.isIdentical(to: try #require(log.entries.first)))
  }

  // MARK: - Keys and starts

  @Test func augmentationGetsKeysOfItsOwn() throws {
    let log = Log<Key>()
    _ = try fit(
      smallFlow, to: gaussianData(100), key: Key(3), epochs: 3, batchSize: 30, validationFraction: 0.1,
      augment: { key, rows in
        log.entries.append(key)
        return rows
      }, progress: .silent)
    #expect(log.entries.count == 1 + 1 + 3 * 3)
    #expect(Set(log.entries).count == log.entries.count)
  }

  @Test func augmentationThatChangesTheShapeThrows() {
    let error = #expect(throws: FlowError.self) {
      let calls = Log<Int>()
      return try fit(
        smallFlow, to: gaussianData(100), key: Key(3), epochs: 3, batchSize: 256, validationFraction: 0,
        augment: { _, rows in
          calls.entries.append(0)
          return calls.entries.count < 2 ? rows : rows.sliced(axis: 1, 0..<1)
        }, progress: .silent)
    }
    #expect(error?.description == "Flow: expected inputs of shape [rows] + [2], got [100, 1]")
  }

  /// All training rows, where they are few: a batch may hold one row, or equal ones.
  @Test func dataDependentStartSeesTheTrainingRows() throws {
    let (data, key) = (100 + 5 * gaussianData(50), Key(6))
    let log = Log<Params>()
    _ = try fit(
      Flow(ActNorm()), to: data, key: key, epochs: 1, batchSize: 1,
      optimizer: Watched { log.entries.append($0) },
      validationFraction: 0.2, progress: .silent)
    let training = key.folded(in: 1).permutation(50)[10...]
    let first = data.rows(Array(training))
    let initial = try #require(log.entries.first)
    let bias = try #require(initial[path: "bijection/bias"]?.value)
    #expect(isClose(bias, first.mean(axis: 0), 1e-6))
  }

  /// Many rows of large samples would not fit into memory at once: the start takes a part, and at least a
  /// batch.
  @Test(arguments: [
    (1, 6_000, 2, 4_096), (5_000, 6_000, 2, 5_000), (7, 50, 1 << 16, 16), (40, 50, 1 << 16, 40),
  ])
  func startsTakeEnoughRows(batchSize: Int, count: Int, width: Int, expected: Int) throws {
    struct Rows: RowSource {
      let shape: Shape
      let dtype = DType.float32
      func rows(_ indices: [Int]) -> Tensor { .zeros([indices.count, shape[1]]) }
    }
    let rows = try TrainingRows(
      Rows(shape: [count, width]), nil, nil, heldOut: 0, key: Key(0), who: "test")
    #expect(rows.start(batchSize: batchSize).count == expected)
  }

  /// A start from one row gave deviations of 0, and a loss of 10¹⁰.
  @Test func aBatchOfOneRowStartsWell() throws {
    let fitted = try fit(
      Flow(Serial(ActNorm(), InvertibleLinear())), to: 100 + 5 * gaussianData(60), key: Key(6), epochs: 1,
      batchSize: 1, progress: .silent)
    #expect(fitted.history[0].trainingLoss < 10, "\(fitted.history[0].trainingLoss)")
  }

  @Test func float64DataGiveAFloat64Flow() throws {
    let data = gaussianData(50).cast(to: .float64)
    let fitted = try fit(smallFlow, to: data, key: Key(6), epochs: 1, progress: .silent)
    #expect(fitted.params.leaves.allSatisfy { $0.dtype != .float32 })
  }
}
