import Bijections
import Randomness
import Tensors

/// The inverse's search captures the parameter as a constant: its gradient by the parameter is wrong.
let b44 = entry("parameter captured by the search") { _, site in
  site.layer("b44", ["a": scalar(0.4, site)]) { params, x, _ in
    let a = tanh(params["a"])
    return (bent(x, a), bentLogDet(x, a))
  } inverse: { params, y, _ in
    let a = tanh(params["a"])
    let fixed = a.detached
    let x = inverseOfMonotone(at: y) { x, _ in (bent(x, fixed), bentSlope(x, fixed)) }
    return (x, -bentLogDet(x, a))
  }
}

/// One Newton step on a detached root: first derivatives of the inverse are right, second ones are not.
let b45 = entry("second derivative of a Newton step") { _, site in
  site.layer("b45", ["a": scalar(0.4, site)]) { params, x, _ in
    let a = tanh(params["a"])
    return (bent(x, a), bentLogDet(x, a))
  } inverse: { params, y, _ in
    let a = tanh(params["a"])
    let root = unbent(y.detached, a.detached).detached
    let x = root - (bent(root, a) - y) / bentSlope(root, a)
    return (x, -bentLogDet(x, a))
  }
}

/// The log-det's parameters are detached in the forward direction: shows in its gradient by the parameters.
let b46 = entry("detached parameters of the log-det") { _, site in
  site.layer("b46", affineParams(site)) { params, x, _ in
    (scaled(params, x), params["logScale"].detached.sum().broadcast(to: [x.rows]))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(params, y))
  }
}

/// The conditioner sees detached inputs: the values are right, the gradient by the passing half is not.
let b47 = entry("detached conditioner", 4) { _, site in
  site.layer("b47", ["w": .leaf(Tensor([[0.5, -0.3], [0.2, 0.4]], dtype: site.dtype))]) { params, x, _ in
    let (a, b) = halves(x, 2)
    let s = tanh(matmul(a.detached, params["w"]))
    return (concatenate(a, b * exp(s), axis: -1), s.sumPerRow())
  } inverse: { params, y, _ in
    let (a, b) = halves(y, 2)
    let s = tanh(matmul(a, params["w"]))
    return (concatenate(a, b * exp(-s), axis: -1), -s.sumPerRow())
  }
}

/// The inverse detaches the context in the shift alone: shows in its gradient by the context.
let b48 = entry("detached context in the inverse", 3, context: 2) { _, site in
  site.layer("b48", affineParams(site)) { params, x, context in
    let (s, t) = (params["logScale"] * tanh(first(context)), params["shift"] * first(context))
    return (x * exp(s) + t, s.sumPerRow())
  } inverse: { params, y, context in
    let (s, t) = (params["logScale"] * tanh(first(context)), params["shift"] * first(context).detached)
    return ((y - t) * exp(-s), -s.sumPerRow())
  }
}

/// Numbers beyond ±10 are detached in the forward log-det: shows in its gradient there.
let b49 = entry("detached tail of the log-det") { _, site in
  site.layer("b49") { _, x, _ in
    let seen = select(where: abs(x.detached) .> 10, x.detached, x)
    return (x + 0.1 * x * x * x, log1p(0.3 * square(seen)).sumPerRow())
  } inverse: { _, y, _ in
    let x = inverseOfMonotone(at: y) { x, _ in (x + 0.1 * x * x * x, 1 + 0.3 * square(x)) }
    return (x, -log1p(0.3 * square(x)).sumPerRow())
  }
}

/// A learned scale that is 0 at first, declared to preserve volume: shows for other parameters.
let b50 = entry("volume not preserved after training") { _, site in
  site.layer("b50", zeroAffineParams(site), traits: .volumePreserving) { params, x, _ in
    (scaled(params, x), total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y), -total(params, y))
  }
}

/// A reflection whose divisor has an epsilon is not orthogonal: its log-det is −0.002, not 0, for all inputs.
let b51 = entry("reflection with an epsilon", 4) { _, site in
  let v = Tensor([[0.5, -0.5, 0.5, 0.5]], dtype: site.dtype)
  let reflect: Mapping.Body = { params, x, _ in
    let v = params["v"]
    let dot = (x * v).sum(axis: 1, keepDims: true)
    return (x - 2 * dot * v / (square(v).sum() + 1e-3), .zeros([x.rows], dtype: x.dtype))
  }
  return site.layer("b51", ["v": .leaf(v)], traits: .volumePreserving, forward: reflect, inverse: reflect)
}

/// The conditioner sees a little of the half that it transforms: shows for all inputs, most in the inverse.
let b52 = entry("coupling sees its own half", 4) { _, site in
  @Sendable func logScale(_ params: Params, _ x: Tensor) -> Tensor {
    let (a, b) = halves(x, 2)
    return tanh(matmul(a + 0.02 * b, params["w"]))
  }
  return site.layer("b52", ["w": .leaf(Tensor([[0.5, -0.3], [0.2, 0.4]], dtype: site.dtype))]) {
    params, x, _ in
    let s = logScale(params, x)
    let (a, b) = halves(x, 2)
    return (concatenate(a, b * exp(s), axis: -1), s.sumPerRow())
  } inverse: { params, y, _ in
    let s = logScale(params, y)
    let (a, b) = halves(y, 2)
    return (concatenate(a, b * exp(-s), axis: -1), -s.sumPerRow())
  }
}

/// The mask of an autoregressive shift contains the diagonal, which the inverse heeds and the log-dets do
/// not: shows for a diagonal that is not 0, which it is at first.
let b53 = entry("mask with the diagonal", 3) { _, site in
  let mask = Tensor([[1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype: site.dtype)
  let weights = Tensor([[0, 0, 0], [0.4, 0, 0], [-0.3, 0.6, 0]], dtype: site.dtype)
  return site.layer("b53", ["w": .leaf(weights)]) { params, x, _ in
    (x + matmul(x, params["w"] * mask, transposeB: true), .zeros([x.rows], dtype: x.dtype))
  } inverse: { params, y, _ in
    let w = params["w"] * mask
    func at(_ i: Int, _ j: Int) -> Tensor { w.sliced(axis: 0, i..<i + 1).sliced(axis: 1, j..<j + 1) }
    func column(_ i: Int) -> Tensor { y.sliced(axis: 1, i..<i + 1) }
    let x0 = column(0) / (1 + at(0, 0))
    let x1 = (column(1) - at(1, 0) * x0) / (1 + at(1, 1))
    let x2 = (column(2) - at(2, 0) * x0 - at(2, 1) * x1) / (1 + at(2, 2))
    return (concatenate([x0, x1, x2], axis: 1), .zeros([y.rows], dtype: y.dtype))
  }
}

/// The log-det of the context's scale is counted twice in both directions: shows for contexts that are not 0.
let b54 = entry("context log-det counted twice", 2, context: 1) { _, site in
  site.layer("b54", affineParams(site)) { params, x, context in
    let s = params["logScale"] + 0.2 * tanh(first(context))
    let extra = 0.4 * tanh(first(context)).sumPerRow()
    return (x * exp(s) + params["shift"], s.sumPerRow() + extra)
  } inverse: { params, y, context in
    let s = params["logScale"] + 0.2 * tanh(first(context))
    let extra = 0.4 * tanh(first(context)).sumPerRow()
    return ((y - params["shift"]) * exp(-s), -s.sumPerRow() - extra)
  }
}
