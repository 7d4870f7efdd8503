import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

/// A combinator around one member, and the place it takes to give that member samples of a shape.
private struct Combinator: Sendable, CustomTestStringConvertible {
  let name: String
  let around: @Sendable (_ member: any Bijection) -> any Bijection
  var outside: @Sendable (_ member: Shape) -> Shape = { $0 }
  /// The member's inverse is the forward direction: no statistics, and data for a start stand at its output.
  var isBackwards = false
  /// A member that changes the shape of its samples in a way that the combinator allows.
  var reshaping: (member: any Bijection, dim: Shape) = (Squeeze(), [2, 2, 4])
  var testDescription: String { name }
}

private let table: [Combinator] = [
  Combinator(name: "Serial", around: { Serial(Serial(), $0, Reverse()) }),
  Combinator(name: "Stages", around: { Stages(1, sharing: $0, after: [Reverse()]) }),
  Combinator(name: "Stages, own", around: { Stages(1, sharing: Serial(), after: [$0]) }),
  Combinator(name: "Inverted", around: { Inverted($0) }, isBackwards: true),
  Combinator(name: "Reversible", around: { Reversible($0) }),
  Combinator(name: "AnyBijection", around: { AnyBijection($0) }),
  Combinator(name: "Conditioned", around: { Conditioned($0, by: NormalizedContext()) }),
  Combinator(
    name: "Blockwise", around: { Blockwise(([2], Serial()), ([4], $0)) }, outside: { _ in [6] },
    reshaping: (FromSimplex(), 4)),
  Combinator(
    name: "OnChannels", around: { OnChannels(1..<5, $0) }, outside: { $0.replacing(-1, by: $0[-1] + 2) },
    reshaping: (FromSimplex(), 4)),
  Combinator(
    name: "BothHalves", around: { BothHalves($0) }, outside: { $0.replacing(-1, by: 2 * $0[-1]) }),
  Combinator(
    name: "MultiScale", around: { MultiScale([Serial(), Serial($0)]) },
    outside: { $0.replacing(-1, by: 2 * $0[-1]) }, reshaping: (FromSimplex(), 4)),
  Combinator(
    name: "MultiScale, first level, prior",
    around: { MultiScale([Serial($0), Serial()], prior: MLP(hidden: [3], lastWeight: .glorotUniform)) }),
  Combinator(
    name: "Lambda",
    around: { member in
      Lambda { (key, site) throws(FlowError) in try member.initialize(key, at: site) }
    }),
  Combinator(
    name: "nested", around: { Reversible(Serial(MultiScale([Serial($0), Serial()]), Reshape.flat)) }),
]

/// Nothing that a member has is lost in a combinator: one trait at a time, for every combinator.
@Suite struct CombinatorTests {
  private static let net = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)
  private static let batch = Key(1).folded(in: 0)

  private func initialized(
    _ combinator: Combinator, _ member: any Bijection, _ dim: Shape = 4, initInputs: Tensor? = nil
  ) throws -> (params: Params, forward: Mapping, inverse: Mapping) {
    let bijection = combinator.around(member)
    let initContext: Tensor? = initInputs == nil ? nil : context
    return try bijection(
      Key(0), inputDim: combinator.outside(dim), contextDim: 2, initInputs: initInputs,
      initContext: initContext, dtype: .float64)
  }

  private func rows(_ combinator: Combinator, _ dim: Shape = 4, count: Int = 12) -> Tensor {
    3 + 2 * Self.batch.normal(combinator.outside(dim).batched(count), dtype: .float64)
  }
  private let context = Self.batch.folded(in: 5).normal([12, 2], dtype: .float64)

  @Test(arguments: table) fileprivate func statisticsMove(_ combinator: Combinator) throws {
    let (params, forward, inverse) = try initialized(combinator, BatchNorm())
    let moving = combinator.isBackwards ? inverse : forward
    #expect(moving.traits.contains(.couplesRows) && moving.statistics != nil)
    let moved = try moving.updatingStatistics(params, rows(combinator), given: context)
    let path = try #require(params.paths.first { $0.hasSuffix("runningMean") })
    let mean = try #require(moved[path: path]?.value)
    #expect(mean.doubles.allSatisfy { $0 > 0.1 }, "\(mean)")
    #expect(combinator.isBackwards == (forward.statistics == nil))
  }

  @Test(arguments: table) fileprivate func theContextReachesTheMember(_ combinator: Combinator) throws {
    let (params, forward, inverse) = try initialized(combinator, AffineCoupling(Self.net))
    let x = rows(combinator)
    let (y, logDet) = try forward(params, x, given: context)
    let (z, other) = try forward(params, x, given: context + 1)
    #expect(!isClose(y, z, 1e-3) && !isClose(logDet, other, 1e-3))
    #expect(isClose(try inverse(params, y, given: context).outputs, x, 1e-9))
    #expect(throws: FlowError.self) { try forward(params, x) }
  }

  @Test(arguments: table) fileprivate func theDomainIsChecked(_ combinator: Combinator) throws {
    let member: any Bijection = combinator.isBackwards ? Exp() : Log()
    let (params, forward, _) = try initialized(combinator, member)
    _ = try forward(params, abs(rows(combinator)) + 1, given: context)
    #expect(throws: FlowError.self) { try forward(params, -abs(rows(combinator)), given: context) }
  }

  @Test(arguments: table) fileprivate func dataReachTheStart(_ combinator: Combinator) throws {
    let data = rows(combinator)
    func leaves(_ bijection: any Bijection, _ data: Tensor?, _ dim: Shape) throws -> [Double] {
      let initContext: Tensor? = data == nil ? nil : context
      let (params, _, _) = try bijection(
        Key(0), inputDim: dim, contextDim: 2, initInputs: data, initContext: initContext, dtype: .float64)
      let path = try #require(
        params.paths.last { $0.hasSuffix("bias") && !$0.hasPrefix("context") && !$0.contains("prior") })
      return try #require(params[path: path]?.value).doubles
    }
    // From the front, and from behind.
    for member in [ActNorm(), Inverted(ActNorm())] as [any Bijection] {
      let around = combinator.around(member)
      let start = try leaves(around, data, combinator.outside(4))
      #expect(start.allSatisfy { abs($0) > 0.1 }, "\(start)")
      #expect(try leaves(around, nil, combinator.outside(4)).allSatisfy { $0 == 0 })
      // A combinator that keeps the shape may stand backwards.
      let (_, forward, _) = try around(Key(0), inputDim: combinator.outside(4), contextDim: 2)
      if forward.codomain.shape == forward.domain.shape {
        let backwards = try leaves(Inverted(around), data, combinator.outside(4))
        #expect(backwards.allSatisfy { abs($0) > 0.1 }, "\(backwards)")
      }
    }
  }

  @Test(arguments: table) fileprivate func shapesMayChange(_ combinator: Combinator) throws {
    let (member, dim) = combinator.reshaping
    guard !combinator.isBackwards else {
      #expect(throws: FlowError.self) { try initialized(combinator, member, dim) }
      return
    }
    let (params, forward, inverse) = try initialized(combinator, member, dim)
    #expect(forward.codomain.shape != forward.domain.shape)
    let z = Self.batch.normal(forward.codomain.shape.batched(12), dtype: .float64)
    let x = try inverse(params, z, given: context).outputs
    #expect(x.shape.sample == forward.domain.shape)
    let back = try forward(params, x, given: context).outputs
    #expect(isClose(back, z, 1e-9))
  }

  @Test(arguments: table) fileprivate func volumeAndLayersAreKnown(_ combinator: Combinator) throws {
    let (params, forward, _) = try initialized(combinator, Reverse())
    let hasPrior = combinator.name.contains("prior")
    #expect(forward.traits.contains(.volumePreserving) == !hasPrior)
    // Each layer of the member counts, so that a gradient keeps one layer's activations at most.
    let x = rows(combinator)
    func layers(_ member: any Bijection) throws -> Int {
      let (params, _, _) = try initialized(combinator, member)
      return try Reversible(combinator.around(member)).drift(params, x, given: context).count
    }
    _ = params
    #expect(try layers(Serial(Reverse(), ActNorm(), Reverse())) > layers(Reverse()) + 1)
  }

  @Test func appendingALevelLeavesTheOthersAlone() throws {
    let prior = MLP(hidden: [3], lastWeight: .glorotUniform)
    func params(_ levels: Int) throws -> Params {
      try MultiScale((0..<levels).map { _ in AffineCoupling(Self.net) }, prior: prior)(
        Key(3), inputDim: [1, 1, 16]
      ).params
    }
    let (short, long) = (try params(2), try params(3))
    for label in ["0", "1", "prior_0"] { #expect(short.child(label).isIdentical(to: long.child(label))) }
  }

  /// Both halves move one set of statistics, once and by the rows of both.
  @Test func sharedStatisticsMoveOnce() throws {
    let x = concatenate(
      3 + Self.batch.normal([20, 1], dtype: .float64),
      Self.batch.folded(in: 1).normal([20, 1], dtype: .float64),
      axis: 1)
    let (params, forward, _) = try BothHalves(BatchNorm(momentum: 0))(Key(0), inputDim: 2, dtype: .float64)
    let moved = try forward.updatingStatistics(params, x)
    #expect(isClose(moved["runningMean"], x.mean().reshaped(to: [1]), 1e-12))
  }

  /// Parts without a path have parameters and statistics of their own.
  @Test func partsWithoutAPathStayApart() throws {
    let lanes = Lambda { (key, site) throws(FlowError) in
      func lane(_ path: String) -> Lambda {
        Lambda { (key, site) throws(FlowError) in
          try site.chain("lane", [(BatchNorm(momentum: 0), key, path)])
        }
      }
      return try site.split("lanes", [(lane("a"), key, nil, [0..<1]), (lane("b"), key, nil, [1..<3])])
    }
    let x = 3 + Self.batch.normal([20, 3], dtype: .float64)
    let (params, forward, _) = try lanes(Key(0), inputDim: 3, dtype: .float64)
    let moved = try forward.updatingStatistics(params, x)
    let mean = x.mean(axis: 0)
    #expect(isClose(moved.child("a")["runningMean"], mean[0..<1], 1e-12))
    #expect(isClose(moved.child("b")["runningMean"], mean[1..<3], 1e-12))
  }

  /// Members that share parameters start as the first one, and data go on through what they share.
  @Test func sharedMembersStartAlike() throws {
    let shared = Lambda { (key, site) throws(FlowError) in
      try site.chain("shared", [(ActNorm(), key, "a"), (ActNorm(), key, "a"), (ActNorm(), key, "b")])
    }
    let data = 3 + 2 * Self.batch.normal([50, 2], dtype: .float64)
    let (params, forward, _) = try shared(Key(0), inputDim: 2, initInputs: data, dtype: .float64)
    let y = try forward(params, data).outputs
    #expect(isClose(y.mean(axis: 0), Tensor([0, 0], dtype: .float64), 1e-4))
    #expect(isClose(square(y).mean(axis: 0), Tensor([1, 1], dtype: .float64), 1e-4))
  }

  /// A member may be one leaf; members whose outputs do not fit beside each other are refused.
  @Test func memberTreesAndShapes() throws {
    let leaf = Lambda { _, site in
      site.layer("leaf", .leaf(.ones([site.channels], dtype: site.dtype))) { params, x, _ in
        x * exp(params.value!)
      } logDet: { params, _, _ in
        params.value!.sum()
      } inverse: { params, y, _ in
        y * exp(-params.value!)
      }
    }
    for around in [OnChannels(0..<2, leaf), BothHalves(leaf), Serial(leaf)] as [any Bijection] {
      let (params, forward, inverse) = try around(Key(0), inputDim: 4, dtype: .float64)
      #expect(params.paths.count == 1)
      let x = Self.batch.normal([3, 4], dtype: .float64)
      #expect(isClose(try inverse(params, forward(params, x).outputs).outputs, x, 1e-12))
    }
    #expect(throws: FlowError.self) { try OnChannels(0..<1, Squeeze())(Key(0), inputDim: [2, 2, 2]) }
  }

  /// Members that share parameters move their statistics once, by the rows of all.
  @Test func chainsMoveSharedStatisticsOnce() throws {
    let shared = Lambda { (key, site) throws(FlowError) in
      let norm = BatchNorm(momentum: 0.5)
      return try site.chain("shared", [(norm, key, "a"), (Exp(), key, "b"), (norm, key, "a")])
    }
    let x = 3 + Self.batch.normal([20, 1], dtype: .float64)
    let (params, forward, _) = try shared(Key(0), inputDim: 1, dtype: .float64)
    let moved = try forward.updatingStatistics(params, x)
    let variance = square(x - x.mean()).mean()
    let inputs = concatenate(x, exp((x - x.mean()) / sqrt(variance + 1e-5)), axis: 0)
    #expect(isClose(moved.child("a")["runningMean"], 0.5 * inputs.mean().reshaped(to: [1]), 1e-9))
  }

  /// Halves that share a chain update each of its layers by the rows that this layer sees.
  @Test func statisticsWithinSharedChains() throws {
    let chain = Serial(BatchNorm(momentum: 0), Exp(), BatchNorm(momentum: 0))
    let (params, forward, _) = try BothHalves(chain)(Key(0), inputDim: 2, dtype: .float64)
    let x = Self.batch.normal([20, 2], dtype: .float64)
    func standardized(_ column: Int) -> Tensor {
      let x = x.sliced(axis: 1, column..<column + 1)
      return exp((x - x.mean()) / sqrt(square(x - x.mean()).mean() + 1e-5))
    }
    let moved = try forward.updatingStatistics(params, x)
    let seen = concatenate(standardized(0), standardized(1), axis: 0)
    #expect(isClose(moved.child("2")["runningMean"], seen.mean().reshaped(to: [1]), 1e-12))
  }

  /// A layer may both preserve volume and be bounded.
  @Test func boundedLayersThatPreserveVolume() throws {
    let half = Lambda { _, site in
      let domain = Domain(site.inputDim, .positive)
      return site.layer("half", from: domain, to: domain, traits: .volumePreserving) { _, x, _ in
        (x, .zeros([x.rows], dtype: x.dtype))
      } inverse: { _, y, _ in
        (y, .zeros([y.rows], dtype: y.dtype))
      }
    }
    let x = Tensor([[-1], [1]], dtype: .float64)
    for bijection in [half, Serial(Serial(), half), Blockwise(([1], half))] as [any Bijection] {
      let (params, forward, _) = try bijection(Key(0), inputDim: 1, dtype: .float64)
      #expect(forward.traits.contains(.volumePreserving))
      #expect(throws: FlowError.self) { try forward(params, x) }
      let (leaves, density, _) = try Flow(bijection)(Key(0), inputDim: 1, dtype: .float64)
      #expect(try density(leaves, x).doubles.map { $0 == -.infinity } == [true, false])
    }
    // The reverse pass of a layer by layer replay sees the same rows outside.
    let (params, density, _) = try Flow(Reversible(Serial(ActNorm(), half)))(
      Key(0), inputDim: 1, dtype: .float64)
    let (value, _) = try valueAndGradient(at: params) { try density($0, x).sum() }
    #expect(value.item == -.infinity)
  }

  /// Layers that are made of others without a member of the user's.
  @Test func madeOfFixedMembers() throws {
    let image: Shape = [2, 2, 4]
    let layers: [(layer: any Bijection, dim: Shape, count: Int, preservesVolume: Bool)] = [
      (HINT(Self.net), 8, 3, false), (HINT(Self.net, permutation: .both), 8, 5, false),
      (JointHINT(Self.net, observed: 2), 4, 5, false), (IRIM(Self.net), 4, 3, true),
      (Hyperbolic(hidden: 3), image, 2, true),
    ]
    for (layer, dim, count, preservesVolume) in layers {
      let (params, forward, _) = try layer(Key(0), inputDim: dim, contextDim: 2, dtype: .float64)
      #expect(forward.traits.contains(.volumePreserving) == preservesVolume)
      let x = Self.batch.normal(dim.batched(12), dtype: .float64)
      let moved = params.map { $0.dtype == .int32 ? $0 : $0 + 0.1 }
      let y = try forward(moved, x, given: context).outputs
      let other = try forward(moved, x, given: context + 1).outputs
      #expect(!isClose(y, other, 1e-3), "\(layer)")
      #expect(try Reversible(layer).drift(params, x, given: context).count >= count, "\(layer)")
    }
  }

  /// Every public type that is made from a bijection or a distribution of the user's has a row in a table.
  @Test func everyCombinatorHasARow() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
      .standardized
    var names: Set<String> = []
    for room in ["Bijections", "Distributions"] {
      let files = try #require(
        FileManager.default.enumerator(at: sources.appending(path: room), includingPropertiesForKeys: nil))
      for case let file as URL in files where file.pathExtension == "swift" {
        names.formUnion(takingMembers(try String(contentsOf: file, encoding: .utf8)))
      }
    }
    #expect(names.count >= 15, "\(names)")
    let rows = Set(table.map { typeName($0.around(Serial())) })
      .union(DensityCombinatorTests.around.map { typeName($0.make(Serial())) })
    // A target and weighted layers are no distributions and have tests of their own.
    let others: Set = ["Target", "Weighted", "WeightedFlow", "SliceSurjection"]
    #expect(names.subtracting(rows) == others, "combinators without a row")
  }

  private func typeName(_ value: Any) -> String {
    String("\(type(of: value))".prefix { $0.isLetter || $0.isNumber })
  }

  /// The types with a public initializer or factory that takes bijections or distributions, nested ones and
  /// functions of the protocols included. Presets make values of types that have a row.
  private func takingMembers(_ text: String) -> Set<String> {
    var names: Set<String> = []
    var scopes: [(indent: Int, name: String, generics: [Substring])] = []
    let lines = text.components(separatedBy: "\n")
    let declaration = /^( *)(?:[@\w]+ )*(?:struct|class|enum|actor|extension) ([\w.]+)(?:<([^>]*)>)?[^\/]*\{/
    let protocols = ["Bijection", "Distribution", "ComposedBijection"]
    for (i, line) in lines.enumerated() {
      if let match = line.firstMatch(of: declaration) {
        scopes.removeAll { $0.indent >= match.1.count }
        let generics = match.3.map { $0.split(separator: ",").map { $0.prefix { $0 != ":" } } } ?? []
        scopes.append((match.1.count, String(match.2), generics))
      }
      guard let scope = scopes.last, line.contains(/public (?:static )?(?:init|func)/) else { continue }
      let isFactory = line.contains(" func ")
      let end = lines[i...].firstIndex { $0.contains("{") } ?? i
      let signature = lines[i...end].joined()
      let isOfProtocol = protocols.contains(scope.name)
      let result = signature.components(separatedBy: "->").last ?? ""
      if isFactory && !(isOfProtocol && !result.contains("Initialized")) { continue }
      let members = ["Bijection", "Distribution", "-> Initialized", "Site.Member", "Site.Part"]
      if isFactory || (members + scope.generics.map { ": \($0)" }).contains(where: signature.contains) {
        names.insert(isFactory ? "\(scope.name).func" : scope.name)
      }
    }
    return names
  }
}

/// The same for distributions made of others.
@Suite struct DensityCombinatorTests {
  static let around: [(name: String, make: @Sendable (any Bijection) -> any Distribution)] = [
    ("Flow", { Flow($0) }),
    ("Flow's prior", { Flow(Serial(), prior: Flow($0)) }),
    ("Mixture", { Mixture([Normal(), Flow($0)]) }),
    ("Product", { Product([Normal(), Flow($0)]) }),
    ("Conditioned", { Conditioned(Flow($0), by: NormalizedContext()) }),
    ("Dequantized", { Dequantized(Flow($0), levels: 9) }),
    ("MeanField", { MeanField(Flow($0)) }),
  ]
  private static let reals = 3 + 2 * Key(2).normal([12, 2], dtype: .float64)
  private let context = Key(3).normal([12, 2], dtype: .float64)

  private func initialized(_ i: Int, _ member: any Bijection, initInputs: Tensor? = nil) throws
    -> (params: Params, logPDF: LogPDF, sample: Sampler)
  {
    let distribution = Self.around[i].make(member)
    let initContext: Tensor? = initInputs == nil ? nil : context
    return try distribution(
      Key(0), inputDim: 2, contextDim: 2, initInputs: initInputs, initContext: initContext, dtype: .float64)
  }

  @Test(arguments: around.indices) func nothingIsLost(_ i: Int) throws {
    // Grey levels become numbers below 1.
    let isDiscrete = Self.around[i].name == "Dequantized"
    let rows = isDiscrete ? floor(minimum(abs(Self.reals), 8)) : Self.reals
    let (start, density, _) = try initialized(i, BatchNorm())
    #expect(density.traits.contains(.couplesRows))
    let moved = try density.updatingStatistics(start, rows, given: context)
    let mean = try #require(start.paths.first { $0.hasSuffix("runningMean") })
    #expect(try #require(moved[path: mean]?.value).doubles.allSatisfy { $0 > (isDiscrete ? 0.02 : 0.1) })

    let net = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)
    let (params, logPDF, sample) = try initialized(i, AffineCoupling(net))
    let (a, b) = (try logPDF(params, rows, given: context), try logPDF(params, rows, given: context + 1))
    #expect(!isClose(a, b, 1e-3))
    let (draws, own) = try sample.withLogPDF(Key(4), params, count: 12, given: context)
    #expect(isClose(try logPDF(params, draws, given: context), own, 1e-9))

    let (norm, _, _) = try initialized(i, ActNorm(), initInputs: rows)
    let bias = try #require(
      norm.paths.last {
        $0.hasSuffix("bias") && !$0.hasPrefix("context") && !$0.hasPrefix("logScale")
      })
    #expect(try #require(norm[path: bias]?.value).doubles.allSatisfy { $0 > (isDiscrete ? 0.2 : 1) })
  }

  /// Outside a member's support the density is 0, whatever the order, and gradients stay finite.
  @Test func outsideASupport() throws {
    let positive = Flow(Log(), prior: Normal())
    let x = Tensor([[-1], [0], [1]], dtype: .float64)
    for members in [[Normal(), positive], [positive, Normal()]] as [[any Distribution]] {
      let (params, logPDF, sample) = try Mixture(members)(Key(0), inputDim: 1, dtype: .float64)
      let right = Tensor(
        [-2.1120857137646, -1.6120857137646, -0.918938533204672 - 0.380114508], dtype: .float64)
      let values = try logPDF(params, x)
      #expect(isClose(values[0..<2], right[0..<2], 1e-9), "\(values)")
      let slope = try gradient(at: params) { try logPDF($0, x).sum() }
      #expect(slope.leaves.allSatisfy { $0.doubles.allSatisfy(\.isFinite) })
      let draws = try sample(Key(1), params, count: 200)
      #expect(try logPDF(params, draws).doubles.allSatisfy(\.isFinite))
    }
    let (factors, product, _) = try Product([positive, positive])(Key(0), inputDim: 2, dtype: .float64)
    #expect(try product(factors, Tensor([[-1, 1]], dtype: .float64)).item == -.infinity)
    let (params, logPDF, _) = try Flow(LeakyReLU(), prior: positive)(Key(0), inputDim: 1, dtype: .float64)
    #expect(try logPDF(params, x).doubles[0] == -.infinity)
  }

  /// Bijections of two numbers that take positive ones alone, somewhere inside.
  static let bounded: [any Bijection] = [
    Log(), Serial(LeakyReLU(), Log()), Reversible(Serial(LeakyReLU(), Log(), LeakyReLU())),
    Serial(ElementwiseAffine(), Serial(Inverted(Exp())), ActNorm()),
    Blockwise(([1], Log()), ([1], Serial())), OnChannels(0..<1, Log()), BothHalves(Log()),
    MultiScale([Serial(), Serial(LeakyReLU(), Log())]), Conditioned(Log(), by: NormalizedContext()),
  ]

  /// A bounded layer may stand anywhere: outside it a row has density 0, and no slope.
  @Test(arguments: bounded.indices) func boundedLayersAnywhere(_ i: Int) throws {
    let (signs, c) = (Tensor([[-1, -1], [1, 2], [2, 1]], dtype: .float64), context[0..<3])
    let x = abs(Self.reals[0..<3]) * signs
    func initialized(_ distribution: any Distribution) throws -> (params: Params, logPDF: LogPDF) {
      // Rows outside take no part in a start from data.
      let (params, logPDF, _) = try distribution(
        Key(0), inputDim: 2, contextDim: 2, initInputs: x, initContext: c, dtype: .float64)
      return (params, logPDF)
    }
    let alone = try initialized(Flow(Self.bounded[i]))
    let values = try alone.logPDF(alone.params, x, given: c)
    #expect(values.doubles.map { $0 == -.infinity } == [true, false, false], "\(values)")
    #expect(throws: FlowError.self) { try alone.logPDF.checkSupport(alone.params, x, given: c) }
    let (_, slope) = try valueAndGradient(at: x) { try alone.logPDF(alone.params, $0, given: c).sum() }
    #expect(slope[0..<1].doubles == [0, 0] && slope.isFinite && slope[1..<3].doubles.contains { $0 != 0 })

    // Alone the bijection refuses such a row.
    let (params, forward, _) = try Self.bounded[i](Key(0), inputDim: 2, contextDim: 2, dtype: .float64)
    #expect(throws: FlowError.self) { try forward(params, x, given: c) }

    for members in [[Normal(), Flow(Self.bounded[i])], [Flow(Self.bounded[i]), Normal()]]
      as [[any Distribution]]
    {
      let mixture = try initialized(Mixture(members))
      let densities = try mixture.logPDF(mixture.params, x, given: c)
      let normal = -0.5 * square(x).sum(axis: 1) - log(Tensor(4 * Double.pi, dtype: .float64))
      #expect(isClose(densities[0..<1], normal[0..<1], 1e-9))
      let slope = try gradient(at: mixture.params) { try mixture.logPDF($0, x, given: c).sum() }
      #expect(slope.leaves.allSatisfy { $0.isFinite })
    }
  }

  /// Whatever a row outside passes through has no slope there.
  @Test func noSlopeOutside() throws {
    let x = Tensor([[-1, 3]], dtype: .float64)
    let products: [any Distribution] = [
      Product([Flow(Log()), Normal(.learned)]), Flow(ActNorm(), prior: Uniform(from: 0, to: 1)),
      Mixture([Product([Flow(Log()), Normal(.learned)]), Uniform(from: 0, to: 1)]),
    ]
    for distribution in products {
      let (params, density, _) = try distribution(Key(0), inputDim: 2, dtype: .float64)
      #expect(try density(params, x).item == -.infinity)
      #expect(try valueAndGradient(at: x) { try density(params, $0).sum() }.gradient.doubles == [0, 0])
      let slope = try gradient(at: params) { try density($0, x).sum() }
      #expect(slope.leaves.allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
    }
    // The allowed value that stands in for such a row is representable, however far the bounds.
    for bounded in [FromInterval(above: 2e7), FromInterval(below: -2e7)] {
      let (params, density, _) = try Flow(Serial(bounded, ActNorm()))(Key(0), inputDim: 1)
      let slope = try gradient(at: params) { try density($0, Tensor([[0]])).sum() }
      #expect(slope.leaves.allSatisfy { $0.isFinite })
    }
  }

  /// A draw outside the domain of the way back is an error, whatever stands around the layer.
  @Test func drawsOutsideADomain() throws {
    for bijection in [Exp(), Sigmoid(), Serial(Exp()), Reversible(Exp())] as [any Bijection] {
      let (params, _, sample) = try Flow(bijection)(Key(0), inputDim: 1)
      #expect(throws: FlowError.self) { try sample(Key(1), params, count: 50) }
    }
  }

  @Test func membersWithATemperatureHaveOne() throws {
    for prior in [Product([Normal(), Normal()]), Mixture([Normal(), Normal()])] as [any Distribution] {
      let (params, _, sample) = try Flow(ActNorm(), prior: prior)(Key(0), inputDim: 2)
      let (warm, cold) = (
        try sample(Key(1), params, count: 4), try sample(Key(1), params, count: 4, temperature: 0.5)
      )
      #expect(isClose(cold, 0.5 * warm, 1e-6))
    }
  }

  /// Rows outside do not count in the statistics and moments of a batch.
  @Test func statisticsOfTheRowsInside() throws {
    let x = Tensor([[-1], [1], [2], [-3], [5]], dtype: .float64)
    let inside = x.rows([1, 2, 4])
    let (params, density, _) = try Flow(Serial(LeakyReLU(), Log(), BatchNorm(momentum: 0)))(
      Key(0), inputDim: 1, dtype: .float64)
    let (all, some) = (try density(params, x), try density(params, inside))
    #expect(all.rows([1, 2, 4]).doubles == some.doubles)
    #expect(all.rows([0, 3]).doubles == [-.infinity, -.infinity])
    let moved = try density.updatingStatistics(params, x)
    let movedInside = try density.updatingStatistics(params, inside)
    #expect(moved.isIdentical(to: movedInside))
    #expect(!moved.isIdentical(to: params))
    #expect(try density.updatingStatistics(params, x.rows([0])).isIdentical(to: params))
  }
}
