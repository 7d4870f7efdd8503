import Bijections
import Distributions
import Randomness
import Tensors
import Testing

/// Broken distributions must be rejected: a law that cannot fail is a defect.
@Suite struct BrokenDistributionTests {
  /// A distribution of one learned location, with what is wrong as an argument.
  struct Broken: Distribution {
    var drawnScale = 1.0
    var claim = 0.0
    var reusesKey = false
    var whole = false
    var losesNaN = false

    func initialize(
      _ key: Key, at site: Site
    ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
      let (_, logPDF, _) = try Normal(.learned).initialize(key, at: site)
      let params: Params = [
        "location": .leaf(.zeros(site.inputDim, dtype: site.dtype)),
        "logScale": .leaf(.zeros(site.inputDim, dtype: site.dtype)),
      ]
      return (
        params,
        LogPDF(logPDF.boundary) { (params, x, context) throws(FlowError) in
          let density = try logPDF.body(params, x, context)
          let shared = whole ? density - density.detached.mean() : density
          return losesNaN ? select(where: density .== density, density, -.infinity) : shared
        },
        Sampler(logPDF.boundary) { (key, params, count, context) throws(FlowError) in
          if reusesKey { _ = key.folded(in: 0) }
          let z = drawnScale * key.normal(site.inputDim.batched(count), dtype: site.dtype)
          let x = params["location"] + exp(params["logScale"]) * z
          return (x, try logPDF.body(params, x, context) + claim)
        }
      )
    }
  }

  @Test func theLawsRejectThem() throws {
    func rejects(_ law: DistributionLaw, _ distribution: Broken, _ comment: Comment) {
      #expect(throws: FlowError.self, comment) {
        try law.check(DistributionRow(name: "broken", distribution: distribution))
      }
    }
    for law in DistributionLaw.allCases {
      try law.check(DistributionRow(name: "sound", distribution: Broken()))
    }
    rejects(.scoreHasMeanZero, Broken(drawnScale: 1.2), "draws too wide")
    rejects(.onePass, Broken(claim: 0.01), "a wrong log-density with the draws")
    rejects(.keysOnce, Broken(reusesKey: true), "a key folded and drawn from")
    rejects(.rowBits, Broken(whole: true), "rows that depend on each other")
    rejects(.rowIndependence, Broken(losesNaN: true), "a lost NaN")
  }
}
