"""Reference values of the transformers: splines, GIN's affine map, mixtures of logistics, sigmoidal flows.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_transformers.py > Tests/BijectionsTests/Fixtures/transformers.json

run from the repository root. Everything is float64. Each case holds raw parameters (a row a number, in this library's order), x, y and log dy/dx.

- rational-quadratic: nflows' `unconstrained_rational_quadratic_spline` and distrax's `RationalQuadraticSpline`.
  nflows has no offset that makes a raw derivative of 0 give 1; it is added here.
- circular: distrax's with `boundary_slopes="circular"`, and normflows' with `tails="circular"` and the same offset.
- linear: nflows', which has no minimum height: it is given the logarithms of ours.
- quadratic: nflows' with K + 1 given heights. Its own choice of the outer two has a factor of 1/2 too much in its
  numerator, so that they do not become 1; here they are computed from the condition that they do.
- cubic: nflows', given the logits of our bounds' derivatives (raw − log 2, mixed with a little of 3s).
- sigmoidal, one layer: Pyro's NeuralAutoregressive with constants for its network, softplus inverted, and without its epsilon.
- sumOfSquares: zuko's SOSPolynomialTransform of one polynomial, whose slope is not weighted: times 1 - minimumSlope.
- bernstein: zuko's BernsteinTransform, softplus inverted. linearRational: Pyro's spline of order "linear", without minima of its own.
- mixture, sigmoidal of two layers and far out: the formulas with mpmath at 60 digits. gin: the formula with NumPy; make_peers.py
  has FrEIA's.
"""

import importlib
import json
import math

import distrax
import jax
import jax.numpy as jnp
import mpmath
import normflows.utils.splines
import numpy as np
import pyro.distributions.transforms
import torch
import zuko.transforms
from nflows.transforms import splines

from versions import check

check("nflows", "torch", "distrax", "jax", "numpy", "mpmath", "normflows", "pyro-ppl", "zuko")

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
mpmath.mp.dps = 60
rng = np.random.default_rng(7)
LEAST = 1e-3
OFFSET = math.log(math.expm1(1 - LEAST))
cases = []


def softplus(x):
    return np.logaddexp(0, x)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def numbers(bound, count):
    """Inside, outside, and at the bounds."""
    x = rng.uniform(-1.3 * bound, 1.3 * bound, count)
    x[:2] = [-bound, bound]
    return x


def case(name, source, bins, bound, raw, x, y, log_slope, **extra):
    cases.append(
        dict(
            name=name, source=source, bins=bins, bound=bound, columns=int(raw.shape[-1]), raw=raw.ravel().tolist(),
            x=np.ravel(x).tolist(), y=np.ravel(y).tolist(), logSlope=np.ravel(log_slope).tolist(), **extra))


def torched(f, x, *raw, **keywords):
    y, log_slope = f(torch.tensor(x), *[torch.tensor(r) for r in raw], tails="linear", **keywords)
    return y.numpy(), log_slope.numpy()


for bins, bound, scale in [(8, 3.0, 1.0), (5, 1.0, 3.0), (1, 2.0, 1.0), (3, 4.0, 8.0)]:
    raw = scale * rng.standard_normal((24, 3 * bins - 1))
    x = numbers(bound, 24)
    w, h, d = raw[:, :bins], raw[:, bins : 2 * bins], raw[:, 2 * bins :]
    y, log_slope = torched(
        splines.unconstrained_rational_quadratic_spline, x, w, h, d + OFFSET, tail_bound=bound, min_bin_width=LEAST,
        min_bin_height=LEAST, min_derivative=LEAST)
    case("rationalQuadratic", "nflows", bins, bound, raw, x, y, log_slope)

    ends = np.zeros((24, 1))
    for kind, slopes in [("identity", np.hstack([ends, d, ends])), ("circular", np.hstack([d, ends, d[:, :1]]))]:
        if kind == "circular":
            raw = np.hstack([w, h, slopes[:, :bins]])
            slopes = np.hstack([raw[:, 2 * bins :], raw[:, 2 * bins : 2 * bins + 1]])
            x = np.clip(x, -bound, bound)
        spline = distrax.RationalQuadraticSpline(
            jnp.asarray(np.hstack([w, h, slopes])), range_min=-bound, range_max=bound, boundary_slopes=kind,
            min_bin_size=2 * bound * LEAST, min_knot_slope=LEAST)
        y, log_slope = spline.forward_and_log_det(jnp.asarray(x))
        case("rationalQuadratic" if kind == "identity" else kind, "distrax", bins, bound, raw, x, y, log_slope)

for bins, bound, scale in [(8, 3.0, 1.0), (5, 1.0, 3.0), (2, 2.0, 1.0)]:
    raw = scale * rng.standard_normal((24, bins))
    x = numbers(bound, 24)
    shares = LEAST + (1 - LEAST * bins) * softmax(raw)
    y, log_slope = torched(splines.unconstrained_linear_spline, x, np.log(shares), tail_bound=bound)
    case("linear", "nflows", bins, bound, raw, x, y, log_slope)

    raw = scale * rng.standard_normal((24, 2 * bins - 1))
    shares = LEAST + (1 - LEAST * bins) * softmax(raw[:, :bins])
    inner = softplus(raw[:, bins:]) + 1e-3
    area = (inner * (shares[:, :-1] + shares[:, 1:]) / 2).sum(axis=1, keepdims=True)
    outer = area / (1 - (shares[:, :1] + shares[:, -1:]) / 2)
    heights = np.hstack([outer, inner, outer])
    y, log_slope = torched(
        lambda x, w, h, tails, **keywords: splines.quadratic_spline(x, w, h, **keywords), np.clip(x, -bound, bound),
        raw[:, :bins], np.log(np.expm1(heights - 1e-3)), left=-bound, right=bound, bottom=-bound, top=bound,
        min_bin_width=LEAST, min_bin_height=LEAST)
    inside = np.abs(x) <= bound
    case("quadratic", "nflows", bins, bound, raw, x, np.where(inside, y, x), np.where(inside, log_slope, 0))

    raw = scale * rng.standard_normal((24, 2 * bins + 2))
    ends = LEAST + (1 - LEAST) / (1 + 2 * np.exp(-raw[:, 2 * bins :]))
    logits = np.log(ends) - np.log1p(-ends)
    y, log_slope = torched(
        splines.unconstrained_cubic_spline, x, raw[:, :bins], raw[:, bins : 2 * bins], logits[:, :1], logits[:, 1:],
        tail_bound=bound, min_bin_width=LEAST, min_bin_height=LEAST)
    inside = np.abs(x) <= bound  # nflows' image of a bound may miss it by a rounding, where the slope jumps to 1
    case("cubic", "nflows", bins, bound, raw, x, np.where(inside, np.clip(y, -bound, bound), y), log_slope)


def spread(count):
    return [0.0] if count == 1 else np.linspace(-1, 1, count)


def mixture(x, weights, rates, shifts):
    """logit of a mixture of sigmoids, and the derivative."""
    one = mpmath.mpf(1)
    total = sum(mpmath.exp(mpmath.mpf(w)) for w in weights)
    below = above = density = mpmath.mpf(0)
    for w, a, b in zip(weights, rates, shifts):
        share, z = mpmath.exp(mpmath.mpf(w)) / total, a * x + b
        s, t = one / (one + mpmath.exp(-z)), one / (one + mpmath.exp(z))
        below, above, density = below + share * s, above + share * t, density + share * a * s * t
    return mpmath.log(below / above), density / (below * above)


for count, scale in [(8, 1.0), (3, 3.0), (1, 1.0)]:
    raw = scale * rng.standard_normal((16, 3 * count + 2))
    x = 3 * rng.standard_normal(16)
    x[:2] = [-60, 60]
    y, log_slope = [], []
    for row, number in zip(raw, x):
        means = [mpmath.mpf(m) + mpmath.mpf(o) for m, o in zip(row[count : 2 * count], spread(count))]
        rates = [mpmath.exp(-5 * mpmath.tanh(mpmath.mpf(r) / 5)) for r in row[2 * count : 3 * count]]
        z, slope = mixture(mpmath.mpf(number), row[:count], rates, [-m * a for m, a in zip(means, rates)])
        s = 2 * mpmath.tanh(mpmath.mpf(row[-2]) / 2)
        y.append(float(z * mpmath.exp(s) + mpmath.mpf(row[-1])))
        log_slope.append(float(mpmath.log(slope) + s))
    case("mixture", "mpmath", count, 0.0, raw, x, y, log_slope)

for count, layers, scale in [(8, 1, 1.0), (3, 2, 3.0), (1, 1, 1.0)]:
    raw = scale * rng.standard_normal((16, 3 * count * layers))
    x = 3 * rng.standard_normal(16)
    x[:2] = [-60, 60]
    offset = mpmath.log(mpmath.expm1(mpmath.mpf(1 - LEAST)))
    y, log_slope = [], []
    for row, number in zip(raw, x):
        z, total = mpmath.mpf(number), mpmath.mpf(0)
        for layer in row.reshape(layers, 3, count):
            rates = [mpmath.mpf(LEAST) + mpmath.log1p(mpmath.exp(mpmath.mpf(r) + offset)) for r in layer[1]]
            shifts = [mpmath.mpf(b) + mpmath.mpf(o) for b, o in zip(layer[2], spread(count))]
            z, slope = mixture(z, layer[0], rates, shifts)
            total += mpmath.log(slope)
        y.append(float(z))
        log_slope.append(float(total))
    case("sigmoidal", "mpmath", count, 0.0, raw, x, y, log_slope, layers=layers)

# A row of four numbers: all r, then all t.
raw, x = rng.standard_normal((3, 8)), 3 * rng.standard_normal((3, 4))
s = 2 * np.tanh(raw[:, :4] / 2)
case("gin", "numpy", 4, 0.0, raw, x, x * np.exp(s - s.mean(axis=1, keepdims=True)) + raw[:, 4:], np.zeros(3))

for bins, bound, scale in [(8, math.pi, 1.0), (2, 1.0, 3.0)]:
    raw = scale * rng.standard_normal((16, 3 * bins))
    x = np.clip(numbers(bound, 16), -bound, bound)
    parts = [torch.tensor(raw[:, i * bins : (i + 1) * bins] + (OFFSET if i == 2 else 0)) for i in range(3)]
    y, log_slope = normflows.utils.splines.unconstrained_rational_quadratic_spline(
        torch.tensor(x), *parts, tails="circular", tail_bound=bound, min_bin_width=LEAST, min_bin_height=LEAST,
        min_derivative=LEAST)
    case("circular", "normflows", bins, bound, raw, x, y.numpy(), log_slope.numpy())

for count, scale in [(8, 1.0), (3, 2.0)]:
    raw, x = scale * rng.standard_normal((16, 3 * count)), 3 * rng.standard_normal(16)
    rates = LEAST + softplus(raw[:, count : 2 * count] + OFFSET)
    shifts = raw[:, 2 * count :] + np.array(spread(count))
    constants = [torch.tensor(v)[..., None] for v in (np.log(np.expm1(rates)), raw[:, :count], shifts)]
    flow = pyro.distributions.transforms.NeuralAutoregressive(lambda x: constants, hidden_units=count)
    flow.eps = 0.0
    number = torch.tensor(x)[:, None]
    y = flow(number)
    case("sigmoidal", "pyro", count, 0.0, raw, x, y.numpy(), flow.log_abs_det_jacobian(number, y).numpy(), layers=1)

for degree in (1, 3):
    raw, x = rng.standard_normal((12, degree + 2)), 2 * rng.standard_normal(12)
    raw[:, -1] = 0  # zuko has no shift
    sos = zuko.transforms.SOSPolynomialTransform(torch.tensor(raw[:, None, :-1]), slope=LEAST / (1 - LEAST), bound=1.0)
    y, log_slope = sos.call_and_ladj(torch.tensor(x))
    case(
        "sumOfSquares", "zuko", degree, 0.0, raw, x, (1 - LEAST) * y.numpy(), math.log(1 - LEAST) + log_slope.numpy())

for degree, bound, scale in [(16, 5.0, 1.0), (3, 2.0, 1.0), (6, 3.0, 2.0)]:
    raw, x = scale * rng.standard_normal((16, degree - 1)), numbers(bound, 16)
    steps = 2 * bound / degree * (LEAST + softplus(raw[:, 1:] + OFFSET))
    first = raw[:, :1] - bound + math.log(2) * (degree - 1) / 2  # zuko takes this shift off
    theta = torch.tensor(np.hstack([first, np.log(np.expm1(steps))]))
    y, log_slope = zuko.transforms.BernsteinTransform(theta, bound=bound, eps=1e-9).call_and_ladj(torch.tensor(x))
    case("bernstein", "zuko", degree, bound, raw, x, y.detach().numpy(), log_slope.detach().numpy())

for bins, bound, scale in [(8, 3.0, 1.0), (1, 2.0, 1.0), (5, 1.0, 3.0)]:
    raw, x = scale * rng.standard_normal((24, 4 * bins - 1)), numbers(bound, 24)
    w, h, d, cuts = np.split(raw, [bins, 2 * bins, 3 * bins - 1], axis=1)
    w, h = (LEAST + (1 - LEAST * bins) * softmax(v) for v in (w, h))
    parts = [torch.tensor(v) for v in (x, w, h, LEAST + softplus(d + OFFSET), 1 / (1 + np.exp(-cuts)))]
    y, log_slope = importlib.import_module("pyro.distributions.transforms.spline")._monotonic_rational_spline(
        *parts, bound=bound, min_bin_width=0, min_bin_height=0, min_derivative=0, min_lambda=0.025, eps=0)
    inside = np.abs(x) < bound  # pyro's edges miss the bounds by a rounding
    case("linearRational", "pyro", bins, bound, raw, x, np.where(inside, y, x), np.where(np.abs(x) > bound, 0, log_slope))

print(json.dumps(dict(cases=cases)))
