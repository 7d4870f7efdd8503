import Bijections
import Distributions
import PJRT
import Randomness
import Tensors
import TestSupport
import Testing
import Training

/// Densities and draws on the plugin that the environment variable `FLOW_PJRT_PLUGIN` names.
@Suite(.enabled(if: TestPlugin.isNamed), .serialized) struct DeviceFunctionsTests {
  private let device: Device
  init() throws { device = try TestPlugin.device }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let distribution: any Distribution
    var context: Shape?
    var dtype = DType.float32
    var testDescription: String { name }
  }

  static let rows: [Row] = [
    Row(name: "MAF", distribution: Flow.maf(layers: 2, hidden: [8])),
    Row(name: "spline", distribution: Flow.neuralSpline(layers: 2, hidden: [8], bins: 4), dtype: .float64),
    Row(name: "conditional", distribution: Flow.realNVP(layers: 2, hidden: [8]), context: [2]),
    Row(
      name: "mixture of mixtures",
      distribution: Mixture([
        Mixture([Normal(), Laplace()]), Flow.realNVP(layers: 1, hidden: [4]), StudentT(degreesOfFreedom: 4),
      ])),
    Row(name: "bounded", distribution: Flow(Serial(Logit(), ActNorm()), prior: Normal())),
  ]

  /// Batches of any size, cut into calls of 16 rows.
  @Test(arguments: rows, [0, 1, 16, 50]) func agrees(_ row: Row, count: Int) throws {
    let (initial, logPDF, sample) = try row.distribution(
      Key(1), inputDim: 3, contextDim: row.context, dtype: row.dtype)
    let params = initial.mapLearned { $0 + 0.1 * wave($0.shape, phase: 1, dtype: $0.dtype) }
    let context = row.context.map { Key(3).normal($0.batched(count), dtype: row.dtype) }
    let tolerance = row.dtype == .float32 ? 1e-4 : 1e-9
    let draws = try sample(Key(2), params, count: count, given: context)
    let onDevice = try DeviceSampler(sample, params, on: device, rows: 16)(
      Key(2), count: count, given: context)
    #expect(isClose(onDevice, draws, tolerance))
    let density = try DeviceLogPDF(logPDF, params, on: device, rows: 16)
    #expect(isClose(try density(draws, given: context), try logPDF(params, draws, given: context), tolerance))
    if count > 0 && row.name == "bounded" {
      #expect(try density(draws + 2).doubles.allSatisfy { $0 == -.infinity })
    }
  }

  @Test func errors() throws {
    let (params, logPDF, sample) = try Normal()(Key(1), inputDim: 3)
    let density = try DeviceLogPDF(logPDF, params, on: device)
    #expect(throws: FlowError.self) { try density(.zeros([4, 2])) }
    #expect(throws: FlowError.self) { try density(.zeros([4, 3]), given: .zeros([4, 1])) }
    #expect(throws: FlowError.self) { try DeviceLogPDF(logPDF, ["a": .leaf(Tensor(1))], on: device) }
    #expect(throws: FlowError.self) {
      try DeviceSampler(sample, params, on: device)(Key(1), count: 3, given: .zeros([3, 1]))
    }
    let (angles, _, rejection) = try VonMises()(Key(1), inputDim: 1)
    #expect(throws: FlowError.self) { try DeviceSampler(rejection, angles, on: device) }
    let (batch, coupled, _) = try Flow(BatchNorm(), prior: Normal())(Key(1), inputDim: 2)
    #expect(throws: FlowError.self) { try DeviceLogPDF(coupled, batch, on: device) }
  }
}
