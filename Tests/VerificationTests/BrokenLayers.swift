import Bijections
import Randomness
import Tensors
import Testing
import Verification

/// A layer with a mistake that other libraries have shipped, and the laws that must reject it.
struct BrokenLayer: Sendable, CustomTestStringConvertible {
  let name: String
  let bijection: any Bijection
  var contextDim: Shape?
  let rejectedBy: [Laws.Law]
  var testDescription: String { name }
}

private func affine(
  _ name: String, traits: Mapping.Traits = [],
  forward: @escaping @Sendable (_ a: Tensor, _ x: Tensor) -> (Tensor, Tensor),
  inverse: @escaping @Sendable (_ a: Tensor, _ y: Tensor) -> (Tensor, Tensor)
) -> Lambda {
  Lambda { _, site in
    site.layer(name, ["a": .leaf(.zeros(site.inputDim, dtype: site.dtype))], traits: traits) { params, x, _ in
      forward(params["a"], x)
    } inverse: { params, y, _ in
      inverse(params["a"], y)
    }
  }
}

private func spread(_ number: Tensor, _ x: Tensor) -> Tensor { number.broadcast(to: [x.rows]) }

let brokenLayers: [BrokenLayer] = [
  BrokenLayer(
    name: "wrong sign in the inverse, as in jax-flows' AffineCoupling",
    bijection: affine("wrong sign") { a, x in
      (x * exp(a), spread(a.sum(), x))
    } inverse: { a, y in
      (y * exp(-a), spread(a.sum(), y))
    }, rejectedBy: [.logDet, .logDetsCancel]),
  BrokenLayer(
    name: "parameters ignored, as in jax-flows' spline coupling",
    bijection: Lambda { key, site in
      let own = key.normal(site.inputDim).cast(to: site.dtype)
      return site.layer("ignores", ["a": .leaf(own)]) { _, x, _ in
        (x * exp(own), spread(own.sum(), x))
      } inverse: { _, y, _ in
        (y * exp(-own), spread(-own.sum(), y))
      }
    }, rejectedBy: [.everyLeafLearns, .loading]),
  BrokenLayer(
    name: "one term of the log-det missing",
    bijection: affine("term missing") { a, x in
      let y = x * exp(a)
      return (y + y * y * y, spread(a.sum(), x))
    } inverse: { a, y in
      (cubicRoot(y) * exp(-a), spread(-a.sum(), y))
    }, rejectedBy: [.logDet]),
  BrokenLayer(
    name: "a branch wrong only for negative inputs, as in a planar flow with leaky relu",
    bijection: affine("branch") { a, x in
      (select(where: x .> 0, x, 0.5 * x) * exp(a), spread(a.sum(), x))
    } inverse: { a, y in
      let x = y * exp(-a)
      return (select(where: x .> 0, x, 2 * x), spread(-a.sum(), y))
    }, rejectedBy: [.logDet]),
  BrokenLayer(
    name: "a log-det of zero that was never computed",
    bijection: affine("zero") { a, x in
      (x * exp(a), .zeros([x.rows], dtype: x.dtype))
    } inverse: { a, y in
      (y * exp(-a), .zeros([y.rows], dtype: y.dtype))
    }, rejectedBy: [.logDet]),
  BrokenLayer(
    name: "declares itself volume preserving and is not",
    bijection: affine("volume", traits: .volumePreserving) { a, x in
      (x * exp(a), .zeros([x.rows], dtype: x.dtype))
    } inverse: { a, y in
      (y * exp(-a), .zeros([y.rows], dtype: y.dtype))
    }, rejectedBy: [.logDet]),
  BrokenLayer(
    name: "an inverse with + eps, as in InvertibleNetworks' coupling",
    bijection: affine("eps") { a, x in
      (x * exp(a), spread(a.sum(), x))
    } inverse: { a, y in
      (y / (exp(a) + 1e-6), spread(-a.sum(), y))
    }, rejectedBy: [.roundTrip, .logDet]),
  BrokenLayer(
    name: "a log-det for the whole batch",
    bijection: affine("batch mean") { a, x in
      (x * exp(a), spread(a.sum(), x).sum())
    } inverse: { a, y in
      (y * exp(-a), -spread(a.sum(), y).sum())
    }, rejectedBy: [.rowBits, .logDet]),
  BrokenLayer(
    name: "rows standardized by the batch without saying so",
    bijection: affine("couples rows") { a, x in
      ((x - x.mean(axis: 0)) * exp(a), spread(a.sum(), x))
    } inverse: { a, y in
      (y * exp(-a), spread(-a.sum(), y))
    }, rejectedBy: [.rowIndependence, .rowBits, .roundTrip]),
  BrokenLayer(
    name: "a permutation kept in the closure",
    bijection: Lambda { key, site in
      let order = Tensor(ints: key.permutation(site.channels))
      return site.layer("closure", .empty, traits: .volumePreserving) { _, x, _ in
        (x.gathered(order), .zeros([x.rows], dtype: x.dtype))
      } inverse: { _, y, _ in
        (y.gathered(order.inversePermutation), .zeros([y.rows], dtype: y.dtype))
      }
    }, rejectedBy: [.loading]),
  BrokenLayer(
    name: "a log-det of NaN",
    bijection: affine("nan") { a, x in
      (x * exp(a), spread(log(-exp(a.sum())), x))
    } inverse: { a, y in
      (y * exp(-a), spread(-a.sum(), y))
    }, rejectedBy: [.logDet]),
]

/// One pass through a layer: its direction, its arguments and its results.
private struct Pass {
  let isForward: Bool
  let params: Params
  let x, y, logDet: Tensor

  func giving(_ y: Tensor) -> (Tensor, Tensor) { (y, logDet) }
  func giving(logDet: Tensor) -> (Tensor, Tensor) { (y, logDet) }
}

/// y = x exp(a) + b: right by itself, with one change.
private func changed(
  _ name: String, traits: Mapping.Traits = [], detachingInverse: Bool = false,
  _ change: @escaping @Sendable (Pass) -> (Tensor, Tensor) = { ($0.y, $0.logDet) }
) -> Lambda {
  Lambda { _, site in
    let zeros = Tensor.zeros([site.channels], dtype: site.dtype)
    let params: Params = ["a": .leaf(zeros), "b": .leaf(zeros)]
    return site.layer(name, params, traits: traits) { params, x, _ in
      let (a, b) = (params["a"], params["b"])
      let pass = Pass(
        isForward: true, params: params, x: x, y: x * exp(a) + b, logDet: spread(a.sum(), x))
      return change(pass)
    } inverse: { params, y, _ in
      let params = detachingInverse ? params.map(\.detached) : params
      let (a, b) = (params["a"], params["b"])
      let pass = Pass(
        isForward: false, params: params, x: y, y: (y - b) * exp(-a), logDet: spread(-a.sum(), y))
      return change(pass)
    }
  }
}

/// Where the plain probes of a unit normal, few rows and small parameters see nothing.
let hiddenMistakes: [BrokenLayer] = [
  BrokenLayer(
    name: "declares itself volume preserving, with the right log-det",
    bijection: changed("volume", traits: .volumePreserving), rejectedBy: [.logDet]),
  BrokenLayer(
    name: "an inverse that detaches its parameters",
    bijection: changed("detached", detachingInverse: true),
    rejectedBy: [.gradient, .everyLeafLearns]),
  BrokenLayer(
    name: "an inverse wrong in float32",
    bijection: changed("float32") { pass in
      pass.giving(pass.isForward || pass.x.dtype == .float64 ? pass.y : 1.01 * pass.y)
    }, rejectedBy: [.roundTrip, .dtypes]),
  BrokenLayer(
    name: "an inverse log-det wrong in float32",
    bijection: changed("float32 log-det") { pass in
      let isRight = pass.isForward || pass.x.dtype == .float64
      return pass.giving(logDet: isRight ? pass.logDet : pass.logDet + 0.01)
    }, rejectedBy: [.dtypes]),
  BrokenLayer(
    name: "an inverse that spreads NaN over rows",
    bijection: changed("spreads") { pass in
      pass.giving(pass.isForward ? pass.y : pass.y + 0 * pass.x.sum())
    }, rejectedBy: [.rowIndependence]),
  BrokenLayer(
    name: "couples rows in batches of 9 and more",
    bijection: changed("nine") { pass in
      if pass.x.rows < 9 { return pass.giving(pass.y) }
      let first = pass.x.rows([0]).broadcast(to: pass.x.shape)
      return pass.giving(pass.y + (pass.isForward ? 0.1 : -0.1) * first)
    }, rejectedBy: [.rowBits]),
  BrokenLayer(
    name: "an element of a leaf without a gradient",
    bijection: changed("element") { pass in
      let isFirst = Tensor((0..<pass.x.shape[-1]).map { $0 == 0 ? 1.0 : 0 }, dtype: pass.x.dtype)
      let b = pass.params["b"]
      return pass.giving(select(where: isFirst.broadcast(to: pass.y.shape), pass.y - b + b.detached, pass.y))
    }, rejectedBy: [.gradient]),
  BrokenLayer(
    name: "NaN at 0",
    bijection: changed("zero") { pass in pass.giving(pass.y * (pass.x / pass.x)) }, rejectedBy: [.finite]),
  BrokenLayer(
    name: "wrong beyond 6",
    bijection: changed("six") { pass in
      let error = select(where: abs(pass.x) .> 6, 0.01, 0 * pass.x)
      return pass.giving(pass.isForward ? pass.y + error : pass.y)
    }, rejectedBy: [.roundTrip]),
  BrokenLayer(
    name: "wrong where the sum of a is above 1",
    bijection: changed("sum") { pass in
      let isWrong = pass.isForward && pass.params["a"].sum().item > 1
      return pass.giving(logDet: isWrong ? 0.9 * pass.logDet : pass.logDet)
    }, rejectedBy: [.logDet, .logDetsCancel]),
  BrokenLayer(
    name: "a codomain that is too large",
    bijection: Lambda { _, site in
      site.layer("exp") { _, x, _ in
        exp(x)
      } logDet: { _, x, _ in
        x.sumPerRow()
      } inverse: { _, y, _ in
        log(y)
      }
    }, rejectedBy: [.finite]),
  BrokenLayer(
    name: "wrong for a context above 4",
    bijection: Lambda { _, site in
      site.volumePreserving("context") { _, x, context in
        x + maximum(context ?? 0 * x, 4).sliced(axis: -1, 0..<1)
      } inverse: { _, y, context in
        y - (0 * (context ?? y) + 4).sliced(axis: -1, 0..<1)
      }
    }, contextDim: 1, rejectedBy: [.roundTrip]),
]

/// The inverse of y + y³ by ten Newton steps, enough for the values of the test.
private func cubicRoot(_ z: Tensor) -> Tensor {
  var y = z / (1 + abs(z))
  for _ in 0..<30 { y = y - (y + y * y * y - z) / (1 + 3 * y * y) }
  return y
}

/// Whether an error is that of a check, and not one of the layer's own.
func isVerdict(_ error: any Error) -> Bool {
  if case FlowError.verification = error { true } else { false }
}

@Suite struct BrokenLayerTests {
  @Test(arguments: brokenLayers + hiddenMistakes) func isRejected(_ broken: BrokenLayer) {
    let laws = Laws(of: broken.bijection, inputDim: 4, contextDim: broken.contextDim, key: Key(3))
    for law in broken.rejectedBy {
      #expect("law \(law)") { try laws.check(law) } throws: { isVerdict($0) }
    }
    #expect(throws: FlowError.self) {
      try checkLaws(of: broken.bijection, inputDim: 4, contextDim: broken.contextDim, key: Key(3))
    }
  }

  /// What is not broken about them passes: the laws reject for the reason named.
  @Test func onlyTheNamedLawsReject() {
    let signs = Laws(of: brokenLayers[0].bijection, inputDim: 4, key: Key(3))
    for law in Laws.Law.allCases where !brokenLayers[0].rejectedBy.contains(law) {
      #expect(throws: Never.self, "law \(law)") { try signs.check(law) }
    }
  }

  @Test func reportNamesTheWorstSample() throws {
    let check = try LogDetCheck(of: brokenLayers[0].bijection, inputDim: 4, key: Key(3))
    let report = try check.run()
    #expect(!report.passes)
    let wrong = try #require(report.entries.first { $0.label == "inverse, perturbed parameters" })
    #expect(abs(wrong.claimed + wrong.jacobian) < 1e-12)
    #expect(report.description.contains("WRONG, worst row"))
    #expect(throws: FlowError.self) { try check.verify() }
  }
}
