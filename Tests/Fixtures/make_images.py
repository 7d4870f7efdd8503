"""Writes what the papers' formulas give for image layers, for Tests/BijectionsTests/ImageReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_images.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/images.json. Made with jax 0.10.2, numpy 2.4.6,
PyWavelets 1.9.0 (requirements.txt), in float64.

Every map is written here for one sample, from explicit parameters, as its paper or InvertibleNetworks.jl states it: sums over
positions and taps instead of convolutions, dense reflections instead of their compact form, no Fourier transform. Each
log-determinant is that of the dense Jacobian by jax.jacfwd. A parameter stands under its path in the tree.

- HINT, JointHINT: Kruse et al. 2021, arXiv 1905.10687, algorithm 1 and section 3.2.
- Hyperbolic: Lensink, Peters & Haber 2019, arXiv 1905.10484, eq. 6, with InvertibleNetworks.jl's minus sign.
- IRIM, MisfitGradient: Putzky & Welling 2019, arXiv 1911.10914, section 3.
- EmergingConvolution, PeriodicConvolution: Hoogeboom et al. 2019, arXiv 1901.11137, section 3.
- Wavelets: PyWavelets' reconstruction filters and its periodized one-level transform.
"""

import importlib.metadata
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pywt

versions = [importlib.metadata.version(name) for name in ("numpy", "jax", "PyWavelets")]
assert versions == ["2.4.6", "0.10.2", "1.9.0"]  # pywt.__version__ says 1.8.0
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(5)
HIDDEN = 5


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def case(layer, variant, f, params, inputs, context=None):
    """`f(params, x, context)` maps one sample."""
    rows = [None] * len(inputs) if context is None else list(context)
    outputs, logdets = [], []
    for x, c in zip(inputs, rows):
        outputs.append(f(params, jnp.asarray(x), c))
        jacobian = jax.jacfwd(lambda x: f(params, x, c).ravel())(jnp.asarray(x))
        logdets.append(float(np.linalg.slogdet(np.asarray(jacobian).reshape(x.size, x.size))[1]))
    return {
        "layer": layer, "variant": variant, "params": {path: array(v) for path, v in params.items()},
        "x": array(inputs), "context": None if context is None else array(context), "y": array(np.stack(outputs)),
        "logDet": logdets,
    }


def part(params, name):
    return {path[len(name) + 1:]: v for path, v in params.items() if path.startswith(name + "/")}


def under(name, params):
    return {f"{name}/{path}": v for path, v in params.items()}


# MARK: networks


def mlp_params(inputs, outputs):
    return {
        "dense_0/weight": rng.normal(size=(inputs, HIDDEN)), "dense_0/bias": rng.normal(size=HIDDEN),
        "dense_1/weight": 0.4 * rng.normal(size=(HIDDEN, outputs)), "dense_1/bias": 0.4 * rng.normal(size=outputs),
    }


def mlp(params, x, context):
    """On the last axis, whatever is before it; a context vector beside the channels of each position."""
    if context is not None:
        x = jnp.concatenate([x, jnp.broadcast_to(context, x.shape[:-1] + context.shape)], axis=-1)
    h = jnp.tanh(x @ params["dense_0/weight"] + params["dense_0/bias"])
    return h @ params["dense_1/weight"] + params["dense_1/bias"]


def affine(x, raw):
    """The scale is exp of the first half of the raw parameters, the shift the second."""
    r, t = jnp.split(raw, 2, axis=-1)
    return x * jnp.exp(r) + t


def reflected(vectors, x):
    """x H1 H2 ... on the last axis."""
    for v in vectors:
        x = x @ (np.eye(len(v)) - 2 * np.outer(v, v) / (v @ v))
    return x


def reflected_back(vectors, x):
    return reflected(vectors[::-1], x)


# MARK: HINT


def hint_params(channels, context, shared):
    cut = channels // 2
    params = under("net", mlp_params(cut + context, 2 * (channels - cut)))
    if channels > 4 and shared:
        params |= under("inner", hint_params(cut, context, True))
    elif channels > 4:
        params |= under("first", hint_params(cut, context, False))
        params |= under("second", hint_params(channels - cut, context, False))
    return params


def hint_level(params, x, context):
    cut = x.shape[-1] // 2
    a, b = x[..., :cut], x[..., cut:]
    raw = mlp(part(params, "net"), a, context)
    if x.shape[-1] <= 4:
        return jnp.concatenate([a, affine(b, raw)], axis=-1)
    shared = part(params, "inner")
    first, second = (shared, shared) if shared else (part(params, "first"), part(params, "second"))
    return jnp.concatenate(
        [hint_level(first, a, context), affine(hint_level(second, b, context), raw)], axis=-1)


def hint(permutation):
    def f(params, x, context):
        if permutation == "none":
            return hint_level(params, x, context)
        vectors = params["rotation/vectors"]
        if permutation == "lower":
            cut = x.shape[-1] // 2
            return hint_level(
                params, jnp.concatenate([x[..., :cut], reflected(vectors, x[..., cut:])], axis=-1), context)
        y = hint_level(params, reflected(vectors, x), context)
        return reflected_back(vectors, y) if permutation == "both" else y

    return f


def hint_case(channels, permutation, shared=True, context=0, positions=()):
    params = hint_params(channels, context, shared)
    if permutation != "none":
        width = channels - channels // 2 if permutation == "lower" else channels
        params["rotation/vectors"] = rng.normal(size=(3, width))
    x = rng.normal(size=(3, *positions, channels))
    c = rng.normal(size=(3, context)) if context else None
    return case("HINT", permutation if shared else f"{permutation}, apart", hint(permutation), params, x, c)


def joint(observed):
    def f(params, pair, context):
        y, x = pair[..., :observed], pair[..., observed:]
        z = hint("full")(part(params, "x"), x, context)
        return jnp.concatenate(
            [hint("full")(part(params, "y"), y, context), affine(z, mlp(part(params, "net"), y, context))], axis=-1)

    return f


def joint_case(observed, unknown, context=0):
    params = under("y", hint_params(observed, context, True) | {"rotation/vectors": rng.normal(size=(3, observed))})
    params |= under("x", hint_params(unknown, context, True) | {"rotation/vectors": rng.normal(size=(3, unknown))})
    params |= under("net", mlp_params(observed + context, 2 * unknown))
    x = rng.normal(size=(3, observed + unknown))
    c = rng.normal(size=(3, context)) if context else None
    return case("JointHINT", str(observed), joint(observed), params, x, c)


# MARK: convolutions, as sums over positions and taps


def taps(size):
    return [(i, j) for i in range(-(size // 2), size // 2 + 1) for j in range(-(size // 2), size // 2 + 1)]


def correlated(x, weights, size, periodic=False):
    """y[p] = sum over k of x[p + k] w[k], zeros around the image or the image again."""
    height, width, _ = x.shape
    y = []
    for p in range(height):
        for q in range(width):
            total = 0.0
            for (i, j), w in zip(taps(size), weights):
                r, s = p + i, q + j
                if periodic:
                    total = total + x[r % height, s % width] @ w
                elif 0 <= r < height and 0 <= s < width:
                    total = total + x[r, s] @ w
            y.append(total)
    return jnp.stack(y).reshape(height, width, -1)


def adjoint(y, weights, size):
    """x[p] = sum over k of y[p - k] w[k]^T."""
    return correlated(y, [w.T for w in weights][::-1], size)


def hyperbolic(step):
    def f(params, pair, context):
        half = pair.shape[-1] // 2
        before, x = pair[..., :half], pair[..., half:]
        weight = params["weight"]
        if x.ndim == 1:
            inside = x @ weight + params["bias"]
        else:
            size = weight.shape[0]
            weights = weight.reshape(size * size, half, -1)
            inside = correlated(x, weights, size) + params["bias"]
        if context is not None:
            inside = inside + context @ params["context"]
        h = jnp.maximum(inside, 0)
        pulled = h @ weight.T if x.ndim == 1 else adjoint(h, weights, size)
        return jnp.concatenate([x, 2 * x - before - step * pulled], axis=-1)

    return f


def hyperbolic_case(shape, window, context, step):
    half, hidden = shape[-1] // 2, 3
    params = {"weight": rng.normal(size=(*window, half, hidden)), "bias": rng.normal(size=hidden)}
    c = None
    if context:
        params["context"] = rng.normal(size=(context, hidden))
        c = rng.normal(size=(2, context))
    return case("Hyperbolic", str(step), hyperbolic(step), params, rng.normal(size=(2, *shape)), c)


def irim(params, x, context):
    vectors = params["rotation/vectors"]
    x = reflected(vectors, x)
    cut = x.shape[-1] // 2
    a, b = x[..., :cut], x[..., cut:]
    y = jnp.concatenate([a, b + mlp(part(params, "coupling/net"), a, context)], axis=-1)
    return reflected_back(vectors, y)


def irim_case(shape, context=0):
    cut = shape[-1] // 2
    params = {"rotation/vectors": rng.normal(size=(3, shape[-1]))}
    params |= under("coupling/net", mlp_params(cut + context, shape[-1] - cut))
    c = rng.normal(size=(3, context)) if context else None
    return case("IRIM", "", irim, params, rng.normal(size=(3, *shape)), c)


def misfit(params, x, data):
    a = params["operator"]
    n = a.shape[1]
    gradient = jax.grad(lambda estimate: 0.5 * jnp.sum((a @ estimate - data) ** 2))(x[:n])
    moved = x[n:2 * n] + gradient * jnp.exp(params["logScale"]) + params["bias"]
    return jnp.concatenate([x[:n], moved, x[2 * n:]])


def loop(params, x, data):
    for i in range(2):
        x = misfit(part(params, str(2 * i)), x, data)
        x = irim(part(params, str(2 * i + 1)), x, None)
    return x


def misfit_params(a):
    n = a.shape[1]
    return {"logScale": 0.3 * rng.normal(size=n), "bias": rng.normal(size=n), "operator": a}


def loop_case():
    a = np.array([[1.0, 2.0], [0.0, -1.0], [0.5, 3.0]])
    params = {}
    for i in range(2):
        params |= under(str(2 * i), misfit_params(a))
        params |= under(f"{2 * i + 1}/rotation", {"vectors": rng.normal(size=(3, 5))})
        params |= under(f"{2 * i + 1}/coupling/net", mlp_params(2, 3))
    return case("IRIMLoop", "", loop, params, rng.normal(size=(3, 5)), rng.normal(size=(3, 3)))


def masked(params, x, size):
    """Taps before the position itself, then its own: triangular in the channels."""
    channels = x.shape[-1]
    lower = np.zeros((channels, channels))
    lower[np.tril_indices(channels, -1)] = params["triangle"]
    own = lower.T + np.diag(np.exp(params["logScale"]))
    zeros = np.zeros((channels, channels))
    return correlated(x, [*params["taps"], own, *[zeros] * len(params["taps"])], size)


def emerging(size):
    def f(params, x, context):
        inside = masked(part(params, "back"), x, size)
        return masked(part(params, "ahead"), inside[::-1, ::-1], size)[::-1, ::-1]

    return f


def emerging_case(shape, size):
    def one():
        c = shape[-1]
        return {
            "taps": 0.3 * rng.normal(size=(size * size // 2, c, c)),
            "triangle": rng.normal(size=c * (c - 1) // 2), "logScale": 0.3 * rng.normal(size=c),
        }

    params = under("back", one()) | under("ahead", one())
    return case("EmergingConvolution", str(size), emerging(size), params, rng.normal(size=(2, *shape)))


def periodic_case(shape, size):
    c = shape[-1]
    weight = 0.2 * rng.normal(size=(size, size, c, c))
    weight[size // 2, size // 2] += np.eye(c)

    def f(params, x, context):
        return correlated(x, params["weight"].reshape(size * size, c, c), size, periodic=True)

    return case("PeriodicConvolution", str(size), f, {"weight": weight}, rng.normal(size=(2, *shape)))


# MARK: wavelets


def wavelet(name):
    """The filter, and one level of the periodized transform, aligned as low(i) = sum over k of h(k) x(2i + k)."""
    w = pywt.Wavelet(name)
    x = rng.normal(size=12)
    h, g = np.asarray(w.rec_lo), np.asarray(w.rec_hi)
    first = sum(h[k] * x[k % 12] for k in range(len(h)))
    # PyWavelets starts elsewhere on the circle, by an amount that depends on the filter's length.
    shift = min(range(12), key=lambda s: abs(pywt.dwt(np.roll(x, s), name, mode="periodization")[0][0] - first))
    low, high = pywt.dwt(np.roll(x, shift), name, mode="periodization")
    for i in range(6):
        assert abs(low[i] - sum(h[k] * x[(2 * i + k) % 12] for k in range(len(h)))) < 1e-9
        assert abs(high[i] - sum(g[k] * x[(2 * i + k) % 12] for k in range(len(h)))) < 1e-9
    return {"name": name, "filter": h.tolist(), "x": x.tolist(), "low": low.tolist(), "high": high.tolist()}


cases = [
    hint_case(2, "none"), hint_case(3, "none"), hint_case(8, "none"), hint_case(12, "none"), hint_case(16, "none"),
    hint_case(6, "lower", context=2), hint_case(8, "full"), hint_case(6, "both"),
    hint_case(8, "both", context=1), hint_case(7, "none", shared=False), hint_case(9, "full", shared=False),
    hint_case(6, "full", positions=(2, 1)),
    joint_case(3, 2), joint_case(6, 4, context=2),
    hyperbolic_case((6,), (), 0, 1.0), hyperbolic_case((4,), (), 3, 0.5),
    hyperbolic_case((3, 4, 2), (3, 3), 0, 1.0), hyperbolic_case((2, 3, 4), (3, 3), 2, 0.5),
    irim_case((4,)), irim_case((5,), context=2), irim_case((2, 3, 4)), loop_case(),
    emerging_case((3, 4, 2), 3), emerging_case((3, 3, 3), 3), emerging_case((3, 2, 1), 5),
    emerging_case((2, 1, 3), 1),
    periodic_case((3, 4, 2), 3), periodic_case((4, 3, 1), 3), periodic_case((1, 2, 2), 3),
    periodic_case((5, 5, 2), 5),
]
fixture = {"cases": cases, "wavelets": [wavelet(name) for name in ["db1", "db2", "db3", "db4", "coif1"]]}
path = pathlib.Path("Tests/BijectionsTests/Fixtures/images.json")
path.write_text(json.dumps(fixture) + "\n")
