"""Writes values and log-derivatives of the elementwise bijections, for Tests/BijectionsTests/ElementwiseTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_elementwise.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/elementwise.json. Made with mpmath 1.4.1, distrax 0.1.9,
jax 0.10.2, scipy 1.17.1, numpy 2.4.6 (requirements.txt).

Every number is computed with mpmath in 120 digits from the definition of the map and its derivative, so that nothing
saturates, and rounded to double. Where distrax or scipy has the map, the script asserts that they agree with it to 1e-12 at
|x| <= 15 (beyond, they are what is questioned).

`maps`: at x the value y and logSlope = log|dy/dx|. `inverses`: at y the value x and logSlope = log|dx/dy|, where y is next to
the end of the domain in `dtype`.
"""

import json
import pathlib

import distrax
import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import scipy
import scipy.special
import scipy.stats

assert (mp.__version__, distrax.__version__, scipy.__version__) == ("1.4.1", "0.1.9", "1.17.1")
jax.config.update("jax_enable_x64", True)
mp.mp.dps = 120

REALS = [-100.0, -50.0, -18.0, -17.0, -5.0, -1.0, -0.25, -1e-5, 0.0, 1e-5, 0.5, 1.0, 3.0, 17.0, 18.0, 50.0, 100.0]
POSITIVE = [1e-30, 1e-6, 0.01, 0.5, 1.0, 2.0, 18.0, 100.0]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def boxcox(x, l):
    return mp.log(x) if l == 0 else (x**l - 1) / l


def yeojohnson(x, l):
    return boxcox(1 + x, l) if x >= 0 else -boxcox(1 - x, 2 - l)


def via(bijector):
    return lambda x: np.asarray(bijector.forward_and_log_det(jnp.asarray(x, jnp.float64)))


# name, parameter, f, f' and an independent implementation of (y, log|y'|) or of y alone.
MAPS = [
    ("Sigmoid", None, sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), via(distrax.Sigmoid())),
    ("Tanh", None, mp.tanh, lambda x: 1 - mp.tanh(x) ** 2, via(distrax.Tanh())),
    ("Softplus", None, lambda x: mp.log(1 + mp.exp(x)), sigmoid, lambda x: (np.logaddexp(0, x), scipy.special.log_expit(x))),
    ("Exp", None, mp.exp, mp.exp, via(distrax.Lambda(jnp.exp))),
]
for slope in (0.01, 0.3, 2.0):
    MAPS.append((
        "LeakyReLU", slope, lambda x, s=slope: x if x >= 0 else s * x, lambda x, s=slope: mp.mpf(1) if x >= 0 else mp.mpf(s),
        lambda x, s=slope: (jax.nn.leaky_relu(jnp.asarray(x, jnp.float64), s),),
    ))
for p in (3.0, 0.5, -1.5):
    MAPS.append(("Power", p, lambda x, p=p: x**p, lambda x, p=p: abs(p) * x ** (p - 1), lambda x, p=p: (np.power(x, p),)))
for l in (0.0, 0.5, 1.0, 2.0, -1.0, 1e-9):
    MAPS.append(("BoxCox", l, lambda x, l=l: boxcox(x, l), lambda x, l=l: x ** (l - 1), lambda x, l=l: (scipy.special.boxcox(x, l),)))
for l in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0):
    MAPS.append((
        "YeoJohnson", l, lambda x, l=l: yeojohnson(x, l), lambda x, l=l: (1 + abs(x)) ** (mp.sign(x) * (l - 1)),
        lambda x, l=l: (scipy.stats.yeojohnson(np.asarray(x), l),),
    ))


def forward(name, parameter, f, slope, independent):
    points = POSITIVE if name in ("Power", "BoxCox") else REALS
    ys = [f(mp.mpf(x)) for x in points]
    slopes = [mp.log(slope(mp.mpf(x))) for x in points]
    keep = [i for i, x in enumerate(points) if 1e-6 <= abs(x) <= 15 or x == 0]
    for exact, other in zip((ys, slopes), independent([points[i] for i in keep])):
        exact = np.array([float(exact[i]) for i in keep])
        error = np.abs(np.asarray(other, float).ravel() - exact) / np.maximum(1, np.abs(exact))
        assert error.max() < 1e-12, (name, parameter, error.max())
    return {"name": name, "parameter": parameter, "x": points, "y": [float(y) for y in ys], "logSlope": [float(s) for s in slopes]}


def inverse(name, f, slope, ys, dtype):
    points = [mp.mpf(float(y)) for y in ys]
    return {
        "name": name, "dtype": dtype, "y": [float(y) for y in points], "x": [float(f(y)) for y in points],
        "logSlope": [float(mp.log(slope(y))) for y in points],
    }


def inverses():
    for dtype, eps in (("float32", 2.0**-24), ("float64", 2.0**-53)):
        small = [1e-37, 1e-20, 1e-6, 0.3]
        # Neighbours of the ends, as the dtype holds them.
        small = [float(np.float32(y)) for y in small] if dtype == "float32" else small
        yield inverse("Sigmoid", lambda y: mp.log(y / (1 - y)), lambda y: 1 / (y * (1 - y)), small + [1 - 1024 * eps, 1 - eps], dtype)
        yield inverse(
            "Tanh", mp.atanh, lambda y: 1 / (1 - y**2), [-1 + eps, -1 + 1024 * eps] + small + [1 - 1024 * eps, 1 - eps], dtype)
        yield inverse(
            "Softplus", lambda y: mp.log(mp.expm1(y)), lambda y: 1 / (1 - mp.exp(-y)), small + [1.0, 18.0, 100.0, 1e6], dtype)
        yield inverse("Exp", mp.log, lambda y: 1 / y, small + [18.0, 2.0**100], dtype)


def main():
    document = {"maps": [forward(*row) for row in MAPS], "inverses": list(inverses())}
    path = pathlib.Path(__file__).parents[1] / "BijectionsTests" / "Fixtures" / "elementwise.json"
    sections = []
    for name, rows in document.items():
        lines = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
        sections.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
