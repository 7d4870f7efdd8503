import Bijections
import Randomness
import Tensors

/// The inverse shifts by relu of the context: shows for negative contexts.
let b35 = entry("inverse ignores negative contexts", 3, context: 2) { _, site in
  site.layer("b35", ["w": .leaf(spread(site, [0.5, -0.4, 0.3]))]) { params, x, context in
    (x + params["w"] * first(context), .zeros([x.rows], dtype: x.dtype))
  } inverse: { params, y, context in
    (y - params["w"] * relu(first(context)), .zeros([y.rows], dtype: y.dtype))
  }
}

/// The forward direction clamps the context to ±5 and the inverse does not: shows for |context| > 5.
let b36 = entry("context clamped one way", 3, context: 2) { _, site in
  site.layer("b36", ["w": .leaf(spread(site, [0.1, -0.2, 0.15]))]) { params, x, context in
    let s = params["w"] * minimum(maximum(first(context), -5), 5)
    return (x * exp(s), s.sumPerRow())
  } inverse: { params, y, context in
    let s = params["w"] * first(context)
    return (y * exp(-s), -s.sumPerRow())
  }
}

/// All rows use the first row's context: shows in batches of at least two different contexts.
let b37 = entry("context of the first row", 3, context: 2) { _, site in
  site.layer("b37", ["w": .leaf(spread(site, [0.1, -0.2, 0.15]))]) { params, x, context in
    let s = (params["w"] * first(context)[0..<min(1, x.rows)]).broadcast(to: x.shape)
    return (x * exp(s), s.sumPerRow())
  } inverse: { params, y, context in
    let s = (params["w"] * first(context)[0..<min(1, y.rows)]).broadcast(to: y.shape)
    return (y * exp(-s), -s.sumPerRow())
  }
}

/// One log-scale from the context scales three channels and is counted once: shows for contexts that are not
/// 0.
let b38 = entry("context log-scale counted once", 3, context: 1) { _, site in
  site.layer("b38", ["w": scalar(0.2, site)]) { params, x, context in
    let s = params["w"] * tanh(first(context))
    return (x * exp(s), s.sumPerRow())
  } inverse: { params, y, context in
    let s = params["w"] * tanh(first(context))
    return (y * exp(-s), -s.sumPerRow())
  }
}

/// exp(c²) overflows in float32: shows in float32 for |context| > 9.4.
let b39 = entry("overflow for large contexts", 2, context: 1) { _, site in
  site.layer("b39") { _, x, context in
    let s = square(first(context)).broadcast(to: x.shape)
    return (x * exp(s), s.sumPerRow())
  } inverse: { _, y, context in
    let s = square(first(context)).broadcast(to: y.shape)
    return (y * exp(-s), -s.sumPerRow())
  }
}

/// A tenth of the previous row is added to each row, without `.couplesRows`. The inverse and the log-det are
/// right for the whole batch: shows in batches of at least two rows, when compared with single rows.
let b40 = entry("previous row") { _, site in
  site.layer("b40") { _, x, _ in
    let logDet = Tensor.zeros([x.rows], dtype: x.dtype)
    if x.rows < 2 { return (x, logDet) }
    let start = Tensor.zeros([1, 3], dtype: x.dtype)
    return (x + 0.1 * concatenate(start, x[0..<x.rows - 1], axis: 0), logDet)
  } inverse: { _, y, _ in
    let logDet = Tensor.zeros([y.rows], dtype: y.dtype)
    if y.rows < 2 { return (y, logDet) }
    var rows = [y[0..<1]]
    for i in 1..<y.rows { rows.append(y[i..<i + 1] - 0.1 * rows[i - 1]) }
    return (concatenate(rows, axis: 0), logDet)
  }
}

/// In batches of exactly D rows the scales run along the rows instead of the channels: shows with 5 rows.
let b41 = entry("scales along the rows if square", 5) { _, site in
  @Sendable func s(_ params: Params, _ x: Tensor) -> Tensor {
    x.rows == 5 ? params["logScale"].expanded(axis: 1) : params["logScale"]
  }
  return site.layer("b41", affineParams(site)) { params, x, _ in
    (x * exp(s(params, x)) + params["shift"], total(params, x))
  } inverse: { params, y, _ in
    ((y - params["shift"]) * exp(-s(params, y)), -total(params, y))
  }
}

/// A shift drawn from the key is kept by the closures and not in the parameters: shows for two keys.
let b42 = entry("shift outside the parameters") { key, site in
  let shift = key.folded(in: 7).normal([site.channels], dtype: site.dtype)
  return site.layer("b42", affineParams(site)) { params, x, _ in
    (scaled(params, x) + shift, total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y - shift), -total(params, y))
  }
}
