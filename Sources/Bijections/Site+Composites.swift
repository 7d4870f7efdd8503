import Randomness
import Tensors

// The functions for authors of combinators. A site makes both directions, and carries the members' traits,
// statistics, domains and data for initial parameters.
extension Site {
  /// A bijection within another, the key that it draws from, and the label of its parameters, without a `/`.
  /// Without a label its parameters are children of the composite's tree.
  public typealias Member = (bijection: any Bijection, key: Key, path: String?)
  /// A member on ranges of the last axis. It maps each range with the same parameters.
  public typealias Part = (bijection: any Bijection, key: Key, path: String?, channels: [Range<Int>])

  /// Composes bijections, first to last. Data for initial parameters pass through the members that are
  /// initialized already.
  ///
  /// Members with the same path share their parameters. The one that data for initial parameters reach first
  /// gives the initial values.
  ///
  /// - Throws: the members' errors.
  /// - Precondition: Members with the same path have trees of one structure. A member without a path has
  ///   labels of its own.
  public func chain(_ name: String, _ links: [Member]) throws(FlowError) -> Initialized {
    var (here, sites, members): (Site, [Site], [Initialized]) = (self, [], [])
    var shared: [String: Params] = [:]
    func initialized(_ link: Member, _ site: Site) throws(FlowError) -> Initialized {
      var member = try link.bijection.bound(link.key, at: site)
      if let path = link.path {
        member.params = shared[path] ?? member.params
        shared[path] = member.params
      }
      return member
    }
    here.initOutputs = nil
    for (i, link) in links.enumerated() {
      let member = try initialized(link, here)
      sites.append(here)
      members.append(member)
      // No member is behind the last one, so data need not pass through it.
      if i == links.count - 1 { here.initInputs = nil }
      here = try here.behind(member.forward, member.params)
    }
    if initOutputs != nil {
      // The first pass gives the shapes. Outputs then pass through the members from last to first.
      shared = [:]
      var back = (data: initOutputs, context: initContext)
      for (i, link) in links.enumerated().reversed() {
        (sites[i].initOutputs, sites[i].initContext) = back
        members[i] = try initialized(link, sites[i])
        if i > 0 { back = try members[i].inverse.passing(back.data, back.context, members[i].params) }
      }
    }
    var tree = CompositeTree()
    let addresses = zip(links, members).map { tree.adding($1.params, at: $0.path, in: name) }
    return (
      tree.params,
      .chain(name, zip(members, addresses).map { ($0.forward, $1) }, at: self),
      .chain(name, zip(members, addresses).reversed().map { ($0.inverse, $1) }, at: here)
    )
  }

  /// Runs bijections side by side on the last axis. Their outputs are in the order of the parts.
  ///
  /// - Throws: the members' errors; `mismatch` if outputs differ in more than their channels.
  /// - Precondition: The channels of all parts cover the last axis once, and ranges of one part are equally
  ///   long. Parts without channels are skipped.
  public func split(_ name: String, _ slots: [Part]) throws(FlowError) -> Initialized {
    func rows(_ x: Tensor, _ ranges: [Range<Int>]) -> Tensor {
      concatenate(ranges.map { x.sliced(axis: -1, $0) }, axis: 0)
    }
    func initialized(_ slot: Part, _ outputs: [Range<Int>]?) throws(FlowError) -> Initialized {
      var place = self
      place.inputDim = inputDim.replacing(-1, by: slot.channels[0].count)
      place.initInputs = initInputs.map { rows($0, slot.channels) }
      place.initOutputs = outputs.flatMap { outputs in initOutputs.map { rows($0, outputs) } }
      place.initContext = initContext.map { context in
        concatenate(slot.channels.map { _ in context }, axis: 0)
      }
      return try slot.bijection.bound(slot.key, at: place)
    }
    let covered = slots.flatMap(\.channels).flatMap(Array.init)
    require(
      covered.sorted() == Array(0..<channels)
        && slots.allSatisfy { Set($0.channels.map(\.count)).count == 1 },
      "\(name): parts cover \(channels) channels once, each by equal ranges; got \(slots.map(\.channels))"
    )
    var (tree, end) = (CompositeTree(), 0)
    var (forward, inverse): ([Mapping.Part], [Mapping.Part]) = ([], [])
    var outcome = inputDim
    for slot in slots where !slot.channels[0].isEmpty {
      var member = try initialized(slot, nil)
      let shape = member.forward.codomain.shape
      if end > 0, shape.replacing(-1, by: 1) != outcome.replacing(-1, by: 1) {
        throw .mismatch(
          who: name, what: "outputs that differ in their channels alone", expected: "like \(outcome)",
          got: "\(shape)")
      }
      outcome = shape
      let outputs = slot.channels.indices.map { i in
        end + i * outcome[-1]..<end + (i + 1) * outcome[-1]
      }
      end += slot.channels.count * outcome[-1]
      if initOutputs != nil { member = try initialized(slot, outputs) }
      let address = tree.adding(member.params, at: slot.path, in: name)
      for (i, o) in zip(slot.channels, outputs) {
        forward.append(((member.forward, address), inputs: i, outputs: o))
        inverse.append(((member.inverse, address), inputs: o, outputs: i))
      }
    }
    outcome = outcome.replacing(-1, by: end)
    return (
      tree.params, .split(name, forward, from: inputDim, to: outcome, at: self),
      .split(name, Array(inverse.reversed()), from: outcome, to: inputDim, at: self)
    )
  }

  /// The site behind a mapping. Data for initial parameters pass through it.
  package func behind(_ mapping: Mapping, _ params: Params) throws(FlowError) -> Site {
    var behind = self
    behind.inputDim = mapping.codomain.shape
    (behind.initInputs, behind.initContext) = try mapping.passing(initInputs, initContext, params)
    return behind
  }

  /// Makes a bijection that sees its context through a transformation.
  func seeing(_ view: ContextView, _ bijection: any Bijection, _ key: Key) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try bijection.bound(key, at: view.inside(self))
    return (view.params(around: params), view.seen(forward, in: self), view.seen(inverse, in: self))
  }

  /// Makes the checks of a mapping that starts here, by default with samples of all real numbers.
  package func boundary(_ name: String, _ domain: Domain? = nil) -> Boundary {
    Boundary(name, domain: domain ?? Domain(inputDim), contextDim: contextDim, dtype: dtype)
  }
}

/// The parameter tree of a composite while members are added.
struct CompositeTree {
  private var children: [Params.Child] = []
  /// The tree of an only member that is a single leaf.
  private var leaf: Params?

  var params: Params { leaf ?? .branch(children) }

  /// Adds a member's parameters, unless its path has some already, and returns their address.
  mutating func adding(_ params: Params, at path: String?, in name: String) -> Address {
    require(
      leaf == nil || params.paths.isEmpty,
      "\(name): a member whose tree is one leaf is the only one with parameters")
    require(path?.contains("/") != true, "\(name): a member's path is one label, got \(path ?? "")")
    guard let path else {
      let isLeaf = params.value != nil
      let labels = Set(children.map(\.label))
      require(
        isLeaf ? self.params.paths.isEmpty : params.children.allSatisfy { !labels.contains($0.label) },
        "\(name): members without a path need labels of their own, got\n\(self.params)\nand\n\(params)"
      )
      let address = Address(nil, position: children.count)
      if isLeaf { leaf = params } else { children += params.children }
      return address
    }
    if let position = children.firstIndex(where: { $0.label == path }) {
      let first = children[position].tree.outline
      require(
        first == params.outline,
        "\(name): members at \(path) share parameters, got\n\(first)\nand\n\(params.outline)")
      return Address(path, position: position)
    }
    children.append(.init(path, params))
    return Address(path, position: children.count - 1)
  }
}
