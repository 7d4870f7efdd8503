"""The data sets of the comparison, and their splits.

    python -m quality.sets FOLDER [--data DATA]

writes FOLDER/SET/SPLIT/train.npy and test.npy, float64 rows, and FOLDER/SET/about.json. The columns are
standardized by the training rows; `offset` in about.json, one a split, turns a loss of standardized rows into the loss in
the table's units: the rows' own for the drawn sets and the digits, standardized for the others. DATA holds digits.csv, breast_cancer.csv, wine.csv and diamonds.csv (see the README).
"""

import argparse
import json
import pathlib

import numpy as np
from scipy.special import logsumexp

SPLITS = 5
TEST_SHARE = 0.2


def two_bumps(rng, count):
    """Two normal bumps in one column."""
    return np.where(rng.random(count) < 0.5, -3.0, 3.0)[:, None] + 0.754 * rng.standard_normal((count, 1))


def two_bumps_density(x):
    terms = [-0.5 * ((x[:, 0] - m) / 0.754) ** 2 - np.log(0.754) - 0.5 * np.log(2 * np.pi) for m in (-3, 3)]
    return logsumexp(terms, axis=0) - np.log(2)


def ring(rng, count):
    """A ring of radius 2 whose radius has a normal spread of 0.2236."""
    angle, radius = 2 * np.pi * rng.random(count), np.abs(2 + 0.2236 * rng.standard_normal(count))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def ring_density(x):
    radius = np.hypot(x[:, 0], x[:, 1])
    normal = -0.5 * ((radius - 2) / 0.2236) ** 2 - np.log(0.2236) - 0.5 * np.log(2 * np.pi)
    return normal - np.log(2 * np.pi * radius)


def moons(rng, count):
    """Two half circles of radius 1 with normal noise of 0.1."""
    angle, upper = np.pi * rng.random(count), rng.random(count) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + 0.1 * rng.standard_normal((count, 2))


class Mixture:
    """A mixture of eight normal distributions in 20 dimensions, the same in every split."""

    def __init__(self, size=20, parts=8):
        rng = np.random.default_rng(7)
        self.weights = rng.dirichlet(np.full(parts, 3.0))
        self.means = 2 * rng.standard_normal((parts, size))
        self.factors = [
            np.tril(0.4 * rng.standard_normal((size, size)), -1) / np.sqrt(size) * 2
            + np.diag(np.exp(0.4 * rng.standard_normal(size)))
            for _ in range(parts)
        ]

    def draw(self, rng, count):
        part = rng.choice(len(self.weights), size=count, p=self.weights)
        noise = rng.standard_normal((count, self.means.shape[1]))
        return np.stack([self.means[k] + self.factors[k] @ e for k, e in zip(part, noise)])

    def density(self, x):
        terms = []
        for weight, mean, factor in zip(self.weights, self.means, self.factors):
            z = np.linalg.solve(factor, (x - mean).T)
            terms.append(
                np.log(weight)
                - 0.5 * (z**2).sum(0)
                - np.log(np.diag(factor)).sum()
                - 0.5 * x.shape[1] * np.log(2 * np.pi)
            )
        return logsumexp(terms, axis=0)


mixture = Mixture()

# name: (draw, density or None, rows to fit, rows to test)
DRAWN = {
    "two-bumps": (two_bumps, two_bumps_density, 5_000, 20_000),
    "ring": (ring, ring_density, 5_000, 20_000),
    "moons": (moons, None, 2_000, 20_000),
    "mixture-20d": (mixture.draw, mixture.density, 5_000, 10_000),
}


def digits(rng, data):
    """The logits of dequantized grey levels, (pixel + u) / 17 squeezed into (0.05, 0.95)."""
    pixels = np.loadtxt(data / "digits.csv", delimiter=",", skiprows=1, usecols=range(64))
    v = 0.05 + 0.9 * (pixels + rng.random(pixels.shape)) / 17
    return np.log(v) - np.log1p(-v)


def breast_cancer(rng, data):
    return np.loadtxt(data / "breast_cancer.csv", delimiter=",", skiprows=1)[:, :30]


def wine(rng, data):
    return np.loadtxt(data / "wine.csv", delimiter=",", skiprows=1)


def diamonds(rng, data):
    """12,500 rows of the seven continuous columns, dequantized by their decimals."""
    header = (data / "diamonds.csv").read_text().split("\n", 1)[0].replace('"', "").split(",")
    steps = {"carat": 0.01, "depth": 0.1, "table": 1.0, "price": 1.0, "x": 0.01, "y": 0.01, "z": 0.01}
    columns = [header.index(name) for name in steps]
    rows = np.loadtxt(data / "diamonds.csv", delimiter=",", skiprows=1, usecols=columns)
    rows = rows[rng.permutation(len(rows))[:12_500]]
    return rows + np.array(list(steps.values())) * (rng.random(rows.shape) - 0.5)


TABLES = {"digits": digits, "breast-cancer": breast_cancer, "wine": wine, "diamonds": diamonds}
NAMES = [*DRAWN, *TABLES]


def split(name, index, data):
    """The rows to fit, the rows to test, the offset of the loss, and the true loss of the test rows if it is known."""
    rng = np.random.default_rng([NAMES.index(name), index])
    truth = None
    if name in DRAWN:
        draw, density, fitted, tested = DRAWN[name]
        train, test = draw(rng, fitted), draw(rng, tested)
        truth = None if density is None else -float(density(test).mean())
    else:
        rows = TABLES[name](rng, data)
        order = rng.permutation(len(rows))
        held = round(TEST_SHARE * len(rows))
        train, test = rows[order[held:]], rows[order[:held]]
    mean, deviation = train.mean(0), train.std(0)
    offset = float(np.log(deviation).sum()) if name in DRAWN or name == "digits" else 0.0
    return (train - mean) / deviation, (test - mean) / deviation, offset, truth


def write(folder, data):
    for name in NAMES:
        about = {"offset": [], "truth": []}
        for index in range(SPLITS):
            train, test, offset, truth = split(name, index, data)
            place = folder / name / str(index)
            place.mkdir(parents=True, exist_ok=True)
            np.save(place / "train.npy", train)
            np.save(place / "test.npy", test)
            about["offset"].append(offset)
            about["truth"].append(truth)
        (folder / name / "about.json").write_text(json.dumps(about))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.data)
