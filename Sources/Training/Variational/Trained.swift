import Tensors

/// Which of a model's parameters a fit moves; the others keep their values and have no optimizer state.
public struct Trained: Sendable {
  private let isMoved: @Sendable (_ path: String) -> Bool

  /// The learned leaves whose paths (`bijection/0/net/dense_1/weight`) the closure wants.
  public init(where isMoved: @escaping @Sendable (_ path: String) -> Bool) { self.isMoved = isMoved }

  /// All learned leaves but a prior's, which stays what it is.
  public static let exceptPrior = Trained { path in !path.split(separator: "/").contains("prior") }
  /// All learned leaves.
  public static let everything = Trained { _ in true }

  /// The parameters with the leaves that stay among the frozen ones.
  func freezing(_ params: Params) -> Params {
    func walk(_ tree: Params, _ path: String) -> Params {
      switch tree {
      case .leaf(let leaf): isMoved(path) ? tree : .frozen(leaf)
      case .frozen: tree
      case .branch(let children):
        .branch(
          children.map { .init($0.label, walk($0.tree, path.isEmpty ? $0.label : "\(path)/\($0.label)")) })
      }
    }
    return walk(params, "")
  }

  /// The values of a tree of the same structure, learned or frozen as in `original`.
  static func thawing(_ params: Params, as original: Params) -> Params {
    switch (params, original) {
    case (.branch(let children), .branch(let originals)):
      return .branch(zip(children, originals).map { .init($0.label, thawing($0.tree, as: $1.tree)) })
    case (.frozen(let value), .leaf): return .leaf(value)
    default: return params
    }
  }
}
