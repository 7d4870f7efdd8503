import Bijections
import Randomness
import Tensors

/// The inverse's log-det has the forward sign: shows for parameters whose log-scales do not sum to 0.
let b11 = entry("sign of the inverse log-det") { _, site in
  site.layer("b11", zeroAffineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), total(params, y))
  }
}

/// The log-det of an image layer forgets the number of positions: shows for log-scales that do not sum to 0.
let b12 = entry("positions forgotten", [2, 3, 2]) { _, site in
  site.layer("b12", zeroAffineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(params, y))
  }
}

/// The forward log-det is capped: shows for |x| > 147.
let b13 = entry("log-det capped in the tail") { _, site in
  site.layer("b13") { _, x, _ in
    (odd(x) { log1p($0) }, -minimum(log1p(abs(x)), 5).sumPerRow())
  } inverse: { _, y, _ in
    (odd(y) { expm1($0) }, abs(y).sumPerRow())
  }
}

/// The log-det takes the first log-scale for all channels: shows for log-scales that differ.
let b14 = entry("log-det of one channel times D") { _, site in
  let count = Double(site.channels)
  @Sendable func logDet(_ params: Params, _ x: Tensor) -> Tensor {
    count * params["logScale"].sliced(axis: 0, 0..<1).reshaped(to: .scalar).broadcast(to: [x.rows])
  }
  return site.layer("b14", zeroAffineParams(site)) { params, x, _ in
    (scaled(params, x), logDet(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), -logDet(params, y))
  }
}

/// The inverse's log-det is evaluated at y instead of x: shows for |x| around 1.
let b15 = entry("inverse log-det at y") { _, site in
  site.layer("b15", ["a": scalar(0.4, site)]) { params, x, _ in
    let a = tanh(params["a"])
    return (bent(x, a), bentLogDet(x, a))
  } inverse: { params, y, _ in
    let a = tanh(params["a"])
    return (unbent(y, a), -bentLogDet(y, a))
  }
}

/// Outside ±3 the map is the identity, but the log-det is that of the end: shows for |x| > 3.
let b16 = entry("log-det outside the interval") { _, site in
  // f(x) = x + a x (9 − x²) / 27 inside.
  @Sendable func f(_ x: Tensor, _ a: Tensor) -> (Tensor, Tensor) {
    (x + a * x * (9 - square(x)) / 27, 1 + a * (9 - 3 * square(x)) / 27)
  }
  @Sendable func inside(_ x: Tensor) -> Tensor { (abs(x.detached) .<= 3) }
  return site.layer("b16", ["a": scalar(0.6, site)]) { params, x, _ in
    let (mask, a) = (inside(x), 0.9 * tanh(params["a"]))
    let (y, slope) = f(minimum(maximum(x, -3), 3), a)
    return (select(where: mask, y, x), log(slope).sumPerRow())
  } inverse: { params, y, _ in
    let (mask, a) = (inside(y), 0.9 * tanh(params["a"]))
    let raw = select(where: mask, y, 0)
    let x = inverseOfMonotone(at: raw, given: [a]) { x, p in
      let (y, slope) = f(minimum(maximum(x, -3), 3), p[0])
      let beyond = abs(x.detached) .> 3
      return (select(where: beyond, x, y), select(where: beyond, 1, slope))
    }
    let slope = f(x, a).1
    return (select(where: mask, x, y), -select(where: mask, log(slope), 0).sumPerRow())
  }
}

/// The scale has an epsilon that the forward log-det lacks: shows for all inputs, by 0.001 / scale per
/// channel.
let b17 = entry("epsilon missing in the log-det") { _, site in
  let params: Params = ["raw": .leaf(spread(site, [0.5, -0.5, 0]))]
  return site.layer("b17", params) { params, x, _ in
    let scale = softplus(params["raw"])
    return (x * (scale + 1e-3), log(scale).sum().broadcast(to: [x.rows]))
  } inverse: { params, y, _ in
    let scale = softplus(params["raw"]) + 1e-3
    return (y / scale, -log(scale).sum().broadcast(to: [y.rows]))
  }
}

/// No absolute value in log(1 + vᵀu): NaN for parameters with vᵀu < −1.
let b18 = entry("logarithm of a negative determinant", 3) { _, site in
  let half = Tensor.full([1, 3], 0.5, dtype: site.dtype)
  @Sendable func det(_ params: Params) -> Tensor { 1 + (params["u"] * params["v"]).sum() }
  return site.layer("b18", ["u": .leaf(half), "v": .leaf(half)]) { params, x, _ in
    let dot = (x * params["v"]).sum(axis: 1, keepDims: true)
    return (x + dot * params["u"], log(det(params)).broadcast(to: [x.rows]))
  } inverse: { params, y, _ in
    let dot = (y * params["v"]).sum(axis: 1, keepDims: true)
    return (y - dot * params["u"] / det(params), -log(det(params)).broadcast(to: [y.rows]))
  }
}

/// The forward log-det of a planar layer forgets the bias within tanh′: shows for a bias that is not 0.
let b19 = entry("planar slope without bias", 3) { _, site in
  let params: Params = [
    "w": .leaf(Tensor([[0.8, -0.6, 0.5]], dtype: site.dtype)), "b": scalar(0, site), "c": scalar(0, site),
  ]
  @Sendable func slope(_ a: Tensor) -> Tensor { 1 - square(tanh(a)) }
  return site.layer("b19", params) { params, x, _ in
    let (w, b, c) = (params["w"], params["b"], exp(params["c"]))
    let a = (x * w).sum(axis: 1, keepDims: true)
    return (x + c * w * tanh(a + b), log(1 + c * square(w).sum() * slope(a)).sumPerRow())
  } inverse: { params, y, _ in
    let (w, b, c) = (params["w"], params["b"], exp(params["c"]))
    let k = c * square(w).sum()
    let a = inverseOfMonotone(at: (y * w).sum(axis: 1, keepDims: true), given: [k, b]) { a, p in
      (a + p[0] * tanh(a + p[1]), 1 + p[0] * (1 - square(tanh(a + p[1]))))
    }
    return (y - c * w * tanh(a + b), -log(1 + k * slope(a + b)).sumPerRow())
  }
}

/// The log-slope is computed as log(3 f(x) / x − 2): NaN at x = 0 only.
let b20 = entry("zero over zero in the log-det") { _, site in
  site.layer("b20") { _, x, _ in
    let y = x * x * x + x
    return (y, log(3 * (y / x) - 2).sumPerRow())
  } inverse: { _, y, _ in
    let x = inverseOfMonotone(at: y) { x, _ in (x * x * x + x, 3 * x * x + 1) }
    return (x, -log(3 * x * x + 1).sumPerRow())
  }
}

/// The last channel's log-scale is missing in both log-dets: shows for a log-scale there that is not 0.
let b21 = entry("last channel missing in the log-det", 4) { _, site in
  @Sendable func logDet(_ params: Params, _ x: Tensor) -> Tensor {
    params["logScale"].sliced(axis: 0, 0..<3).sum().broadcast(to: [x.rows])
  }
  return site.layer("b21", zeroAffineParams(site)) { params, x, _ in
    (scaled(params, x), logDet(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), -logDet(params, y))
  }
}

/// The log-det is that of the initial parameters, which the closure captured: shows for other parameters.
let b22 = entry("captured initial log-det") { _, site in
  let initial = affineParams(site)
  return site.layer("b22", initial) { params, x, _ in
    (scaled(params, x), total(initial, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(initial, y))
  }
}
