import Randomness
import Tensors

// The functions for authors of combinators. A site makes both directions, and carries the members' traits,
// statistics, domains and data for initial parameters.
extension Site {
  /// A bijection within another, the key that it draws from, and the path of its parameters. Without a path
  /// its parameters are children of the composite's tree.
  public typealias Member = (bijection: any Bijection, key: Key, path: String?)
  /// A member on ranges of the last axis. It maps each range with the same parameters.
  public typealias Part = (bijection: any Bijection, key: Key, path: String?, channels: [Range<Int>])

  /// Composes bijections, first to last. Data for initial parameters pass through the members that are
  /// initialized already.
  ///
  /// Members with the same path share their parameters. The first one gives the initial values.
  ///
  /// - Throws: the members' errors.
  public func chain(_ name: String, _ links: [Member]) throws(FlowError) -> Initialized {
    var (here, sites, members, tree): (Site, [Site], [Initialized], CompositeTree) = (self, [], [], .init())
    here.initOutputs = nil
    for link in links {
      let member = try link.bijection.initialize(link.key, at: here)
      sites.append(here)
      members.append(member)
      if let data = here.initInputs {
        here.initInputs = try member.forward.checkedBody(member.params, data, initContext).outputs
      }
      here.inputDim = member.forward.codomain.shape
    }
    if var data = initOutputs {
      // The first pass gives the shapes. Outputs then pass through the members from last to first.
      for (i, link) in links.enumerated().reversed() {
        sites[i].initOutputs = data
        members[i] = try link.bijection.initialize(link.key, at: sites[i])
        data = try members[i].inverse.checkedBody(members[i].params, data, initContext).outputs
      }
    }
    let addresses = zip(links, members).map { tree.adding($1.params, at: $0.path) }
    return (
      tree.params,
      .chain(name, zip(members, addresses).map { ($0.forward, $1) }, at: self),
      .chain(name, zip(members, addresses).reversed().map { ($0.inverse, $1) }, at: here)
    )
  }

  /// Runs bijections side by side on the last axis. Their outputs are in the order of the parts.
  ///
  /// - Throws: the members' errors.
  /// - Precondition: The channels of all parts cover the last axis once. Parts without channels are skipped.
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
      return try slot.bijection.initialize(slot.key, at: place)
    }
    let covered = slots.flatMap(\.channels).flatMap(Array.init)
    require(
      covered.sorted() == Array(0..<channels),
      "\(name): parts cover \(channels) channels once, got \(covered)")
    var (tree, end) = (CompositeTree(), 0)
    var (forward, inverse): ([Mapping.Part], [Mapping.Part]) = ([], [])
    var outcome = inputDim
    for slot in slots where !slot.channels[0].isEmpty {
      var member = try initialized(slot, nil)
      outcome = member.forward.codomain.shape
      let outputs = slot.channels.indices.map { i in
        end + i * outcome[-1]..<end + (i + 1) * outcome[-1]
      }
      end += slot.channels.count * outcome[-1]
      if initOutputs != nil { member = try initialized(slot, outputs) }
      let address = tree.adding(member.params, at: slot.path)
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

  /// Makes a bijection that sees its context through a transformation.
  func seeing(_ view: ContextView, _ bijection: any Bijection, _ key: Key) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try bijection.initialize(key, at: view.inside(self))
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

  var params: Params { .branch(children) }

  /// Adds a member's parameters, unless its path has some already, and returns their address.
  mutating func adding(_ params: Params, at path: String?) -> Address {
    guard let path else {
      children += params.children.filter { child in !children.contains { $0.label == child.label } }
      return Address(nil)
    }
    if let position = children.firstIndex(where: { $0.label == path }) {
      return Address(path, position: position)
    }
    children.append(.init(path, params))
    return Address(path, position: children.count - 1)
  }
}
