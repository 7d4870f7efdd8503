import Flows
import Testing

/// The articles' code that writes no files, run.
@Suite struct ArticleCodeTests {
  private let clusters = concatenate(
    [Key(6).normal([200, 2]) * 0.4 + 1.5, Key(7).normal([200, 2]) * 0.4 - 1.5], axis: 0)

  @Test func otherLibraries() throws {
    let data = Key(8).normal([40, 2])
    let jax = try fromJaxFlows(data: data)
    #expect(jax.scores.shape == [40] && jax.draws.shape == [100, 2])
    let others = try fromFlowjaxAndNflows(data: data)
    #expect(
      others.scores.shape == [40] && others.draws.shape == [100, 2] && others.drawScores.shape == [100])
    let more = try fromOtherLibraries(data: data, context: Key(9).normal([40, 3]))
    #expect(more.scores.isFinite && more.draws.shape == [100, 2] && more.drawScores.shape == [100])
    #expect(more.logDet.shape == [40] && (abs(more.restored - data) .< 1e-4).mean().item == 1)
  }

  @Test func guarantees() throws {
    #expect(try theLaws())
    #expect(try reproducibility())
    try writeYourOwnBijection()
  }

  @Test func conditionsAndImages() throws {
    let conditional = try conditionalFlows()
    #expect(conditional.scores.isFinite && abs(conditional.draws.mean().item - 0.5) < 0.3)
    let images = try imagesAndMemory(images: floor(16 * Key(5).uniform([40, 8, 8, 1])))
    #expect(images.draws.shape == [16, 8, 8, 1] && images.slopes.leaves.allSatisfy(\.isFinite))
  }

  @Test func privacy() throws {
    let privacy = try privacyAccounting()
    #expect(abs(privacy.bounds.lower - 1.8282) < 1e-4 && abs(privacy.bounds.upper - 1.8282) < 1e-4)
    #expect(privacy.order == 7.8 && abs(privacy.noise - 0.8136) < 1e-3 && privacy.measured >= 0)
  }

  @Test func mixedTables() throws {
    let people = (0..<200).map { i in
      "\(i % 3 == 0 ? "Bern" : "Basel"),\(17 + i * i % 60),"
        + (i % 9 == 0 ? "" : "\(40 + Double(i * 7 % 100) / 8)")
    }
    let mixed = try tables("city,age,income\n" + people.joined(separator: "\n"))
    #expect(mixed.kinds == [.categorical, .integer, .continuous] && mixed.scores.isFinite)
    #expect(mixed.draws.count == 100 && mixed.given.columns[0].allSatisfy { $0 == "Bern" })
    let judged = try judgingTables()
    #expect(judged.quality > 0.7 && judged.quality < 1 && judged.protection <= 1 && judged.logistic > 0.3)
    #expect(judged.pictures.allSatisfy { $0.hasSuffix("</svg>\n") })
  }

  @Test func targets() throws {
    let inference = try variationalInference()
    #expect(abs(inference.logEvidence - log(Tensor(2 * Double.pi, dtype: .float64)).item) < 0.05)
    #expect(inference.paretoK < 0.7)
  }

  @Test func fineTuning() throws {
    // Products of three draws whose logarithms are normal, with mean 0.15 and deviation 0.9.
    let products = (0.15 + 0.9 * Key(5).normal([2_000, 3])).sum(axis: 1)
    let tuned = try fineTuningByWeights(measured: exp(products))
    #expect(try #require(tuned.1.reducedChiSquared) < 2 && tuned.0.report.rounds.count < 5)
    #expect(tuned.2.effectiveSampleSize > 500)
  }

  @Test func continuous() throws {
    let continuous = try continuousFlows(clusters)
    #expect(continuous.likelihood > -2.9 && continuous.matched > -2.9)
    #expect(continuous.draws.shape == [500, 2])
  }

  @Test func labels() throws {
    let labels = try labelsWithoutTraining(
      concatenate([clusters, Key(8).normal([100, 2]) * 0.4 + 1.5], axis: 0).rows(Key(9).permutation(500)))
    #expect(labels.densities.isFinite && labels.draws.isFinite && labels.fitted > -4)
  }
}
