import FittedModels
import Flows
import Testing

@testable import flow

/// Densities and draws are those of the data's units, however far from 0 the data lie.
@Suite struct UnitsTests {
  private let small = "--architecture nsf --layers 1 --hidden 4 --epochs 3"

  /// Columns moved by 1.7e9, and scaled by 2^-200, have the same model.
  @Test(arguments: ["", "--dtype float64", "--log y"])
  func movedAndScaledColumns(options: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    // Multiples of 1/1024 that 1.7e9 keeps exactly, and positive numbers.
    let z = (Key(3).normal([200, 2], dtype: .float64) * 1024).doubles.map { $0.rounded() / 1024 }
    func table(_ x: (Double) -> Double, _ y: (Double) -> Double) -> String {
      let rows = (0..<200).map { "\(x(z[2 * $0])),\(y(z[2 * $0 + 1] + 8))" }
      return "x,y\n" + rows.joined(separator: "\n")
    }
    try place.write("near.csv", table({ $0 }, { $0 }))
    try place.write("far.csv", table({ $0 + 1.7e9 }, { $0 * 0x1p-200 }))
    var likelihoods: [Double] = []
    for name in ["near", "far"] {
      let fitted = try await place.json("fit @\(name).csv \(small) \(options) --out @\(name).safetensors")
      let score = try await place.json("score @\(name).safetensors @\(name).csv")
      likelihoods += [
        try #require(score["mean_log_likelihood"]?.number),
        try #require(fitted["validation_log_likelihood"]?.number),
        try #require(fitted["gaussian_log_likelihood"]?.number),
      ]
    }
    // log 2^200 = 138.62943611198907. The seconds' mean is rounded to 2e-7 in float64.
    for i in 0..<3 {
      #expect(abs(likelihoods[i + 3] - likelihoods[i] - 138.62943611198907) < 1e-4, "\(likelihoods)")
    }
    _ = try await place.json("sample @far.safetensors --count 400 --out @s.npy")
    let draws = try NPY.read(place["s.npy"])
    let spread = draws.sliced(axis: 1, 0..<1) - 1.7e9
    #expect(draws.dtype == .float64 && abs(spread.mean().item) < 0.5)
    #expect(Set(spread.doubles).count > 350)
    #expect(
      try await place.json("check @far.safetensors --rows 2")["passes"]
        == (options == "--log y" ? true : true))
  }

  @Test func fourRowsOfSeconds() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("e1.csv", "x\n1700000000\n1700000010\n1700000025\n1700000040\n")
    try place.write("near.csv", "x\n0\n10\n25\n40\n")
    var scores: [Double] = []
    for name in ["e1", "near"] {
      _ = try await place.json("fit @\(name).csv \(small) --out @m.safetensors")
      let score = try await place.json("score @m.safetensors @\(name).csv")
      let raw = await place.flow("fit @\(name).csv --no-standardize \(small) --out @raw.safetensors")
      #expect(
        raw.code == (name == "e1" ? 2 : 0) && (raw.error?.contains("tells apart in x") ?? (name == "near")))
      scores.append(try #require(score["mean_log_likelihood"]?.number))
    }
    #expect(abs(scores[0] - scores[1]) < 1e-6, "\(scores)")
  }

  /// log x normal about 2: the density of x has the factor 1/x.
  @Test func logsOfColumns() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let z = Key(4).normal([300, 1], dtype: .float64) + 2
    try CSV(names: ["x"], values: exp(z)).write(to: place["x.csv"])
    _ = try await place.json("fit @x.csv --log x \(small) --out @m.safetensors")
    let score = try await place.json("score @m.safetensors @x.csv")
    // -½ log 2πe σ² - mean log x, with the sample's own mean and deviation.
    let (mean, variance) = (z.mean().item, square(z - z.mean()).mean().item)
    let truth = -1.4189385332046727 - 0.5 * log(Tensor(variance, dtype: .float64)).item - mean
    #expect(abs(try #require(score["mean_log_likelihood"]?.number) - truth) < 0.15)
    #expect(try await place.json("describe @m.safetensors")["log"] == ["x"])
    #expect(await place.flow("describe @m.safetensors").output.contains("yes, float32, logs of x\n"))
    let drawn = await place.flow("sample @m.safetensors --count 200")
    #expect(try CSV.parse(drawn.output).values.doubles.allSatisfy { $0 > 0 })
    try place.write("zero.csv", "x\n1\n0\n")
    let outcome = await place.flow("score @m.safetensors @zero.csv")
    #expect(
      outcome.code == 2 && outcome.error?.contains("row 3, column 1: expected a positive number") == true)
  }

  /// Numbers that float32 cannot hold are reported where it must hold them.
  @Test func numbersBeyondTheDType() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("small.csv", "x\n1e-50\n2e-50\n4e-50\n")
    let raw = await place.flow("fit @small.csv --no-standardize \(small) --out @m.safetensors")
    #expect(
      raw.code == 2 && raw.error?.contains("expected a number that float32 holds in x, got 1e-50") == true)
    _ = try await place.json("fit @small.csv \(small) --out @m.safetensors")
    let score = try await place.json("score @m.safetensors @small.csv")
    #expect(try #require(score["mean_log_likelihood"]?.number) > 100)
    try place.write("far.csv", "x\n1e-50\n1\n")
    let far = await place.flow("score @m.safetensors @far.csv")
    #expect(far.code == 2 && far.error?.contains("far.csv, row 3, column 1: expected a number near") == true)
  }

  /// Files of earlier versions hold the standardization in the tree alone.
  @Test func filesWithoutScalesLoad() async throws {
    let place = try Workplace()
    defer { place.remove() }
    for options in ["", "--folds 2 --validation 0.5", "--no-standardize"] {
      _ = try await place.json("fit @plain.csv \(small) \(options) --out @m.safetensors")
      let file = try SafeTensors.read(place["m.safetensors"])
      let metadata = file.metadata.filter { $0.key != "scales" && $0.key != "frozen" }
      try SafeTensors(file.tree, metadata: metadata).write(to: place["old.safetensors"])
      let old = try #require(
        try await place.json("score @old.safetensors @plain.csv")["mean_log_likelihood"]?.number)
      let new = try #require(
        try await place.json("score @m.safetensors @plain.csv")["mean_log_likelihood"]?.number)
      #expect(
        abs(old - new) < 1e-5 && (options == "--no-standardize") == !file.metadata.keys.contains("scales"))
    }
  }

  /// Rows of density 0 are counted, and the object stays JSON.
  @Test func rowsOfDensityZero() throws {
    let file = TableFile.array(.zeros([3, 1]), source: "x.npy")
    let scores = Tensor(doubles: [-1, -.infinity, -3], shape: [3])
    let summary = ScoreSummary(scores, worst: 2, of: file)
    #expect(summary.impossible == 1)
    #expect(summary.text.hasPrefix("mean log-likelihood -inf nats over 3 rows, median -3.000"))
    let json = try JSON(parsing: Array(summary.json.text.utf8))
    #expect(json["mean_log_likelihood"] == .null && json["impossible"] == 1)
    #expect(json["worst"]?.array?.map { $0["row"] } == [2, 3])
  }

  /// Each prior is in the model file, and a normal one is not, as in earlier files.
  @Test(arguments: LatentPrior.allCases) func priors(prior: LatentPrior) async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv \(small) --prior \(prior.rawValue) --out @m.safetensors")
    let model = try Model.read(place["m.safetensors"])
    #expect(model.members[0].prior == prior && (model.arguments["prior"] == nil) == (prior == .normal))
    let score = try await place.json("score @m.safetensors @plain.csv")["mean_log_likelihood"]?.number
    let (params, logPDF, _) = try Flow(
      Flow.neuralSpline(layers: 1, hidden: [4]).bijection, prior: prior.distribution
    )(Key(0), inputDim: 2)
    let scales = try #require(model.scales)
    let z = scales.standardized(place.rows)
    let tree = try params.replacing("bijection", by: model.params.child("bijection").child(1))
    let inner = try logPDF(tree, z.cast(to: .float32)).cast(to: .float64).mean().item
    #expect(abs(try #require(score) - inner - scales.logDet(z).mean().item) < 1e-5)
  }

  @Test(
    arguments: [
      (-7.4412345, 3, "-7.441"), (0.0004, 3, "0.000"), (-0.0004, 3, "0.000"), (12, 0, "12"),
      (1e300, 3, "1e+300"),
      (-.infinity, 2, "-inf"), (0.05, 2, "0.05"),
    ] as [(Double, Int, String)])
  func fixedPlaces(x: Double, places: Int, text: String) { #expect(fixed(x, places: places) == text) }
}
