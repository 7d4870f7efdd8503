import Randomness
import Tensors

/// A masked network: numbers in, a group of outputs for each number out, and those of a number depend on the
/// numbers before it alone.
///
/// Every unit has a degree, and a weight from unit a to unit b exists where degree(a) ≤ degree(b):
///
/// - the i-th number has degree i, for i from 1 to D; a context has degree 0, so every unit sees it;
/// - hidden units have degrees from 1 to D − 1, or from 0 where there is a context (the first number's
///   outputs see the context through those of degree 0) or only one number;
/// - outputs for the i-th number have degree i − 1.
///
/// The last number is seen by nobody, so no weights are kept for it. With D = 1 the outputs depend on biases
/// and context.
///
/// Degrees rise within every layer, numbers being taken in their order. So every mask is a staircase, block
/// upper triangular as [in, out]; products may skip the blocks of zeros, and the units that the first i
/// numbers settle are the first ones of each layer.
///
/// Outputs: number by number, `count` of each. Cost: those of dense layers of these widths.
///
/// Parameters: `dense_0`, `dense_1`, ... as of `Dense`, with [context + D − 1] inputs to the first. Masks
/// follow from the widths; what is drawn from the key is frozen: `order` [D] (int32) for `order: .random`,
/// and `degrees` [units] beside `weight` for `hiddenDegrees: .random`. The last layer starts at zero by
/// default.
///
/// Errors: `mismatch` for a hidden layer without units.
///
/// Germain, Gregor, Murray & Larochelle 2015, *MADE*, arXiv 1502.03509, section 4.
public struct MADE: Sendable {
  /// How degrees are given out.
  public enum Degrees: Sendable, Hashable {
    /// Numbers as they come; hidden units evenly.
    case ordered
    /// Drawn from the key.
    case random
  }

  /// The widths of the hidden layers.
  public let hidden: [Int]
  /// The function after each hidden layer.
  public let activation: Activation
  /// The order in which numbers may depend on each other.
  public let order: Degrees
  /// How hidden units get their degrees.
  public let hiddenDegrees: Degrees
  let isResidual: Bool
  let weight: Initializer
  let lastWeight: Initializer

  /// A masked network with hidden layers of the given widths.
  public init(
    hidden: [Int], activation: Activation = .relu, order: Degrees = .ordered,
    hiddenDegrees: Degrees = .ordered,
    weight: Initializer = .heNormal, lastWeight: Initializer = .zeros
  ) {
    self.init(hidden, activation, order, hiddenDegrees, isResidual: false, weight, lastWeight)
  }

  /// A masked network of residual blocks h ↦ h + V f(U f(h) + u) + v between two masked layers.
  ///
  /// Units that are added have one degree, so that the sum keeps the order.
  /// Nash & Durkan 2019, *Autoregressive energy machines*, arXiv 1904.05626.
  ///
  /// - Precondition: `residualBlocks` is not negative.
  public init(
    width: Int, residualBlocks: Int, activation: Activation = .relu, order: Degrees = .ordered,
    hiddenDegrees: Degrees = .ordered, weight: Initializer = .heNormal, lastWeight: Initializer = .zeros
  ) {
    require(residualBlocks >= 0, "MADE: residualBlocks is not negative, got \(residualBlocks)")
    let hidden = [Int](repeating: width, count: 2 * residualBlocks + 1)
    self.init(hidden, activation, order, hiddenDegrees, isResidual: true, weight, lastWeight)
  }

  private init(
    _ hidden: [Int], _ activation: Activation, _ order: Degrees, _ hiddenDegrees: Degrees, isResidual: Bool,
    _ weight: Initializer, _ lastWeight: Initializer
  ) {
    self.hidden = hidden
    self.activation = activation
    self.order = order
    self.hiddenDegrees = hiddenDegrees
    self.isResidual = isResidual
    self.weight = weight
    self.lastWeight = lastWeight
  }

  /// Parameters and the function that takes numbers [rows, D], and a context [rows, contexts] if there is
  /// one, to [rows, D · count].
  ///
  /// Throws `FlowError` when there are no numbers or no outputs, or a hidden layer has no units.
  public func callAsFunction(
    _ key: Key, numbers: Int, contexts: Int = 0, count: Int, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, apply: @Sendable (Params, Tensor, Tensor?) -> Tensor) {
    let (params, network) = try initialize(
      key, numbers: numbers, contexts: contexts, count: count, dtype: dtype)
    return (
      params,
      { params, x, context in
        let network = network.bound(to: params)
        let outputs = network(network.sorted(x).sliced(axis: -1, 0..<numbers - 1), context)
        return network.restored(outputs.reshaped(to: [x.rows, numbers, count])).reshaped(to: outputs.shape)
      }
    )
  }
}
