"""Writes values of mixtures of sigmoids far out, for Tests/BijectionsTests/FarOutTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install mpmath==1.4.1
    /tmp/venv/bin/python Tests/Fixtures/make_mixtures.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/mixtures.json. Made with mpmath 1.4.1.

Huang et al. 2018 (arXiv 1804.00779, eq. 8) and Ho et al. 2019 (arXiv 1902.00275, section 3.2) in plain formulas, in 60
digits. All sums are of positive terms, and exponents have no limit. The settings are the library's: a rate of 0.001 + softplus, and bounded log-scales. Raw numbers and
x are single-precision numbers, so both dtypes compute the same function.
"""

import json
import pathlib
import random
import struct

import mpmath as mp

assert mp.__version__ == "1.4.1"
mp.mp.dps = 60
random.seed(3)
UNITS = 4


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def softmax(raw):
    powers = [mp.exp(r) for r in raw]
    return [p / sum(powers) for p in powers]


def softplus(x):
    return mp.log(1 + mp.exp(x))


def spaced(i):
    return mp.mpf(2 * i) / (UNITS - 1) - 1


def logit_of_mixture(x, weights, rates, shifts):
    """logit(F) and the logarithm of its derivative, for F = Σ w σ(z)."""
    sigmoids = [(1 / (1 + mp.exp(-a * x - b)), 1 / (1 + mp.exp(a * x + b))) for a, b in zip(rates, shifts)]
    below = sum(w * s for w, (s, _) in zip(weights, sigmoids))
    above = sum(w * t for w, (_, t) in zip(weights, sigmoids))
    slope = sum(w * a * s * t for w, a, (s, t) in zip(weights, rates, sigmoids)) / (below * above)
    return mp.log(below) - mp.log(above), mp.log(slope)


def deep_sigmoidal(x, raw, layers):
    offset = mp.log(mp.exp(1 - mp.mpf("0.001")) - 1)
    total = mp.mpf(0)
    for layer in range(layers):
        w, a, b = (raw[3 * UNITS * layer + UNITS * k :][:UNITS] for k in range(3))
        rates = [mp.mpf("0.001") + softplus(r + offset) for r in a]
        x, slope = logit_of_mixture(x, softmax(w), rates, [r + spaced(i) for i, r in enumerate(b)])
        total += slope
    return x, total


def mixture_of_logistics(x, raw, _):
    w, m, s = (raw[UNITS * k :][:UNITS] for k in range(3))
    rates = [mp.exp(-5 * mp.tanh(mp.mpf(r) / 5)) for r in s]
    shifts = [-(r + spaced(i)) * a for i, (r, a) in enumerate(zip(m, rates))]
    z, slope = logit_of_mixture(x, softmax(w), rates, shifts)
    scale = 2 * mp.tanh(mp.mpf(raw[3 * UNITS]) / 2)
    return z * mp.exp(scale) + raw[3 * UNITS + 1], slope + scale


MAPS = [("DeepSigmoidal", deep_sigmoidal, 1, 3 * UNITS), ("DeepSigmoidal", deep_sigmoidal, 2, 6 * UNITS),
        ("MixtureOfLogistics", mixture_of_logistics, 1, 3 * UNITS + 2)]
X = [sign * 10.0**k for k in range(9) for sign in (1, -1)]

cases = []
for name, f, layers, count in MAPS:
    for size in (0, 0.3, 1, 3):
        raw = [single(size * random.gauss(0, 1)) for _ in range(count)]
        rows = [f(mp.mpf(x), raw, layers) for x in X]
        cases.append({"name": name, "units": UNITS, "layers": layers, "raw": raw, "x": X,
                      "y": [float(y) for y, _ in rows], "logSlope": [float(s) for _, s in rows]})

path = pathlib.Path("Tests/BijectionsTests/Fixtures/mixtures.json")
path.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
