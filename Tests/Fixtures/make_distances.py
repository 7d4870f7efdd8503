"""Writes distances between weighted samples, for Tests/InferenceTests/DistanceTests.swift.

    python Tests/Fixtures/make_distances.py   # in the repository's root

scipy 1.17.1 and numpy 2.4.6 (requirements.txt), in float64. SciPy's energy distance is the square root of the one here.
The energy distance of several columns is summed over all pairs; they are divided by the data's standard deviations.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.stats import energy_distance, wasserstein_distance

assert scipy.__version__ == "1.17.1"
rng = np.random.default_rng(20261128)


def line(count, others, ties):
    x, y = rng.normal(size=count), rng.normal(0.3, 1.4, size=others)
    if ties:
        x, y = np.round(x), np.round(y)
    w = rng.gamma(0.7, size=count)
    return {
        "values": x.tolist(), "weights": w.tolist(), "data": y.tolist(),
        "wasserstein": wasserstein_distance(x, y, w), "energy": energy_distance(x, y, w) ** 2,
    }


def pairs(count, others, size):
    x, y = rng.normal(size=(count, size)) * 2, rng.normal(0.5, 2, size=(others, size))
    w = rng.gamma(0.7, size=count)
    w, s = w / w.sum(), y.std(axis=0)

    def mean(a, b, u, v):
        return u @ np.linalg.norm((a[:, None] - b[None]) / s, axis=-1) @ v

    v = np.full(others, 1 / others)
    return {
        "values": x.ravel().tolist(), "weights": w.tolist(), "data": y.ravel().tolist(), "columns": size,
        "energy": 2 * mean(x, y, w, v) - mean(x, x, w, w) - mean(y, y, v, v),
    }


content = {
    "lines": [line(30, 40, False), line(40, 25, True), line(5, 1, False)],
    "spaces": [pairs(40, 30, 2), pairs(30, 40, 3), pairs(25, 25, 4)],
}
path = pathlib.Path("Tests/InferenceTests/Fixtures/distances.json")
path.write_text(json.dumps(content) + "\n")
print(path, path.stat().st_size)
