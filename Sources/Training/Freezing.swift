import Tensors

/// The parameters that a fit leaves as they are. They have no optimizer state.
///
/// ```swift
/// try fit(flow, to: data, freezing: ["bijection/0", "**/bias"], key: Key(0))
/// try fit(flow, to: target, freezing: .nothing, key: Key(0))       // trains a learned prior too
/// ```
public struct Freezing: Sendable, ExpressibleByArrayLiteral {
  private let freeze: @Sendable (Params) throws(FlowError) -> Params

  /// The leaves under some paths, with wildcards as in `Tree.freezing`. A pattern that fits no leaf throws in
  /// `fit`.
  public init(_ patterns: [String]) {
    freeze = { (params) throws(FlowError) in try params.freezing(patterns) }
  }

  /// The leaves under some paths.
  public init(arrayLiteral patterns: String...) { self.init(patterns) }

  /// The leaves whose paths, such as `bijection/0/net/dense_1/weight`, the closure accepts.
  public init(where isFrozen: @escaping @Sendable (_ path: String) -> Bool) {
    freeze = { params in
      func walk(_ tree: Params, _ path: String) -> Params {
        guard case .branch(let children) = tree else { return isFrozen(path) ? tree.frozen : tree }
        return .branch(
          children.map { .init($0.label, walk($0.tree, path.isEmpty ? $0.label : "\(path)/\($0.label)")) })
      }
      return walk(params, "")
    }
  }

  /// No leaf.
  public static let nothing = Freezing([])
  /// The leaves of priors, which stay as they are initialized.
  public static let priors = Freezing { path in path.split(separator: "/").contains("prior") }

  func callAsFunction(_ params: Params) throws(FlowError) -> Params { try freeze(params) }
}
