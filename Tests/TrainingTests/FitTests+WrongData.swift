import Bijections
import Distributions
import Randomness
import Tensors
import Testing
import Training

extension FitTests {
  private func message(_ data: Tensor, given context: Tensor? = nil) -> String? {
    let error = #expect(throws: FlowError.self) {
      try fit(smallFlow, to: data, given: context, key: Key(0), epochs: 1, progress: .silent)
    }
    return error?.description
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity]) func notFinite(_ value: Double) {
    var rows = (0..<300).map { [Double($0), 1] }
    rows[271][1] = value
    let text = "fit: expected finite data, got NaN or infinity in row 271"
    #expect(message(Tensor(rows)) == text)
    #expect(message(Tensor(rows, dtype: .float64)) == text)
    #expect(
      message(gaussianData(300), given: Tensor(rows))
        == "fit: expected finite context, got NaN or infinity in row 271")
  }

  @Test func emptyAndMisshapenData() {
    let rows = "fit: expected data [rows] + sample with at least one row, got "
    #expect(message(.zeros([0, 2])) == rows + "[0, 2]")
    #expect(message(Tensor([1, 2, 3])) == rows + "[3]")
    #expect(message(Tensor(1)) == rows + "[]")
    #expect(message(.zeros([5, 0])) == "Flow: expected inputDim with 1 to 5 axes, none of size 0, got [0]")
    #expect(
      message(Tensor(ints: [1, 2], shape: [1, 2])) == "Flow: expected dtype float32 or float64, got int32")
  }

  @Test func wrongContext() {
    let data = gaussianData(20)
    #expect(message(data, given: .zeros([19, 3])) == "fit: expected context 20 rows, got [19, 3]")
    #expect(message(data, given: .zeros([20])) == "fit: expected context 20 rows, got [20]")
    #expect(
      message(data, given: .zeros([20, 0]))
        == "Flow: expected contextDim with 1 to 5 axes, none of size 0, got [0]")
    #expect(
      message(data, given: .zeros([20, 1], dtype: .float64))
        == "Flow initInputs: expected context of dtype float32, got float64")
  }

  @Test func outsideTheDomain() {
    let positive = Flow(Inverted(exponentialMap))
    var rows = (0..<300).map { [1 + Double($0), 1] }
    #expect(throws: Never.self) {
      try fit(positive, to: Tensor(rows), key: Key(0), epochs: 1, progress: .silent)
    }
    rows[17][0] = -1
    // Wherever it comes up, in a batch or among the held-out rows.
    for fraction in [0, 0.5] {
      for key in 0..<4 {
        let error = #expect(throws: FlowError.self) {
          try fit(
            positive, to: Tensor(rows), key: Key(key), epochs: 1, batchSize: 16, validationFraction: fraction,
            progress: .silent)
        }
        guard case .outsideDomain(_, "greater than 0", -1, 17)? = error else {
          Issue.record("\(String(describing: error)) is of another kind")
          continue
        }
      }
    }
  }

  /// A member of a mixture learns from the rows inside its support alone.
  @Test func mixturesWithBoundedMembersTrain() throws {
    let (a, b) = (Key(1).normal([150, 1]), Key(2).normal([150, 1]))
    let data = concatenate(a - 4, exp(0.5 * b + 1), axis: 0)
    let mixture = Mixture([Normal(.learned), Flow(Serial(Bijections.Log(), ActNorm()))])
    let fitted = try fit(
      mixture, to: data, key: Key(0), epochs: 600, batchSize: 300, optimizer: Adam(learningRate: 0.1),
      validationFraction: 0, progress: .silent)
    // As likely as under the densities that gave the rows: log N(z) − log |dx/dz| − log 2 each.
    let normals = -0.5 * square(concatenate(a, b, axis: 0)).mean().item - 0.919 - 0.693
    let truth = normals - 0.5 * (0.5 * b + 1).mean().item + 0.5 * 0.693
    let mean = try fitted.logPDF(fitted.params, data).mean().item
    #expect(truth - 0.01 < mean && mean < truth + 0.05, "\(mean), \(truth)")
    #expect(try fitted.logPDF(fitted.params, Tensor([[-4], [0], [3]])).isFinite)
  }
}

/// y = eˣ: its inverse takes positive values only.
private let exponentialMap = Lambda { _, site in
  site.layer("exp", to: Domain(site.inputDim, .positive)) { _, x, _ in
    (exp(x), x.sumPerRow())
  } inverse: { _, y, _ in
    let x = log(y)
    return (x, -x.sumPerRow())
  }
}
