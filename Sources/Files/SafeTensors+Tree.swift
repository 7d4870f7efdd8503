import Tensors

extension SafeTensors {
  /// Makes a file of a tree's leaves under their paths.
  ///
  /// - Precondition: No metadata is named `frozen`, and no label holds `/` or a line break.
  public init(_ tree: Params, metadata: [String: String] = [:]) {
    self.init(trees: [("", tree)], metadata: metadata)
  }

  /// Makes a file of several trees, each below its own name.
  package init(trees: [(name: String, tree: Params)], metadata: [String: String]) {
    require(metadata["frozen"] == nil, "the metadata named frozen is the tree's own")
    var tensors: [(name: String, value: Tensor)] = []
    var frozen: [String] = []
    for (name, tree) in trees {
      tree.forEach { path, leaf, isFrozen in
        let full = [name, path].filter { !$0.isEmpty }.joined(separator: "/")
        tensors.append((full, leaf))
        if isFrozen { frozen.append(full) }
      }
    }
    var metadata = metadata
    if !frozen.isEmpty { metadata["frozen"] = frozen.joined(separator: "\n") }
    self.init(tensors, metadata: metadata)
  }

  /// The tensors as a tree, in the header's order. Leaves in the metadata `frozen` are frozen.
  public var tree: Params { tree(under: "") }

  /// The tensors below a name as a tree.
  package func tree(under root: String) -> Params {
    let frozen = Set((metadata["frozen"] ?? "").split(separator: "\n").map(String.init))
    return SafeTensors.tree(
      of: leaves(under: root).map { path, name, value in
        (path.split(separator: "/")[...], frozen.contains(name) ? .frozen(value) : .leaf(value))
      })
  }

  /// The tensors below a name, under their paths from there.
  private func leaves(under root: String) -> [(path: String, name: String, value: Tensor)] {
    let prefix = root.isEmpty ? "" : root + "/"
    return tensors.compactMap { name, value in
      if name == root { return ("", name, value) }
      return name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), name, value) : nil
    }
  }

  /// The parameters of an architecture: the tensors in the structure of a template tree.
  ///
  /// - Parameters:
  ///   - root: the name above the tensors, such as `params` in a checkpoint. By default, the whole file
  ///     counts.
  ///   - template: the architecture's tree, as initialization gives it.
  ///   - who: the name in errors.
  /// - Throws: `FlowError.structure` with both trees when a path, a shape or a dtype differs, or a tensor is
  ///   left over.
  public func tree(
    under root: String = "", like template: Params, who: String = "SafeTensors"
  ) throws(FlowError) -> Params {
    let values = Dictionary(leaves(under: root).map { ($0.path, $0.value) }) { $1 }
    func value(at path: String) -> Tensor? { values[path] ?? formerPath(of: path).flatMap { values[$0] } }
    var isSame = values.count == template.paths.count
    template.forEach { path, leaf, _ in
      isSame = isSame && value(at: path).map { $0.shape == leaf.shape && $0.dtype == leaf.dtype } ?? false
    }
    guard isSame else {
      throw .structure(who: who, expected: template.outline, got: tree(under: root).outline)
    }
    var paths = template.paths[...]
    return template.map { _ in value(at: paths.removeFirst())! }
  }

  /// The tree of leaves at paths. Branches are in the order in which their labels first appear.
  ///
  /// A file may have a tensor `a` and one `a/b`, which no tree has: then `a` is shown as a child without a
  /// label.
  private static func tree(of leaves: [(path: ArraySlice<Substring>, leaf: Params)]) -> Params {
    if let last = leaves.last, leaves.allSatisfy(\.path.isEmpty) { return last.leaf }
    var groups: [(label: Substring, leaves: [(path: ArraySlice<Substring>, leaf: Params)])] = []
    var positions: [Substring: Int] = [:]
    for (path, leaf) in leaves {
      let label = path.first ?? ""
      if positions[label] == nil {
        positions[label] = groups.count
        groups.append((label, []))
      }
      groups[positions[label]!].leaves.append((path.dropFirst(), leaf))
    }
    return .branch(groups.map { Params.Child(String($0.label), tree(of: $0.leaves)) })
  }
}

/// The path under which version 0.1 kept a leaf, or nil if it is the same.
///
/// The leaves of `Hyperbolic` had no `net/` in their paths.
private func formerPath(of path: String) -> String? {
  ["net/weight", "net/bias", "net/context"].first { path == $0 || path.hasSuffix("/" + $0) }.map {
    String(path.dropLast($0.count) + $0.dropFirst(4))
  }
}
