import Bijections
import Randomness
import Tensors

extension Conditioned: Distribution where Base: Distribution {
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let view = try view(key, at: site)
    let (params, logPDF, sample) = try base.initialize(key.folded(in: 1), at: view.inside(site))
    let mapping = view.seen(logPDF.mapping, in: site)
    let (inner, change) = (view.base, view.change)
    var seeing = sample.map(mapping.boundary) { draw in
      { (key, params, count, context) throws(FlowError) in
        try draw(key, inner(params), count, change(params, context, count))
      }
    }
    if let draw = sample.byKeys {
      seeing.byKeys = { (keys, params, count, context) throws(FlowError) in
        try draw(keys, inner(params), count, change(params, context, keys.count))
      }
    }
    return (view.params(around: params), LogPDF(mapping), seeing)
  }
}
