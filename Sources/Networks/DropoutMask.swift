import Tensors

/// The place in a network where numbers may be dropped: a frozen leaf `dropout` beside the weights.
///
/// It holds a probability for each unit, [width], and the network passes all numbers. In training the
/// objective `Dropout` puts a mask for each row and unit in its place, [rows, width]. The network multiplies
/// by it.
package enum DropoutMask {
  /// The label of the leaf.
  package static let label = "dropout"

  /// The leaf of the initial parameters.
  static func probabilities(_ probability: Double, _ width: Int, _ dtype: DType) -> Params {
    .frozen(Tensor.full([width], probability).cast(to: dtype))
  }

  /// The mask that a leaf holds; nil if it holds probabilities.
  static func mask(_ leaf: Tensor) -> Tensor? { leaf.rank > 1 ? leaf : nil }

  /// The units of a layer, [rows, ..., width], some of them dropped if the leaf holds a mask.
  static func applied(_ leaf: Tensor, to units: Tensor) -> Tensor {
    guard var mask = mask(leaf) else { return units }
    // Positions of an image share the mask of their row.
    for _ in mask.rank..<units.rank { mask = mask.expanded(axis: 1) }
    return units * mask
  }
}
