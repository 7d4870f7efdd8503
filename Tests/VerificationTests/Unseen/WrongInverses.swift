import Bijections
import Randomness
import Tensors

/// The fixed-point iteration stops after 20 steps: not converged for |x| < 1, where it contracts by 0.9 only.
let b01 = entry("fixed point stops early") { _, site in
  site.layer("b01") { _, x, _ in
    (x + 0.9 * tanh(x), log(1 + 0.9 * (1 - square(tanh(x)))).sumPerRow())
  } inverse: { _, y, _ in
    var x = y
    for _ in 0..<20 { x = y - 0.9 * tanh(x) }
    return (x, -log(1 + 0.9 * (1 - square(tanh(x)))).sumPerRow())
  }
}

/// The inverse compares y with 0 instead of the learned kink: shows for y between 0 and a kink that is not 0.
let b02 = entry("kink forgotten in the inverse") { _, site in
  let params: Params = ["kink": scalar(0, site), "logSlope": scalar(0.7, site)]
  return site.layer("b02", params) { params, x, _ in
    let (k, s) = (params["kink"].broadcast(to: x.shape), params["logSlope"].broadcast(to: x.shape))
    let isAbove = x.detached .> k.detached
    return (
      select(where: isAbove, k + (x - k) * exp(s), x),
      select(where: isAbove, s, 0).sumPerRow()
    )
  } inverse: { params, y, _ in
    let (k, s) = (params["kink"].broadcast(to: y.shape), params["logSlope"].broadcast(to: y.shape))
    let isAbove = y.detached .> 0
    return (
      select(where: isAbove, k + (y - k) * exp(-s), y),
      select(where: isAbove, -s, 0).sumPerRow()
    )
  }
}

/// The inverse applies the permutation, a 3-cycle, once more: shows for all inputs.
let b03 = entry("permutation is its own inverse", 4) { _, site in
  let order = Tensor(ints: [1, 2, 0, 3])
  let apply: Mapping.Body = { _, x, _ in (x.gathered(order), .zeros([x.rows], dtype: x.dtype)) }
  return site.layer("b03", traits: .volumePreserving, forward: apply, inverse: apply)
}

/// The search for the inverse is confined to ±100: shows for |x| > 100.
let b04 = entry("bracket too small") { _, site in
  site.layer("b04") { _, x, _ in
    (x + 0.5 * sin(x), log(1 + 0.5 * cos(x)).sumPerRow())
  } inverse: { _, y, _ in
    let inside = minimum(maximum(y, -100), 100)
    let x = inverseOfMonotone(at: inside) { x, _ in (x + 0.5 * sin(x), 1 + 0.5 * cos(x)) }
    return (x, -log(1 + 0.5 * cos(x)).sumPerRow())
  }
}

/// The last row of an odd batch of at least 3 rows keeps its shift: shows in such batches.
let b05 = entry("last row of odd batches") { _, site in
  site.layer("b05", affineParams(site)) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    if y.rows < 3 || y.rows % 2 == 0 { return (unscaled(params, y), -total(params, y)) }
    let (most, last) = (y[0..<y.rows - 1], y[y.rows - 1..<y.rows])
    return (
      concatenate(unscaled(params, most), last * exp(-params["logScale"]), axis: 0), -total(params, y)
    )
  }
}

/// The matrix of the inverse is transposed: shows for parameters that are not symmetric, as the initial ones
/// are.
let b06 = entry("transposed inverse matrix", 2) { _, site in
  let start = Tensor([[2, 0.5], [0.5, 2]], dtype: site.dtype)
  @Sendable func parts(_ params: Params) -> (m: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) {
    let m = params["matrix"]
    func at(_ i: Int, _ j: Int) -> Tensor { m.sliced(axis: 0, i..<i + 1).sliced(axis: 1, j..<j + 1) }
    return (m, at(0, 0), at(0, 1), at(1, 0), at(1, 1))
  }
  @Sendable func logDet(_ params: Params, _ x: Tensor) -> Tensor {
    let (_, a, b, c, d) = parts(params)
    return log(abs(a * d - b * c)).reshaped(to: .scalar).broadcast(to: [x.rows])
  }
  return site.layer("b06", ["matrix": .leaf(start)]) { params, x, _ in
    (matmul(x, params["matrix"]), logDet(params, x))
  } inverse: { params, y, _ in
    let (_, a, b, c, d) = parts(params)
    let top = concatenate(d, -c, axis: 1)
    let bottom = concatenate(-b, a, axis: 1)
    return (matmul(y, concatenate(top, bottom, axis: 0) / (a * d - b * c)), -logDet(params, y))
  }
}

/// x + ¼ frac(x) jumps back at integers, so it is not injective although its log-det is right: shows where
/// the fraction of x is above 0.8.
let b07 = entry("overlapping pieces") { _, site in
  site.layer("b07") { _, x, _ in
    (
      x + 0.25 * (x - floor(x.detached)),
      Tensor.full([x.rows], 3 * 0.22314355131420976, dtype: x.dtype)
    )
  } inverse: { _, y, _ in
    let n = floor(y.detached)
    return (n + (y - n) / 1.25, Tensor.full([y.rows], -3 * 0.22314355131420976, dtype: y.dtype))
  }
}

/// The forward direction clamps the log-scale to ±0.5 and the inverse does not: shows for |logScale| > 0.5.
let b08 = entry("log-scale clamped one way") { _, site in
  site.layer("b08", zeroAffineParams(site)) { params, x, _ in
    let s = minimum(maximum(params["logScale"], -0.5), 0.5)
    return (x * exp(s) + params["shift"], s.sum().broadcast(to: [x.rows]))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(params, y))
  }
}

/// The inverse of a shift on the circle is not wrapped: shows where x + 0.3 exceeds π.
let b09 = entry("circle without wrapping back", 2) { _, site in
  let circle = Domain(site.inputDim, .interval(-Double.pi, .pi))
  return site.layer("b09", ["shift": scalar(0.3, site)], from: circle, to: circle) { params, x, _ in
    let y = x + params["shift"]
    return (
      y - 2 * .pi * floor((y.detached + .pi) / (2 * .pi)), .zeros([x.rows], dtype: x.dtype)
    )
  } inverse: { params, y, _ in
    (y - params["shift"], .zeros([y.rows], dtype: y.dtype))
  }
}

/// An image is rolled by one column, and rolled the same way by the inverse: shows for every image that is
/// 3 columns wide.
let b10 = entry("image rolled twice", [2, 3, 2]) { _, site in
  let roll: Mapping.Body = { _, x, _ in
    (
      concatenate(x.sliced(axis: 2, 1..<3), x.sliced(axis: 2, 0..<1), axis: 2),
      .zeros([x.rows], dtype: x.dtype)
    )
  }
  return site.layer("b10", traits: .volumePreserving, forward: roll, inverse: roll)
}
