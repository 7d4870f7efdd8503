"""Writes log-densities, probabilities and constants of scipy's distributions, for Tests/DistributionsTests/DistributionScipyTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_distributions.py

run from the repository root, writes Tests/DistributionsTests/Fixtures/distributions.json. Made with scipy 1.17.1 and numpy 2.4.6
(requirements.txt), in float64.

A case has a name, which the Swift table repeats, rows `x` with `logPDF`, and `projections`: directions a, thresholds t and the
probability that a · x <= t, against which the frequency of draws is held. Densities of tables with several numbers a row
are sums over independent numbers, but for the full-covariance ones. -inf is written as null. The Gaussian mixture's
density is logsumexp(log w + scipy.stats.multivariate_normal.logpdf), what scikit-learn's score_samples computes, which is
what the tests of jax-flows compare with.
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.special as special
import scipy.stats as stats

assert scipy.__version__ == "1.17.1" and np.__version__ == "2.4.6"

QUANTILES = [0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999]
POINTS = [-100.0, -7.5, -1.0, -0.3, 0.0, 1e-9, 0.5, 1.0, 2.25, 30.0, 100.0]


def univariate(name, frozen, points=POINTS):
    """Independent numbers, one frozen scipy distribution each."""
    x = np.array([[p + 0.25 * j for j in range(len(frozen))] for p in points])
    with np.errstate(divide="ignore"):
        log_pdf = sum(d.logpdf(x[:, j]) for j, d in enumerate(frozen))
    axes = np.eye(len(frozen))
    projections = [
        (axes[j], float(d.ppf(p)), p) for j, d in enumerate(frozen) for p in QUANTILES
    ]
    return case(name, x, log_pdf, projections)


def case(name, x, log_pdf, projections):
    return {
        "name": name,
        "x": np.asarray(x).tolist(),
        "logPDF": [None if v == -np.inf else float(v) for v in log_pdf],
        "projections": [
            {"direction": [float(v) for v in a], "threshold": float(t), "probability": float(p)}
            for a, t, p in projections
        ],
    }


def gaussians(name, means, covariances, weights):
    """A mixture of normal distributions with full covariances; its projections are mixtures of normal numbers."""
    means, covariances, weights = map(np.array, (means, covariances, weights))
    size = means.shape[1]
    grid = np.array([-9.0, -2.0, -0.5, 0.0, 1.5, 4.0, 25.0])
    x = np.array([[g + (0.75 * j if i % 2 else -0.5 * j) for j in range(size)] for i, g in enumerate(grid)])
    terms = [stats.multivariate_normal(m, c).logpdf(x) for m, c in zip(means, covariances)]
    log_pdf = special.logsumexp(np.log(weights)[:, None] + np.reshape(terms, (len(weights), -1)), axis=0)
    projections = []
    for a in [*np.eye(size), np.ones(size), np.array([1.0, -2.0, 0.5])[:size]]:
        centres, deviations = means @ a, np.sqrt(np.einsum("i,kij,j->k", a, covariances, a))
        for t in np.quantile(centres, [0, 0.5, 1]).tolist() + [centres[0] + deviations[0], centres[-1] - deviations[-1]]:
            p = float(weights @ stats.norm.cdf((t - centres) / deviations))
            if 0.0005 < p < 0.9995:
                projections.append((a, t, p))
    return case(name, x, log_pdf, projections)


def von_mises(name, locations, concentrations):
    frozen = [stats.vonmises(k, loc=m) for m, k in zip(locations, concentrations)]
    x = np.array([[p + 0.25 * j for j in range(len(frozen))] for p in [-3.1, -1.0, -0.01, 0.0, 0.5, 2.0, 3.1, 40.0]])
    # scipy's own log-density is a logarithm of an underflowing density for large k.
    log_pdf = sum(
        -2 * k * np.sin((x[:, j] - m) / 2) ** 2 - np.log(2 * np.pi * special.ive(0, k))
        for j, (m, k) in enumerate(zip(locations, concentrations))
    )
    projections = []
    for j, (m, k) in enumerate(zip(locations, concentrations)):
        width = min(1.0, 1 / np.sqrt(k))
        for t in [m - width, m, m + 0.5 * width]:
            # Draws lie in [-pi, pi): the mass of (-pi, t], by scipy's distribution function, which runs on over the turns.
            p = float(frozen[j].cdf(t) - frozen[j].cdf(-np.pi))
            projections.append((np.eye(len(frozen))[j], t, p))
    return case(name, x, log_pdf, projections)


def simplex(name, concentration):
    """Projections are marginal shares, beta numbers."""
    a = np.array(concentration)
    x = np.array([[0.2, 0.3, 0.5], [0.01, 0.9, 0.09], [1e-6, 0.5, 0.5 - 1e-6], [0.6, 0.2, 0.2], [0.5, 0.5, 0.5], [1.2, -0.1, -0.1]])
    inside = [v.min() > 0 and abs(v.sum() - 1) < 1e-9 for v in x]
    log_pdf = [stats.dirichlet(a).logpdf(v) if ok else -np.inf for v, ok in zip(x, inside)]
    projections = [
        (np.eye(3)[j], float(stats.beta(a[j], a.sum() - a[j]).ppf(p)), p) for j in range(3) for p in QUANTILES]
    return case(name, x, log_pdf, projections)


def von_mises_fisher(name, direction, concentration):
    """The height along the direction has the density k exp(k w) / (2 sinh k)."""
    mean, k = np.array(direction) / np.linalg.norm(direction), concentration
    x = np.array([mean, -mean, [0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [-0.48, 0.6, 0.64], [1.0, 1.0, 0.0]])
    on_sphere = np.abs(np.linalg.norm(x, axis=1) - 1) < 1e-9
    log_pdf = [stats.vonmises_fisher(mean, k).logpdf(v) if ok else -np.inf for v, ok in zip(x, on_sphere)]
    heights = [(mean, float(1 + np.log(p + (1 - p) * np.exp(-2 * k)) / k), p) for p in QUANTILES]
    across = np.cross(mean, [0.0, 0.0, 1.0])
    return case(name, x, log_pdf, heights + [(across, 0.0, 0.5)])


def uniform_sphere(name):
    x = np.array([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [0.5, 0.5, 0.5]])
    return case(name, x, [-np.log(4 * np.pi)] * 2 + [-np.inf], [(a, 2 * p - 1, p) for a in np.eye(3) for p in QUANTILES])


def product():
    parts = [stats.norm(1, 2), stats.laplace(-1, 0.5), stats.uniform(-2, 5)]
    return univariate("Product", parts, points=[-1.75, -1.0, 0.0, 0.6, 1.5, 2.0, 2.5, 2.75, 50.0])


places = [(0.0, 1.0), (1.5, 2.0), (-4.0, 0.01)]


def family(name, make, points=POINTS):
    return [
        univariate(f"{name}, standard", [make(0, 1)] * 3, points),
        univariate(f"{name}, fixed", [make(m, s) for m, s in places], points),
    ]


cases = [
    *family("Normal", stats.norm),
    *family("Laplace", stats.laplace),
    *family("Logistic", stats.logistic),
    # Far below the location the density overflows, and earlier in float32.
    *family("Gumbel", stats.gumbel_r, [-4.5, -4.4, -3.0, -1.0, -0.3, 0.0, 1e-9, 0.5, 2.25, 30.0, 100.0]),
    *family("Cauchy", stats.cauchy),
    *family("StudentT 3", lambda m, s: stats.t(3, m, s)),
    *family("StudentT 0.5", lambda m, s: stats.t(0.5, m, s)),
    *family("StudentT 1000000", lambda m, s: stats.t(1e6, m, s)),
    univariate("Uniform, standard", [stats.uniform()] * 2, points=[-0.5, 0.0, 0.3, 0.75, 1.0, 1.5]),
    univariate("Uniform, fixed", [stats.uniform(-2, 5), stats.uniform(0, 3)], points=[-2.5, -2.0, -0.25, 0.1, 2.75, 3.0]),
    von_mises("VonMises", [0.0, 0.5, -1.0], [0.01, 2.0, 39.0]),
    von_mises("VonMises, concentrated", [0.0, 0.25], [41.0, 10000.0]),
    gaussians("MultivariateNormal", [[1.0, -2.0, 0.5]], [[[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]]], [1.0]),
    gaussians("MultivariateNormal, one number", [[1.5]], [[[4.0]]], [1.0]),
    gaussians(
        "GaussianMixture",
        [[-3.0, 0.0], [2.0, 2.0], [0.0, -4.0]],
        [[[1.0, 0.3], [0.3, 0.5]], [[0.25, 0.0], [0.0, 0.25]], [[2.0, -0.9], [-0.9, 1.0]]],
        [0.8, 0.15, 0.05],
    ),
    product(),
    univariate(
        "Exponential", [stats.expon(scale=1 / r) for r in (0.5, 1.0, 30.0)],
        points=[-1.0, 0.0, 1e-6, 0.1, 0.5, 1.0, 2.25, 30.0]),
    univariate(
        "LogNormal", [stats.lognorm(s, scale=np.exp(m)) for m, s in places],
        points=[-1.0, 1e-6, 0.018, 0.1, 0.5, 1.0, 2.25, 30.0]),
    univariate(
        "Gamma", [stats.gamma(a, scale=1 / r) for a, r in [(0.3, 0.5), (1.0, 1.0), (7.5, 3.0)]],
        points=[-1.0, 1e-6, 0.1, 0.5, 1.0, 2.25, 30.0]),
    univariate(
        "Beta", [stats.beta(a, b) for a, b in [(0.5, 3.0), (2.0, 4.5), (1.0, 1.0)]],
        points=[-0.7, 1e-6, 0.05, 0.2, 0.4, 0.45, 0.9]),
    simplex("Dirichlet", [0.6, 2.0, 5.0]),
    von_mises_fisher("VonMisesFisher", [1.0, -2.0, 2.0], 4.0),
    uniform_sphere("UniformSphere"),
]

bessel = [float(k) for k in (0, 1e-12, 1e-6, 0.01, 0.5, 1, 3.75, 10, 25, 39.99, 40, 40.01, 60, 1e3, 1e6, 1e8)]
halves = [1e-8, 0.01, 0.25, 0.5, 1, 2.5, 7, 15.9, 16, 30, 1e3, 5e5]
output = {
    "about": {"script": "Tests/Fixtures/make_distributions.py", "scipy": scipy.__version__, "numpy": np.__version__},
    "cases": cases,
    "bessel": [
        {"x": k, "logScaledI0": float(np.log(special.ive(0, k))), "derivative": float(special.ive(1, k) / special.ive(0, k) - 1)}
        for k in bessel
    ],
    "logGamma": [
        {"x": x, "value": float(special.gammaln(x)), "derivative": float(special.digamma(x)), "second": float(special.polygamma(1, x))}
        for x in [1e-6, 0.01, 0.5, 1.0, 1.4616, 2.0, 3.7, 8.0, 25.0, 1e3, 1e6]
    ],
    # log Gamma(x + 1/2) - log Gamma(x), without the cancellation of two calls of gammaln where x is large.
    "gamma": [
        {"x": x, "logRatio": float(np.log(special.poch(x, 0.5)) if x < 1e3 else 0.5 * np.log(x) - 1 / (8 * x) + 1 / (192 * x**3))}
        for x in halves
    ],
}

path = pathlib.Path("Tests/DistributionsTests/Fixtures/distributions.json")
lines = [f'"about": {json.dumps(output["about"])}']
for key in ("cases", "bessel", "logGamma", "gamma"):
    lines.append(f'"{key}": [\n' + ",\n".join(json.dumps(item) for item in output[key]) + "\n]")
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
