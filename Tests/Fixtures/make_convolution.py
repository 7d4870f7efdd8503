"""Writes what JAX and SciPy give for convolutions, for Tests/NetworksTests/ConvolutionReferenceTests.swift.

    /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt && /tmp/venv/bin/python Tests/Fixtures/make_convolution.py

run from the repository root, writes Tests/NetworksTests/Fixtures/convolution.json. Made with jax 0.10.2, numpy 2.4.6 and scipy
1.17.1 (requirements.txt), in float64. jax.lax.conv_general_dilated in the layout NHWC-HWIO, and its vector-Jacobian products
by x and w for the cotangent g; the stride-1 cases are checked against scipy.signal.correlate as well. Numbers are rounded
to 14 digits.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import scipy
import scipy.signal

assert (np.__version__, scipy.__version__, jax.__version__) == ("2.4.6", "1.17.1", "0.10.2")
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(11)
LAYOUT = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": [float(f"{v:.14g}") for v in values.ravel()]}


def case(shape, window, outputs, strides, padding):
    x = rng.normal(size=shape).round(3)
    w = rng.normal(size=(*window, shape[-1], outputs)).round(3)
    rank = len(window)
    pads = [(p, p) for p in padding] if isinstance(padding, list) else padding

    def f(x, w):
        return jax.lax.conv_general_dilated(x, w, strides, pads, dimension_numbers=LAYOUT[rank])

    y, pullback = jax.vjp(f, jnp.asarray(x), jnp.asarray(w))
    g = rng.normal(size=y.shape).round(3)
    gx, gw = pullback(jnp.asarray(g))
    if strides == [1] * rank and padding == "VALID":
        for n in range(shape[0]):
            for o in range(outputs):
                total = sum(scipy.signal.correlate(x[n, ..., i], w[..., i, o], "valid") for i in range(shape[-1]))
                np.testing.assert_allclose(total, y[n, ..., o], rtol=1e-12, atol=1e-12)
    return {
        "strides": strides,
        "padding": padding if isinstance(padding, list) else [],
        "isSame": padding == "SAME",
        "x": array(x), "w": array(w), "y": array(y), "g": array(g), "gx": array(gx), "gw": array(gw),
    }


cases = [
    case((2, 5, 4, 3), [3, 3], 2, [1, 1], "SAME"),
    case((2, 5, 4, 2), [3, 3], 5, [1, 1], "SAME"),
    case((1, 6, 5, 4), [2, 3], 1, [1, 1], "VALID"),
    case((2, 7, 6, 2), [3, 3], 2, [2, 2], "SAME"),
    case((2, 6, 6, 2), [4, 4], 3, [2, 2], [1, 1]),
    case((2, 3, 3, 4), [1, 1], 3, [1, 1], "SAME"),
    case((3, 9, 2), [4], 3, [1], "VALID"),
    case((1, 9, 2), [4], 3, [3], "SAME"),
    case((1, 3, 4, 3, 2), [2, 3, 2], 2, [1, 1, 1], "VALID"),
    case((1, 4, 3, 3, 1), [3, 2, 3], 2, [2, 1, 2], "SAME"),
]
path = pathlib.Path("Tests/NetworksTests/Fixtures/convolution.json")
path.write_text(json.dumps(cases) + "\n")
