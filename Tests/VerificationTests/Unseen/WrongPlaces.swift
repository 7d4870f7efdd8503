import Bijections
import Randomness
import Tensors

/// The inverse adds 0.001 to the scale in float32: shows for all float32 inputs.
let b23 = entry("epsilon in float32 only") { _, site in
  site.layer("b23", affineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    let epsilon = y.dtype == .float32 ? 1e-3 : 0
    return ((y - params["shift"]) / (exp(params["logScale"]) + epsilon), -total(params, y))
  }
}

/// log(1 + eˣ) without care for large x: infinite for x > 88.7 in float32 and x > 709.8 in float64.
let b24 = entry("naive softplus") { _, site in
  site.layer("b24", to: Domain(site.inputDim, .positive)) { _, x, _ in
    (log1p(exp(x)), logSigmoid(x).sumPerRow())
  } inverse: { _, y, _ in
    let x = y + log(-expm1(-y))
    return (x, -logSigmoid(x).sumPerRow())
  }
}

/// The inverse's scale is computed in float32: shows in float64, by about 1e-8 of the value.
let b25 = entry("float32 scale in float64") { _, site in
  site.layer("b25", affineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    let scale = exp(-params["logScale"].cast(to: .float32)).cast(to: y.dtype)
    return ((y - params["shift"]) * scale, -total(params, y))
  }
}

/// The forward log-det is summed in float32: shows in float64, by about 1e-7.
let b26 = entry("float32 log-det in float64") { _, site in
  site.layer("b26") { _, x, _ in
    (odd(x) { log1p($0) }, -log1p(abs(x).cast(to: .float32)).sumPerRow().cast(to: x.dtype))
  } inverse: { _, y, _ in
    (odd(y) { expm1($0) }, abs(y).sumPerRow())
  }
}

/// The output is clipped to ±750, which loses information: shows for |x| > 750.
let b27 = entry("outputs clipped") { _, site in
  site.layer("b27") { _, x, _ in
    (minimum(maximum(x, -750), 750), .zeros([x.rows], dtype: x.dtype))
  } inverse: { _, y, _ in
    (y, .zeros([y.rows], dtype: y.dtype))
  }
}

/// Probabilities are clamped to [0.01, 0.99] before the logit: shows for x outside that range.
let b28 = entry("logit of clamped numbers") { _, site in
  site.layer("b28", from: Domain(site.inputDim, .unitInterval)) { _, x, _ in
    let p = minimum(maximum(x, 0.01), 0.99)
    return (log(p) - log1p(-p), -(log(p) + log1p(-p)).sumPerRow())
  } inverse: { _, y, _ in
    (sigmoid(y), (logSigmoid(y) + logSigmoid(-y)).sumPerRow())
  }
}

/// x + a sin x is not monotone for a > 1: shows for such parameters (initially a = 0.5).
let b29 = entry("not monotone for large amplitudes") { _, site in
  site.layer("b29", ["a": scalar(0.5, site)]) { params, x, _ in
    (x + params["a"] * sin(x), log(abs(1 + params["a"] * cos(x))).sumPerRow())
  } inverse: { params, y, _ in
    let x = inverseOfMonotone(at: y, given: [params["a"]]) { x, p in (x + p[0] * sin(x), 1 + p[0] * cos(x)) }
    return (x, -log(abs(1 + params["a"] * cos(x))).sumPerRow())
  }
}

/// The forward direction divides by the norm: NaN at x = 0 (and where the norm underflows) only.
let b30 = entry("unit vector at 0", 3) { _, site in
  @Sendable func logDet(_ b: Tensor, _ s: Tensor) -> Tensor {
    let h = 1 + b / (1 + s)
    return (2 * log(h) + log(h - 2 * b * s / square(1 + s))).sumPerRow()
  }
  return site.layer("b30", ["b": scalar(0.2, site)]) { params, x, _ in
    let (b, s) = (sigmoid(params["b"]), square(x).sum(axis: 1, keepDims: true))
    let r = sqrt(s)
    return (x + b * (x / r) * (r / (1 + s)), logDet(b, s))
  } inverse: { params, y, _ in
    let (b, s) = (sigmoid(params["b"]), square(y).sum(axis: 1, keepDims: true))
    let isZero = s.detached .== 0
    let norm = select(where: isZero, 0, sqrt(select(where: isZero, 1, s)))
    let r = inverseOfMonotone(at: norm, given: [b]) { r, p in
      let q = 1 + square(r)
      return (r + p[0] * r / q, 1 + p[0] / q - 2 * p[0] * square(r) / square(q))
    }
    return (y / (1 + b / (1 + square(r))), -logDet(b, square(r)))
  }
}

/// The codomain of x / (1 + |x|) is declared to be all reals: the inverse is wrong for |y| ≥ 1.
let b31 = entry("codomain too large") { _, site in
  site.layer("b31") { _, x, _ in
    (x / (1 + abs(x)), -2 * log1p(abs(x)).sumPerRow())
  } inverse: { _, y, _ in
    (y / (1 - abs(y)), -2 * log(abs(1 - abs(y))).sumPerRow())
  }
}

/// The domain of log x is declared to contain 0, where the output is −∞: shows at x = 0.
let b32 = entry("logarithm of zero", 2) { _, site in
  site.layer("b32", from: Domain(site.inputDim, .nonNegative)) { _, x, _ in
    (log(x), -log(x).sumPerRow())
  } inverse: { _, y, _ in
    (exp(y), y.sumPerRow())
  }
}

/// The codomain is declared positive instead of above the learned shift: shows for a shift that is not 0, at
/// outputs (negative shift) or latents (positive shift) near 0.
let b33 = entry("codomain too small", 2) { _, site in
  site.layer("b33", ["shift": scalar(0, site)], to: Domain(site.inputDim, .positive)) { params, x, _ in
    // The exponent grows linearly above 0, so that nothing overflows.
    let low = exp(minimum(x, 0)) + relu(x)
    return (low + params["shift"], minimum(x, 0).sumPerRow())
  } inverse: { params, y, _ in
    let low = y - params["shift"]
    let isBelow = low.detached .< 1
    let x = select(where: isBelow, log(select(where: isBelow, low, 1)), low - 1)
    return (x, -minimum(x, 0).sumPerRow())
  }
}

/// The inverse multiplies by sign(y), whose derivative is lost at 0: the derivative is 0 at y = 0 only.
let b34 = entry("derivative of the sign at 0") { _, site in
  site.layer("b34") { _, x, _ in
    (x + x * abs(x), log1p(2 * abs(x)).sumPerRow())
  } inverse: { _, y, _ in
    let root = sqrt(1 + 4 * abs(y))
    return (sign(y) * (2 * abs(y) / (1 + root)), -log(root).sumPerRow())
  }
}
