import Bijections
import Tensors
import Testing
import Verification

/// Layers with one mistake each, written by someone who had not seen the verifier, and the laws that reject
/// them.
private let table: [(layer: UnseenLayer, rejectedBy: [Laws.Law])] = [
  (b01, [.roundTrip, .logDet, .logDetsCancel]),
  (b02, [.roundTrip, .logDetsCancel]),
  (b03, [.roundTrip]),
  (b04, [.roundTrip, .logDetsCancel]),
  (b05, [.rowBits]),
  (b06, [.roundTrip]),
  (b07, [.roundTrip]),
  (b08, [.roundTrip, .logDetsCancel]),
  (b09, [.roundTrip, .logDet, .gradient]),
  (b10, [.roundTrip]),
  (b11, [.logDet, .logDetsCancel]),
  (b12, [.logDet]),
  (b13, [.logDet, .logDetsCancel]),
  (b14, [.logDet]),
  (b15, [.logDet, .logDetsCancel]),
  (b16, [.logDet, .logDetsCancel]),
  (b17, [.logDet, .logDetsCancel]),
  (b18, [.finite, .logDet]),
  (b19, [.logDet, .logDetsCancel]),
  (b20, [.finite, .gradient]),
  (b21, [.logDet]),
  (b22, [.logDet]),
  (b23, [.roundTrip, .gradient, .dtypes]),
  (b24, [.roundTrip]),
  (b25, [.roundTrip, .logDet, .gradient]),
  (b26, [.logDet, .logDetsCancel, .gradient]),
  (b27, [.roundTrip, .logDet]),
  (b28, [.roundTrip, .logDetsCancel]),
  (b29, [.roundTrip, .logDetsCancel]),
  (b30, [.finite]),
  (b31, [.roundTrip, .logDetsCancel]),
  (b32, [.finite]),
  (b33, [.logDet, .gradient]),
  (b34, [.logDet]),
  (b35, [.roundTrip, .logDet]),
  (b36, [.roundTrip, .logDetsCancel]),
  (b37, [.rowBits]),
  (b38, [.logDet]),
  (b40, [.logDet, .rowBits, .rowIndependence]),
  (b41, [.rowBits]),
  (b42, [.gradient, .loading, .dtypes]),
  (b44, [.gradient]),
  (b46, [.gradient]),
  (b47, [.gradient]),
  (b48, [.gradient]),
  (b49, [.gradient]),
  (b50, [.logDet]),
  (b51, [.roundTrip, .logDet]),
  (b52, [.roundTrip, .logDet, .logDetsCancel]),
  (b53, [.logDet]),
  (b54, [.logDet]),
  (b55, [.roundTrip, .logDet]),
  (b56, [.logDet]),
  (b57, [.roundTrip, .gradient, .dtypes]),
  (b58, [.rowBits]),
  (b59, [.gradient, .everyLeafLearns]),
  (b60, [.gradient]),
]

@Suite struct UnseenLayerTests {
  @Test(arguments: table.indices) func isRejected(_ i: Int) {
    let (layer, laws) = table[i]
    let checks = Laws(of: layer.bijection, inputDim: layer.inputDim, contextDim: layer.contextDim)
    for law in laws {
      #expect("\(layer.name), law \(law)") { try checks.check(law) } throws: { isVerdict($0) }
    }
  }

  /// These two pass: the laws look at no second derivatives, and take an overflow at contexts of 10 for none.
  @Test(arguments: [b39, b45].indices) func isAccepted(_ i: Int) throws {
    let layer = [b39, b45][i]
    try checkLaws(of: layer.bijection, inputDim: layer.inputDim, contextDim: layer.contextDim)
  }

  /// Unusual layers without a mistake.
  @Test(arguments: unseenRightLayers.indices) func rightLayersPass(_ i: Int) throws {
    let layer = unseenRightLayers[i]
    try checkLaws(of: layer.bijection, inputDim: layer.inputDim, contextDim: layer.contextDim)
  }
}
