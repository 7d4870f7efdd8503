import Randomness
import Tensors

/// A bijection or a distribution that sees a transformed context: an embedding, a normalization, a squeeze.
///
/// ```swift
/// Conditioned(flow, by: Summary(hidden: [64], width: 8))
/// Conditioned(coupling, by: SqueezedContext())
/// ```
///
/// Map, log|det J| and inverse: those of the base, given transformation(context) instead of the context.
///
/// Parameters: those of the transformation under its label (`summary`, `context`), and `base`. If the
/// transformation has none, they are those of the base alone. Embeddings are trained and saved with the rest.
///
/// Domain: that of the base. Errors: those of the base and of the transformation.
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

  /// Initializes the transformation from `key.folded(in: 0)`. The base draws from `key.folded(in: 1)`.
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

/// A transformation of the context. A key and a site turn it into parameters and a pure function.
public protocol ContextTransform: Sendable {
  /// Makes the initial parameters and the function for the context at `site`.
  ///
  /// - Throws: `FlowError.mismatch` for a missing context, or for one of the wrong shape.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView
}

/// An initialized transformation of the context.
public struct ContextView: Sendable {
  /// A function of the transformation's parameters and the context. It returns nil to hide the context.
  public typealias Body = @Sendable (_ params: Params, _ context: Tensor) throws(FlowError) -> Tensor?

  let name: String
  let contextDim: Shape?
  let own: (label: String, params: Params)?
  let body: Body

  /// Makes a transformation from its function and its initial parameters.
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

  /// The site of the base, with the transformed context.
  package func inside(_ site: Site) throws(FlowError) -> Site {
    var inner = site
    inner.contextDim = contextDim
    if let context = site.initContext { inner.initContext = try body(own?.params ?? .empty, context) }
    return inner
  }

  /// Joins the parameters with those of the base.
  package func params(around base: Params) -> Params {
    own.map { .branch([.init($0.label, $0.params), .init("base", base)]) } ?? base
  }

  /// The address of the base's parameters.
  package var base: Address { Address(own == nil ? nil : "base", position: 1) }

  /// The transformation as a function of the joined parameters.
  package var change: Mapping.ContextChange {
    let (label, body) = (Address(own?.label), body)
    return { (params, context, _) throws(FlowError) in
      guard let context else { return nil }
      return try body(label(params), context)
    }
  }

  /// Wraps a mapping of the base in the transformation.
  package func seen(_ mapping: Mapping, in site: Site) -> Mapping {
    mapping.seeing("\(name)(\(mapping.name))", at: base, in: site, change)
  }
}
