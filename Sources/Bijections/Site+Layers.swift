import Tensors

// Three functions make a layer: from both log-dets, from the forward log-det alone, and from none.
extension Site {
  /// A function of parameters, a batch and a context that gives a tensor.
  public typealias Function =
    @Sendable (_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// Makes a layer from two directions that each compute their log-det.
  ///
  /// A log-det that is the same for all rows may be a scalar. Outputs that rounding puts outside the codomain
  /// become the nearest numbers inside.
  ///
  /// - Parameters:
  ///   - name: the name in errors.
  ///   - params: the initial parameters; empty by default.
  ///   - domain: the samples allowed at the input; by default all real ones of this place's shape.
  ///   - codomain: the possible samples at the output; by default the same.
  ///   - traits: properties that hold for all parameters.
  ///   - forward: data to latents: outputs and log|det J|.
  ///   - inverse: latents to data: outputs and log|det J|.
  public func layer(
    _ name: String, _ params: Params = .empty, from domain: Domain? = nil, to codomain: Domain? = nil,
    traits: Mapping.Traits = [], forward: @escaping Mapping.Body, inverse: @escaping Mapping.Body
  ) -> Initialized {
    let (domain, codomain) = (rounded(domain), rounded(codomain))
    return mappings(
      name, params, domain, codomain, traits, codomain.holding(forward), domain.holding(inverse))
  }

  private func mappings(
    _ name: String, _ params: Params, _ domain: Domain, _ codomain: Domain, _ traits: Mapping.Traits,
    _ forward: @escaping Mapping.Body, _ inverse: @escaping Mapping.Body
  ) -> Initialized {
    (
      params, Mapping(boundary(name, domain), to: codomain, traits: traits, body: forward),
      Mapping(boundary(name, codomain), to: domain, traits: traits, body: inverse)
    )
  }

  private func rounded(_ domain: Domain?) -> Domain { (domain ?? Domain(inputDim)).rounded(to: dtype) }

  /// Makes a layer from one log-det formula in terms of the inputs. The inverse computes the inputs and
  /// negates the formula there.
  public func layer(
    _ name: String, _ params: Params = .empty, from domain: Domain? = nil, to codomain: Domain? = nil,
    traits: Mapping.Traits = [], forward: @escaping Function, logDet: @escaping Function,
    inverse: @escaping Function
  ) -> Initialized {
    let (domain, codomain) = (rounded(domain), rounded(codomain))
    let body: Mapping.Body = { (params, x, context) throws(FlowError) in
      (try forward(params, x, context), try logDet(params, x, context))
    }
    return mappings(name, params, domain, codomain, traits, codomain.holding(body)) {
      (params, y, context) throws(FlowError) in
      let x = domain.nearest(try inverse(params, y, context))
      return (x, -(try logDet(params, x, context)))
    }
  }

  /// Makes a layer that preserves volume: its log-det is 0.
  public func volumePreserving(
    _ name: String, _ params: Params = .empty, to codomain: Domain? = nil, forward: @escaping Function,
    inverse: @escaping Function
  ) -> Initialized {
    func body(_ function: @escaping Function) -> Mapping.Body {
      { (params, x, context) throws(FlowError) in
        (try function(params, x, context), .zeros([x.rows], dtype: x.dtype))
      }
    }
    return layer(
      name, params, to: codomain, traits: .volumePreserving, forward: body(forward),
      inverse: body(inverse))
  }
}
