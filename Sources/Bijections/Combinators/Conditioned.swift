import Randomness
import Tensors

/// A bijection or a distribution that sees its context through a transformation: an embedding, a
/// normalization, a squeeze.
///
/// ```swift
/// Conditioned(flow, by: Summary(hidden: [64], width: 8))
/// Conditioned(coupling, by: SqueezedContext())
/// ```
///
/// Map, log|det J| and inverse: those of the base, given transformation(context) in place of the context. The
/// transformation changes no volume of the sample.
///
/// Parameters: the transformation's under its label (`summary`, `context`) beside `base`; the base's alone
/// for a transformation without parameters. An embedding is therefore trained and saved with the rest.
///
/// Domain: the base's. Errors: the base's and the transformation's.
///
/// Radev et al. 2020, *BayesFlow*, arXiv 2003.06281, section 2.4.
public struct Conditioned<Base: Sendable>: Sendable {
  /// The bijection or distribution that sees the transformed context.
  public let base: Base
  /// The transformation of the context.
  public let transform: any ContextTransform

  /// Makes a bijection or a distribution see its context through a transformation.
  public init(_ base: Base, by transform: any ContextTransform) {
    (self.base, self.transform) = (base, transform)
  }

  /// The transformation at a place: it draws from `key.folded(in: 0)`, the base from `key.folded(in: 1)`.
  package func view(_ key: Key, at site: Site) throws(FlowError) -> ContextView {
    try transform.initialize(key.folded(in: 0), at: site)
  }
}

extension Conditioned: Bijection where Base: Bijection {
  public var members: [any Bijection] { [base] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.seeing(view(key, at: site), base, key.folded(in: 1))
  }
}

/// A function of the context, which a key and a place turn into parameters and a pure function.
public protocol ContextTransform: Sendable {
  /// The initial parameters and the function, for the context at `site`.
  ///
  /// - Throws: `FlowError.mismatch` without a context where one is needed, or for one that does not fit.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView
}

/// A transformation of the context at a place.
public struct ContextView: Sendable {
  /// The function of its own parameters and a context; nil: the base sees no context.
  public typealias Body = @Sendable (_ params: Params, _ context: Tensor) throws(FlowError) -> Tensor?

  let name: String
  let contextDim: Shape?
  let own: (label: String, params: Params)?
  let body: Body

  /// A transformation of the context.
  ///
  /// - Parameters:
  ///   - name: the name in errors.
  ///   - contextDim: one context sample's shape after the transformation; nil: none.
  ///   - own: the label and the initial parameters, for a transformation that has some.
  ///   - body: the function.
  public init(
    _ name: String, contextDim: Shape?, params own: (label: String, params: Params)? = nil,
    body: @escaping Body
  ) {
    (self.name, self.contextDim, self.own, self.body) = (name, contextDim, own, body)
  }

  /// The place of the base.
  package func inside(_ site: Site) throws(FlowError) -> Site {
    var inner = site
    inner.contextDim = contextDim
    if let context = site.initContext { inner.initContext = try body(own?.params ?? .empty, context) }
    return inner
  }

  /// The parameters with those of the base.
  package func params(around base: Params) -> Params {
    own.map { .branch([.init($0.label, $0.params), .init("base", base)]) } ?? base
  }

  /// The address of the base's parameters.
  package var base: Address { Address(own == nil ? nil : "base", position: 1) }

  /// The transformed context, from the parameters with those of the base.
  package var change: Mapping.ContextChange {
    let (label, body) = (Address(own?.label), body)
    return { (params, context) throws(FlowError) in
      guard let context else { return nil }
      return try body(label(params), context)
    }
  }

  /// A mapping of the base, as seen from outside.
  package func seen(_ mapping: Mapping, in site: Site) -> Mapping {
    mapping.seeing("\(name)(\(mapping.name))", at: base, in: site, change)
  }
}
