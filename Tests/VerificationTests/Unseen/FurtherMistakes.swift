import Bijections
import Randomness
import Tensors

/// Numbers within ±0.0001 become 0: shows there only.
let b55 = entry("dead zone") { _, site in
  site.layer("b55") { _, x, _ in
    (
      select(where: abs(x.detached) .< 1e-4, x - x.detached, x), .zeros([x.rows], dtype: x.dtype)
    )
  } inverse: { _, y, _ in
    (y, .zeros([y.rows], dtype: y.dtype))
  }
}

/// The context scales each pixel, and the log-det counts the channels of one: shows for contexts that are not
/// 0.
let b56 = entry("context and positions", [2, 2, 2], context: 1) { _, site in
  @Sendable func logScale(_ params: Params, _ context: Tensor?) -> Tensor {
    params["w"] * tanh(first(context))  // [rows, channels]
  }
  return site.layer("b56", ["w": .leaf(spread(site, [0.3, -0.2]))]) { params, x, context in
    let s = logScale(params, context)
    return (x * exp(s.expanded(axis: 1).expanded(axis: 1)), s.sumPerRow())
  } inverse: { params, y, context in
    let s = logScale(params, context)
    return (y * exp(-s.expanded(axis: 1).expanded(axis: 1)), -s.sumPerRow())
  }
}

/// A float32 shortcut drops the bend a tanh x in the tails: shows in float32 for |x| > 20.
let b57 = entry("float32 shortcut in the tails") { _, site in
  site.layer("b57", ["a": scalar(0.4, site)]) { params, x, _ in
    let a = tanh(params["a"])
    let y = bent(x, a)
    let isFar = abs(x.detached) .> 20
    return (x.dtype == .float32 ? select(where: isFar, x, y) : y, bentLogDet(x, a))
  } inverse: { params, y, _ in
    let a = tanh(params["a"])
    let x = unbent(y, a)
    return (x, -bentLogDet(x, a))
  }
}

/// The forward log-det is 0 from the 65th row on: shows in batches of more than 64 rows.
let b58 = entry("log-det of the first 64 rows") { _, site in
  site.layer("b58", affineParams(site)) { params, x, _ in
    let logDet = total(params, x)
    if x.rows <= 64 { return (scaled(params, x), logDet) }
    let rest = Tensor.zeros([x.rows - 64], dtype: x.dtype)
    return (scaled(params, x), concatenate(logDet[0..<64], rest, axis: 0))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(params, y))
  }
}

/// The parameters are detached in the inverse's outputs: shows in the gradient by them.
let b59 = entry("detached parameters in the inverse") { _, site in
  site.layer("b59", affineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params.map { $0.detached }, y), -total(params, y))
  }
}

/// The inverse's log-det takes detached inputs: shows in its gradient by the latents.
let b60 = entry("detached latents in the log-det") { _, site in
  site.layer("b60") { _, x, _ in
    (x + 0.1 * x * x * x, log1p(0.3 * square(x)).sumPerRow())
  } inverse: { _, y, _ in
    let x = inverseOfMonotone(at: y) { x, _ in (x + 0.1 * x * x * x, 1 + 0.3 * square(x)) }
    return (x, -log1p(0.3 * square(x.detached)).sumPerRow())
  }
}
