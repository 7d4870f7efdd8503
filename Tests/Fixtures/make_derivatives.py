"""Writes derivatives of elementwise functions, for Tests/TensorsTests/DerivativeTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install mpmath==1.4.1
    /tmp/venv/bin/python Tests/Fixtures/make_derivatives.py

run from the repository root, writes Tests/TensorsTests/Fixtures/derivatives.json. Made with mpmath 1.4.1.

A case has a function, points x, and for each order 0 to 3 the derivative at each point with its condition number
|x f^(n+1)(x) / f^(n)(x)|. They are differences of the definitions in 900 digits, so that no formula of the library is used
and nothing cancels, rounded to double. Derivatives below the smallest normal double or beyond the largest are null.
"""

import json
import pathlib

import mpmath as mp

assert mp.__version__ == "1.4.1"
mp.mp.dps = 900

TINY = [1e-300, 1e-20, 1e-8, 1e-3]
ORDINARY = [0.1, 0.45, 0.55, 0.9, 1.3, 1.4, 1.9, 2.1, 3.3, 5.0, 7.7, 10.0]
TAILS = [17.0, 18.5, 20.0, 30.0, 35.0, 37.5, 40.0, 88.0, 150.0, 300.0, 350.0]
FAR = [500.0, 700.0]


def both(*lists):
    points = [x for points in lists for x in points]
    return sorted([-x for x in points] + points)


REALS = both(TINY, ORDINARY, TAILS, FAR)
ABOVE = [-1 + 2.0**-k for k in (1, 2, 5, 20, 50)] + [-x for x in TINY] + TINY + ORDINARY + TAILS + [1e10, 1e70, 1e100, 1e200]
POSITIVE = [1e-200, 1e-70] + TINY[1:] + ORDINARY + TAILS + [1e10, 1e70, 1e100, 1e200]
SIGMOID = lambda x: 1 / (1 + mp.exp(-x))
FUNCTIONS = {
    "sigmoid": (SIGMOID, REALS),
    "tanh": (mp.tanh, both(TINY, ORDINARY, TAILS)),
    "softplus": (lambda x: mp.log(1 + mp.exp(x)), REALS),
    "logSigmoid": (lambda x: mp.log(SIGMOID(x)), REALS),
    "exp": (mp.exp, REALS),
    "expm1": (lambda x: mp.exp(x) - 1, REALS),
    "log": (mp.log, POSITIVE),
    "log1p": (lambda x: mp.log(1 + x), ABOVE),
    "sqrt": (mp.sqrt, POSITIVE),
    "reciprocal": (lambda x: 1 / x, POSITIVE),
    "atan": (mp.atan, both(TINY, ORDINARY, TAILS, [1e10, 1e70, 1e100, 1e150])),
    "erf": (mp.erf, both(TINY, ORDINARY, [17.0, 20.0, 26.0])),
    "sin": (mp.sin, both(TINY, ORDINARY, TAILS)),
    "cos": (mp.cos, both(TINY, ORDINARY, TAILS)),
}
SMALLEST, LARGEST = mp.mpf(2) ** -1022, mp.mpf(2) ** 1023 * (2 - mp.mpf(2) ** -52)


def derivative(f, x, order):
    """f^(n)(x) from a difference. Its step is 160 digits below x, and mpmath adds the digits that it loses."""
    return mp.diff(f, x, order, h=(abs(x) if abs(x) < 1 else 1) * mp.mpf(10) ** -160)


def rounded(y):
    return float(y) if y == 0 or SMALLEST <= abs(y) <= LARGEST else None


cases = []
for name, (f, points) in FUNCTIONS.items():
    table = [[derivative(f, mp.mpf(x), n) for n in range(5)] for x in points]
    near = lambda y: y if abs(y) > mp.mpf(10) ** -400 else mp.mpf(0)
    orders = [
        {
            "values": [rounded(near(row[n])) for row in table],
            "conditions": [float(min(abs(x * row[n + 1] / row[n]), 1e30)) if near(row[n]) != 0 else 0
                           for x, row in zip(points, table)],
        }
        for n in range(4)
    ]
    cases.append({"name": name, "x": points, "orders": orders})

path = pathlib.Path("Tests/TensorsTests/Fixtures/derivatives.json")
path.parent.mkdir(exist_ok=True)
path.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
