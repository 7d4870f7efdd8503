import Randomness
import Tensors

// What an author of a combinator uses: the site makes both directions and carries all that the members have.
extension Site {
  /// A bijection within another: the key that it draws from, and the path of its parameters (nil: the whole tree).
  public typealias Member = (bijection: any Bijection, key: Key, path: String?)
  /// The same on ranges of the last axis. With several ranges it works on each with the same parameters.
  public typealias Part = (bijection: any Bijection, key: Key, path: String?, channels: [Range<Int>])

  /// Bijections one after the other, both ways. Data for a start pass through the members already initialized.
  ///
  /// Members with the same path share their parameters, which start as the first one's.
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
      // Shapes are known from the front; the data come from the back.
      for (i, link) in links.enumerated().reversed() {
        sites[i].initOutputs = data
        members[i] = try link.bijection.initialize(link.key, at: sites[i])
        data = try members[i].inverse.checkedBody(members[i].params, data, initContext).outputs
      }
    }
    let addresses = zip(links, members).map { tree.adding($1.params, at: $0.path) }
    let forward = zip(members, addresses).map { Mapping.Member(mapping: $0.forward, address: $1) }
    let inverse = zip(members, addresses).map { Mapping.Member(mapping: $0.inverse, address: $1) }
    return (
      tree.params, .chain(name, forward, at: self), .chain(name, Array(inverse.reversed()), at: here)
    )
  }

  /// Bijections side by side on the last axis, both ways. Their outputs stand in the order of the parts.
  ///
  /// - Throws: the members' errors.
  /// - Precondition: the channels of all parts cover the last axis once. Parts without channels are left out.
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
        forward.append(
          Mapping.Part(
            member: Mapping.Member(mapping: member.forward, address: address), inputs: i, outputs: o))
        inverse.append(
          Mapping.Part(
            member: Mapping.Member(mapping: member.inverse, address: address), inputs: o, outputs: i))
      }
    }
    outcome = outcome.replacing(-1, by: end)
    return (
      tree.params, .split(name, forward, from: inputDim, to: outcome, at: self),
      .split(name, Array(inverse.reversed()), from: outcome, to: inputDim, at: self)
    )
  }

  /// A bijection that runs within the place of another, behind a change of the context.
  func seeing(_ view: ContextView, _ bijection: any Bijection, _ key: Key) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try bijection.initialize(key, at: view.inside(self))
    return (view.params(around: params), view.seen(forward, in: self), view.seen(inverse, in: self))
  }

  /// Makes the checks of a mapping that starts here, by default with samples of all real numbers.
  package func boundary(_ name: String, _ domain: Domain? = nil) -> Boundary {
    Boundary(name, domain: domain ?? Domain(inputDim), contextDim: contextDim, dtype: dtype)
  }
}

/// The parameter tree of a composite, as it grows.
struct CompositeTree {
  private var children: [Params.Child] = []

  var params: Params { .branch(children) }

  /// The address of a member's parameters: new children of the tree, or those that stand at its path already.
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
