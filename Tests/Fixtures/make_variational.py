"""Writes values of variational inference's layers, constraints, targets and k-hat, for Tests/TrainingTests/VariationalReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_variational.py

run from the repository root, writes Tests/TrainingTests/Fixtures/variational.json. Made with jax 0.10.2, numpy 2.4.6, scipy 1.17.1,
numpyro 0.22.0 and arviz-stats 0.8.0 (requirements.txt), in float64.

Sylvester and Hamiltonian layers are the papers' formulas on one sample, with explicit matrices; their log-determinants are those of
jax.jacfwd's Jacobian. make_peers.py has the planar and radial layers of Pyro and normflows.
Constraints are numpyro's transforms (Stan's), run from the reals to the constrained side. Targets are scipy's distributions, and their
gradients jax.grad of the same formula in jax. k-hat is arviz_stats' Pareto smoothed importance sampling.
"""

import json
import pathlib

import arviz_stats
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions.transforms as transforms
import scipy
import scipy.stats as stats
from arviz_stats.base import array_stats

assert jax.__version__ == "0.10.2" and np.__version__ == "2.4.6" and scipy.__version__ == "1.17.1"
assert arviz_stats.__version__ == "0.8.0"
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(20260)


def array(x):
    x = np.asarray(x, dtype=float)
    return {"shape": list(x.shape), "values": x.ravel().tolist()}


def layer_case(name, variant, params, function, x):
    y = np.stack([function(row) for row in x])
    jacobians = np.stack([jax.jacfwd(function)(row) for row in x])
    return {
        "layer": name,
        "variant": variant,
        "params": {path: array(value) for path, value in params.items()},
        "x": array(x),
        "y": array(y),
        "logDet": np.linalg.slogdet(jacobians)[1].tolist(),
    }


def sylvester(size, units):
    count = units * (units - 1) // 2
    params = {
        "vectors": rng.normal(size=(size, size)),
        "diagonalR": rng.normal(size=units),
        "entriesR": rng.normal(size=count),
        "diagonalS": rng.normal(size=units),
        "entriesS": rng.normal(size=count),
        "bias": rng.normal(size=units),
    }
    product = np.eye(size)
    for v in params["vectors"]:
        product = product @ (np.eye(size) - 2 * np.outer(v, v) / (v @ v))
    q = product[:, :units]

    def upper(diagonal, entries):
        # Row by row of the lower triangle, which stands for the transpose.
        m = np.zeros((units, units))
        m[np.tril_indices(units, -1)] = entries
        return m.T + np.diag(0.9995 * np.tanh(diagonal))

    r, s = upper(params["diagonalR"], params["entriesR"]), upper(params["diagonalS"], params["entriesS"])

    def function(z):
        return z + q @ r @ jnp.tanh(s @ q.T @ z + params["bias"])

    return layer_case("Sylvester", str(units), params, function, rng.normal(size=(4, size)) * 1.5)


def hamiltonian(size, steps):
    params = {
        "logStep": np.log(0.1) + 0.3 * rng.normal(size=size),
        "shift": rng.normal(size=size),
        "logScale": 0.5 * rng.normal(size=size),
    }
    slope = jax.grad(lambda q: jnp.sum(-0.25 * q**4 - 0.5 * q**2 - 0.3 * q))
    epsilon = np.exp(params["logStep"])

    def function(z):
        q, p = z[:size], z[size:]
        for _ in range(steps):
            p = p + epsilon / 2 * slope(q)
            q = q + epsilon * p
            p = p + epsilon / 2 * slope(q)
        return jnp.concatenate([q, (p - params["shift"]) * jnp.exp(-params["logScale"])])

    return layer_case("Hamiltonian", str(steps), params, function, rng.normal(size=(4, 2 * size)))


def constraint(name, transform, size):
    """From the reals, y, to the constrained side, x."""
    y = np.concatenate([rng.normal(size=(4, size)) * 1.5, np.zeros((1, size))])
    x = np.asarray(transform(jnp.array(y)))
    log_det = np.asarray(transform.log_abs_det_jacobian(jnp.array(y), jnp.array(x)))
    if log_det.ndim > 1:
        log_det = log_det.sum(axis=-1)
    return {"name": name, "y": array(y), "x": array(x), "logDet": log_det.tolist()}


def target_case(name, x, log_density, in_jax, data=None):
    gradient = np.stack([jax.grad(in_jax)(row) for row in x])
    values = np.array([log_density(row) for row in x])
    np.testing.assert_allclose(values, [in_jax(row) for row in x], rtol=1e-12, atol=1e-12)
    case = {"name": name, "x": array(x), "logDensity": values.tolist(), "gradient": array(gradient)}
    if data:
        case["data"] = {key: array(value) for key, value in data.items()}
    return case


def normal(x, mean=0.0, deviation=1.0):
    return jnp.sum(-0.5 * ((x - mean) / deviation) ** 2 - jnp.log(deviation * jnp.ones_like(x)) - 0.5 * jnp.log(2 * jnp.pi))


def targets():
    def banana(x, of=stats.norm.logpdf):
        rest = np.sum(stats.norm.logpdf(x[2:]))
        return stats.norm.logpdf(x[0], 0, 10) + stats.norm.logpdf(x[1] + 0.1 * x[0] ** 2 - 10) + rest

    def banana_jax(x):
        return normal(x[:1], 0, 10) + normal(x[1:2] + 0.1 * x[:1] ** 2 - 10) + normal(x[2:])

    for size in (2, 3):
        x = rng.normal(size=(4, size)) * np.array([10] + [5] * (size - 1))
        yield target_case(f"Banana {size}", x, banana, banana_jax)

    x = rng.normal(size=(4, 3)) * np.array([3, 2, 2])
    yield target_case(
        "Funnel", x,
        lambda x: stats.norm.logpdf(x[0], 0, 3) + np.sum(stats.norm.logpdf(x[1:], 0, np.exp(x[0] / 2))),
        lambda x: normal(x[:1], 0, 3) + normal(x[1:], 0, jnp.exp(x[0] / 2)))

    def warped(x, module, density):
        angle = module.arctan2(x[1], x[0]) + module.hypot(x[0], x[1]) / 2
        z = module.hypot(x[0], x[1]) * module.array([module.cos(angle), module.sin(angle)])
        return density(z)

    x = np.concatenate([rng.normal(size=(4, 2)), [[1e-3, 0]]])
    yield target_case(
        "WarpedGaussian", x,
        lambda x: warped(x, np, lambda z: np.sum(stats.norm.logpdf(z, 0, [1, 0.12]))),
        lambda x: warped(x, jnp, lambda z: normal(z[:1]) + normal(z[1:], 0, 0.12)))

    arms = [([0, 2], [0.15, 1]), ([-2, 0], [1, 0.15]), ([2, 0], [1, 0.15]), ([0, -2], [0.15, 1])]
    x = rng.normal(size=(5, 2)) * 2
    yield target_case(
        "Cross", x,
        lambda x: np.log(np.mean([stats.multivariate_normal(m, np.diag(np.square(s))).pdf(x) for m, s in arms])),
        lambda x: jax.scipy.special.logsumexp(
            jnp.array([normal(x, jnp.array(m), jnp.array(s)) for m, s in arms])) - jnp.log(4))

    y, sigma = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])

    def schools(x, is_centered):
        mu, tau = x[0], x[1]
        theta = x[2:] if is_centered else mu + tau * x[2:]
        prior = stats.norm.logpdf(theta, mu, tau) if is_centered else stats.norm.logpdf(x[2:])
        hyper = stats.norm.logpdf(mu, 0, 5) + stats.halfcauchy.logpdf(tau, scale=5)
        return np.sum(stats.norm.logpdf(y, theta, sigma)) + np.sum(prior) + hyper

    def schools_jax(x, is_centered):
        mu, tau = x[0], x[1]
        theta = x[2:] if is_centered else mu + tau * x[2:]
        prior = normal(theta, mu, tau) if is_centered else normal(x[2:])
        half_cauchy = jnp.log(2 / (5 * jnp.pi)) - jnp.log1p((tau / 5) ** 2)
        return normal(y, theta, sigma) + prior + normal(mu, 0, 5) + half_cauchy

    x = rng.normal(size=(4, 10)) * 3
    x[:, 1] = np.exp(x[:, 1] / 2)
    for name, is_centered in (("centered", True), ("nonCentered", False)):
        yield target_case(
            f"eight schools {name}", x, lambda x: schools(x, is_centered), lambda x: schools_jax(x, is_centered))

    features, labels = rng.normal(size=(20, 3)), (rng.random(20) < 0.6).astype(float)

    def regression(x):
        p = 1 / (1 + np.exp(-(x[0] + features @ x[1:])))
        return np.sum(stats.bernoulli.logpmf(labels.astype(int), p)) + np.sum(stats.norm.logpdf(x, 0, 1.5))

    def regression_jax(x):
        logits = x[0] + features @ x[1:]
        return jnp.sum(labels * logits - jnp.logaddexp(0, logits)) + normal(x, 0, 1.5)

    yield target_case(
        "logistic regression", rng.normal(size=(4, 4)), regression, regression_jax,
        {"features": features, "labels": labels})


def k_hats():
    for count, scale, freedom in ((100, 1.0, 30), (1000, 0.5, 30), (1000, 2.0, 30), (4000, 1.0, 5), (25, 1.0, 30)):
        # log-weights to 1e-3, so that the file stays small; float64 holds them exactly on both sides.
        log_weights = np.round(scale * rng.standard_t(freedom, size=count), 3)
        _, k = array_stats.psislw(-log_weights)  # it takes log-likelihoods
        yield {"logWeights": log_weights.tolist(), "k": float(k)}


fixture = {
    "layers": [sylvester(5, 3), sylvester(3, 3), hamiltonian(2, 3)],
    "constraints": [
        constraint("simplex", transforms.StickBreakingTransform(), 3),
        constraint("simplex", transforms.StickBreakingTransform(), 1),
        constraint("ordered", transforms.OrderedTransform(), 4),
        constraint("correlation", transforms.CorrCholeskyTransform(), 6),
        constraint("correlation", transforms.CorrCholeskyTransform(), 1),
        constraint("above 2", transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(2, 1)]), 3),
        constraint("-1 to 3", transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(-1, 4)]), 3),
    ],
    "targets": list(targets()),
    "kHats": list(k_hats()),
}
path = pathlib.Path("Tests/TrainingTests/Fixtures/variational.json")
path.write_text(json.dumps(fixture) + "\n")
print(path, path.stat().st_size)
