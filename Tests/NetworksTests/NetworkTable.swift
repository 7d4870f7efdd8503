import Networks
import Tensors
import Testing

/// A network with the shapes at which its laws are checked.
struct NetworkRow: Sendable, CustomTestStringConvertible {
  let name: String
  let network: any Network
  let inputDim: Shape
  let outputDim: Shape

  init(_ name: String, _ network: any Network, _ inputDim: Shape, _ outputDim: Shape) {
    (self.name, self.network) = (name, network)
    (self.inputDim, self.outputDim) = (inputDim, outputDim)
  }

  var testDescription: String { name }
}

private let start = Initializer.glorotUniform
private let convolutions = ConvNet(hidden: [3], windows: [3, 3], activation: .tanh, lastWeight: start)

/// Every public network, and its edges. Activations are smooth, so that differences approximate derivatives.
let networkTable: [NetworkRow] = [
  NetworkRow("Dense", Dense(activation: .tanh, bias: .normal(standardDeviation: 1)), 3, 4),
  NetworkRow("Dense on an image", Dense(activation: .silu), [2, 3, 4], [2, 3, 5]),
  NetworkRow("MLP", MLP(hidden: [6, 5], activation: .tanh, lastWeight: start), 3, 2),
  NetworkRow("MLP of width 1", MLP(hidden: [1], activation: .gelu, lastWeight: start), 1, 1),
  NetworkRow("MLP without hidden layers", MLP(hidden: [], lastWeight: start), 3, 2),
  NetworkRow("ResidualMLP", ResidualMLP(width: 5, activation: .tanh, lastWeight: start), 3, 2),
  NetworkRow(
    "ResidualMLP on an image, dropout outside of training",
    ResidualMLP(width: 4, blocks: 1, activation: .silu, dropout: 0.4, lastWeight: start), [2, 2, 3],
    [2, 2, 1]),
  NetworkRow(
    "ResidualMLP without blocks", ResidualMLP(width: 4, blocks: 0, dropout: 0.4, lastWeight: start), 1, 1),
  NetworkRow(
    "SideBySide", SideBySide(MLP(hidden: [4], activation: .tanh, lastWeight: start), Dense()), 3, 4),
  NetworkRow(
    "PeriodicFeatures", PeriodicFeatures(MLP(hidden: [4], activation: .tanh, lastWeight: start)), 2, 3),
  NetworkRow(
    "PeriodicFeatures, some",
    PeriodicFeatures(MLP(hidden: [4], activation: .tanh, lastWeight: start), period: 3, features: 1..<2), 3, 2
  ),
  NetworkRow(
    "MADE, periodic", MADE(hidden: [8], activation: .tanh, lastWeight: start).periodic(3).conditioned(on: 1),
    4, 6),
  NetworkRow(
    "MaskedDense", MaskedDense(mask: Tensor([[1, 0], [1, 1], [0, 1]]), activation: .tanh), 3, 2),
  NetworkRow("MADE", MADE(hidden: [8, 6], activation: .tanh, lastWeight: start), 4, 8),
  NetworkRow(
    "MADE, random",
    MADE(hidden: [8], activation: .tanh, order: .random, hiddenDegrees: .random, lastWeight: start),
    4, 4),
  NetworkRow(
    "MADE, residual", MADE(width: 6, residualBlocks: 2, activation: .tanh, lastWeight: start), 3, 3),
  NetworkRow("SpectralMLP", SpectralMLP(hidden: [6, 5], lastWeight: start), 3, 2),
  NetworkRow(
    "SpectralMLP, norms above the bound", SpectralMLP(hidden: [4], coefficient: 0.3, lastWeight: start), 2,
    2),
  NetworkRow("SpectralMLP without hidden layers", SpectralMLP(hidden: [], lastWeight: start), 1, 3),
  NetworkRow("SpectralMLP, context", SpectralMLP(hidden: [4], lastWeight: start).conditioned(on: 2), 5, 3),
  NetworkRow("DeepSet", DeepSet(hidden: [4], width: 3, pooledHidden: [4], activation: .tanh), [3, 2], 2),
  NetworkRow("DeepSet of one element", DeepSet(hidden: [], width: 2, pooledHidden: []), [1, 2], 1),
  NetworkRow(
    "SetTransformer", SetTransformer(width: 4, blocks: 1, points: 2, activation: .tanh), [3, 2], 2),
  NetworkRow(
    "SetTransformer without blocks", SetTransformer(width: 2, blocks: 0, heads: 1, activation: .tanh),
    [2, 1],
    1),
  NetworkRow("Conv", Conv([3, 3], activation: .tanh), [4, 4, 2], [4, 4, 3]),
  NetworkRow("Conv on one axis, stride 2", Conv(3, stride: 2, activation: .tanh), [6, 2], [3, 3]),
  NetworkRow("Conv, transposed", Conv([2, 2], stride: [2, 2], isTransposed: true), [2, 2, 3], [4, 4, 2]),
  NetworkRow("ConvNet", convolutions, [4, 4, 2], [4, 4, 3]),
  NetworkRow(
    "NormalizedConvNet",
    NormalizedConvNet(
      hidden: [3, 4], activation: .tanh, weight: .glorotUniform, lastWeight: start), [4, 3, 2], [4, 3, 3]),
  NetworkRow(
    "NormalizedConvNet without hidden layers", NormalizedConvNet(hidden: [], lastWeight: start), [2, 2],
    [2, 1]),
  NetworkRow(
    "ResNet", ResNet(hidden: 3, blocks: 2, window: [3, 3], activation: .tanh, lastWeight: start), [4, 4, 2],
    [4, 4, 2]),
  NetworkRow(
    "ResidualBlock",
    ResidualBlock(
      hidden: 3, windows: ([3, 3], [3, 3]), stride: [1, 1], activation: .tanh, lastWeight: start), [4, 4, 2],
    [4, 4, 3]),
  NetworkRow(
    "ResidualBlock, gated",
    ResidualBlock(
      hidden: 3, windows: ([3, 3], [1, 1]), stride: [1, 1], end: .galu, activation: .tanh, lastWeight: start),
    [4, 4, 2], [4, 4, 3]),
  NetworkRow(
    "Flattened", Flattened(MLP(hidden: [5], activation: .tanh, lastWeight: start)), [2, 2, 2], [2, 2, 1]),
  NetworkRow(
    "ConditionalResidualBlock", ConditionalResidualBlock(image: [4, 4, 1], network: convolutions), 18, 32),
  NetworkRow("LayerNorm", LayerNorm(), [2, 5], [2, 5]),
  NetworkRow("SelfAttention", SelfAttention(heads: 2), [2, 2, 4], [2, 2, 4]),
  NetworkRow("SelfAttention, causal", SelfAttention(isCausal: true), [3, 2], [3, 2]),
  NetworkRow(
    "CausalTransformer", CausalTransformer(width: 4, layers: 1, heads: 2, expansion: 2, lastWeight: start),
    [3, 2], [3, 3]),
  NetworkRow(
    "CausalTransformer of one token", CausalTransformer(width: 4, layers: 1, lastWeight: start), [1, 2],
    [1, 1]),
  NetworkRow(
    "VisionTransformer", VisionTransformer(width: 4, layers: 1, heads: 2, expansion: 2, lastWeight: start),
    [2, 2, 1], [2, 2, 3]),
  NetworkRow(
    "VisionTransformer without layers", VisionTransformer(width: 3, layers: 0, lastWeight: start), [2, 2],
    [2, 1]),
  NetworkRow(
    "GatedAttentionNet", GatedAttentionNet(hidden: 4, blocks: 1, heads: 2, lastWeight: start), [2, 3, 1],
    [2, 3, 2]),
]
