import Randomness
import Tensors

/// A transformer of each number with learned parameters of its own, which depend on no other number.
///
/// Map: y = f(x; θ) with the raw parameters θ of a transformer, such as a spline for each column.
///
/// log|det J| = that of the transformer. Inverse: f⁻¹(y; θ). Cost: the transformer's, both ways.
///
/// Parameters: `raw` [numbers · parameterCount] in the transformer's order, 0 at first. An image is read in
/// row-major order. A context is ignored.
///
/// Domain: that of the transformer. Errors: none of its own.
///
/// Durkan et al. 2019, *Neural spline flows*, arXiv 1906.04032, transform the numbers that pass a coupling
/// so.
public struct Unconditional: Bijection {
  private let transformer: any Transformer

  /// Makes a layer of a transformer's map of each number.
  public init(_ transformer: any Transformer) { self.transformer = transformer }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (transformer, size) = (transformer, site.inputDim.count)
    let count = size * transformer.parameterCount
    let params: Params = ["raw": .leaf(.zeros([count], dtype: site.dtype))]
    func body(
      _ map: @escaping @Sendable (Tensor, Tensor) -> (outputs: Tensor, logDet: Tensor)
    ) -> Mapping.Body {
      { params, x, _ in
        let raw = params["raw"].broadcast(to: [x.rows, count])
        let (y, logDet) = map(x.reshaped(to: [x.rows, size]), raw)
        return (y.reshaped(to: x.shape), logDet)
      }
    }
    return site.layer(
      "Unconditional(\(transformer.name))", params, traits: transformer.traits,
      forward: body { transformer.forward($0, $1) }, inverse: body { transformer.inverse($0, $1) })
  }
}
