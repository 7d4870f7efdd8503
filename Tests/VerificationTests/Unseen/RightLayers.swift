import Bijections
import Randomness
import Tensors

/// x + a x³ with a learned a > 0 and a numerical inverse.
let r01 = entry("cubic") { _, site in
  site.layer("r01", ["logA": scalar(-1, site)]) { params, x, _ in
    let a = exp(params["logA"])
    return (x + a * x * x * x, log1p(3 * a * x * x).sumPerRow())
  } inverse: { params, y, _ in
    let a = exp(params["logA"])
    let x = inverseOfMonotone(at: y, given: [a]) { x, p in
      (x + p[0] * x * x * x, 1 + 3 * p[0] * x * x)
    }
    return (x, -log1p(3 * a * x * x).sumPerRow())
  }
}

/// Two slopes with a learned kink between them.
let r02 = entry("learned kink") { _, site in
  let params: Params = ["kink": scalar(0.25, site), "logSlope": scalar(0.7, site)]
  @Sendable func branch(_ params: Params, _ x: Tensor, _ sign: Double) -> (outputs: Tensor, logDet: Tensor) {
    let (k, s) = (params["kink"].broadcast(to: x.shape), sign * params["logSlope"].broadcast(to: x.shape))
    let isAbove = x.detached .> k.detached
    return (select(where: isAbove, k + (x - k) * exp(s), x), select(where: isAbove, s, 0).sumPerRow())
  }
  return site.layer("r02", params) { params, x, _ in
    branch(params, x, 1)
  } inverse: { params, y, _ in
    branch(params, y, -1)
  }
}

/// The logit of an interval from −2 to 3.
let r03 = entry("logit of an interval", 2) { _, site in
  site.layer("r03", from: Domain(site.inputDim, .interval(-2, 3))) { _, x, _ in
    let (low, high) = (log(x + 2), log(3 - x))
    return (low - high, (log(Tensor(5, dtype: x.dtype)) - low - high).sumPerRow())
  } inverse: { _, y, _ in
    (
      select(where: y.detached .< 0, 5 * sigmoid(y) - 2, 3 - 5 * sigmoid(-y)),
      (log(Tensor(5, dtype: y.dtype)) + logSigmoid(y) + logSigmoid(-y)).sumPerRow()
    )
  }
}

/// Scale and shift from the context.
let r04 = entry("scale from the context", 3, context: 2) { _, site in
  let start = Tensor([[0.3, -0.2, 0.1], [0.2, 0.1, -0.4]], dtype: site.dtype)
  return site.layer("r04", ["w": .leaf(start), "v": .leaf(start)]) { params, x, context in
    let s = tanh(matmul(context!, params["w"]))
    return (x * exp(s) + matmul(context!, params["v"]), s.sumPerRow())
  } inverse: { params, y, context in
    let s = tanh(matmul(context!, params["w"]))
    return ((y - matmul(context!, params["v"])) * exp(-s), -s.sumPerRow())
  }
}

/// An image, upside down, with a scale and a shift per channel.
let r05 = entry("image upside down", [2, 3, 2]) { _, site in
  let positions = Double(site.positions)
  return site.layer("r05", affineParams(site)) { params, x, _ in
    (scaled(params, x.flipped(axis: 1)), positions * total(params, x))
  } inverse: { params, y, _ in
    (unscaled(params, y).flipped(axis: 1), -positions * total(params, y))
  }
}

/// The second half moves by a wave of the first.
let r06 = entry("wave", 4) { _, site in
  site.volumePreserving(
    "r06", ["w": .leaf(Tensor([[0.5, -0.3], [0.2, 0.4]], dtype: site.dtype))],
    forward: { params, x, _ in
      let (a, b) = halves(x, 2)
      return concatenate(a, b + 2 * sin(matmul(tanh(a), params["w"])), axis: -1)
    },
    inverse: { params, y, _ in
      let (a, b) = halves(y, 2)
      return concatenate(a, b - 2 * sin(matmul(tanh(a), params["w"])), axis: -1)
    })
}

/// x + a tanh x with −1 < a < 1, mirrored.
let r07 = entry("mirrored bend") { _, site in
  site.layer("r07", ["a": scalar(0.4, site)]) { params, x, _ in
    let a = tanh(params["a"])
    return (-bent(x, a), bentLogDet(x, a))
  } inverse: { params, y, _ in
    let a = tanh(params["a"])
    let x = unbent(-y, a)
    return (x, -bentLogDet(x, a))
  }
}

/// Unusual layers without a mistake.
let unseenRightLayers: [UnseenLayer] = [
  r01, r02, r03, r04, r05, r06, r07,
]
