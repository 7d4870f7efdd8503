"""Writes what jax-flows computes from explicit parameters, for Tests/DistributionsTests/JaxFlowsTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_jax_flows.py

run from the repository root, writes Tests/DistributionsTests/Fixtures/jax_flows.json. Made with numpy 2.4.6 and scipy 1.17.1, in float64.

jax-flows (ChrisWaites/jax-flows) does not run on a current JAX: it imports jax.experimental.stax and jax.ops.index_update. Its
formulas are restated here in numpy. What make_linear.py (ActNorm, AffineCoupling, InvertibleLinear, FixedInvertibleLinear,
BatchNorm, Sigmoid, Logit), make_autoregressive.py (MADE) and make_distributions.py (Normal, GMM) do not have is here: the coupling
of two networks, the spline coupling, permutations, Invert, Serial, and log_pdf of Flow. Corrected, and said so:

- AffineCouplingSplit.inverse_fun returns +sum(log_weight): the inverse's log-determinant is -sum(log_weight).
- NeuralSplineCoupling normalizes widths, heights and derivatives, and its RQS normalizes them once more: here they are normalized
  once. Its functions use the networks of the closure, not `params`: here the parameters given. An odd dimension, which its
  reshape cannot take, has dim // 2 numbers in the lower half.
- BatchNorm's running statistics are the ones given.

Each case asserts that the inverse gives x back and that log_det is that of the Jacobian by central differences.
A parameter stands under its path in the tree. A raw derivative d of jax-flows, whose slope is min + softplus(d), is stored less
log(exp(1 - min) - 1), since here 0 stands for a slope of 1: the same slope.
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.linalg
import scipy.special
import scipy.stats

assert (np.__version__, scipy.__version__) == ("2.4.6", "1.17.1")
rng = np.random.default_rng(11)
K, BOUND, HIDDEN, LEAST = 5, 3.0, 8, 1e-3
OFFSET = np.log(np.expm1(1 - LEAST))


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


# Each layer: (direct, inverse, parameters by path), where direct and inverse give (outputs, log_det) of rows.


def network(sizes, prefix, scale=0.5):
    layers = [
        (rng.normal(size=(m, n)) / np.sqrt(max(m, 1)), scale * rng.normal(size=n)) for m, n in zip(sizes, sizes[1:])
    ]
    params = {f"{prefix}/dense_{i}/{name}": value for i, layer in enumerate(layers) for name, value in zip(("weight", "bias"), layer)}

    def apply(x):
        for i, (weight, bias) in enumerate(layers):
            x = x @ weight + bias
            if i < len(layers) - 1:
                x = np.tanh(x)
        return x

    return apply, params


def affine_coupling_split(d):
    cutoff = d // 2
    scale, scale_params = network([cutoff, 6, d - cutoff], "net/0", 0.3)
    translate, translate_params = network([cutoff, 7, d - cutoff], "net/1")

    def direct(x):
        lower, upper = x[:, :cutoff], x[:, cutoff:]
        log_weight = scale(lower)
        return np.concatenate([lower, upper * np.exp(log_weight) + translate(lower)], 1), log_weight.sum(1)

    def inverse(y):
        lower, upper = y[:, :cutoff], y[:, cutoff:]
        log_weight = scale(lower)
        return np.concatenate([lower, (upper - translate(lower)) * np.exp(-log_weight)], 1), -log_weight.sum(1)

    return direct, inverse, scale_params | translate_params


def affine_coupling(d):
    cutoff = d // 2
    net, params = network([cutoff, 6, 2 * (d - cutoff)], "net", 0.3)

    def direct(x):
        log_weight, bias = np.split(net(x[:, :cutoff]), 2, axis=1)
        return np.concatenate([x[:, :cutoff], x[:, cutoff:] * np.exp(log_weight) + bias], 1), log_weight.sum(1)

    def inverse(y):
        log_weight, bias = np.split(net(y[:, :cutoff]), 2, axis=1)
        return np.concatenate([y[:, :cutoff], (y[:, cutoff:] - bias) * np.exp(-log_weight)], 1), -log_weight.sum(1)

    return direct, inverse, params


def rqs(inputs, raw, is_inverse):
    """unconstrained_RQS at one number."""
    if abs(inputs) > BOUND:
        return inputs, 0.0
    knots = []
    for unnormalized in (raw[:K], raw[K:2 * K]):
        share = LEAST + (1 - LEAST * K) * scipy.special.softmax(unnormalized)
        corner = 2 * BOUND * np.concatenate([[0.0], np.cumsum(share)]) - BOUND
        corner[-1] = BOUND
        knots.append(corner)
    x, y = knots
    derivatives = np.concatenate([[1.0], LEAST + np.logaddexp(0, raw[2 * K:]), [1.0]])
    k = int(np.clip(np.searchsorted((y if is_inverse else x), inputs, side="right") - 1, 0, K - 1))
    w, h, p, q = x[k + 1] - x[k], y[k + 1] - y[k], derivatives[k], derivatives[k + 1]
    delta = h / w
    if is_inverse:
        a = (inputs - y[k]) * (p + q - 2 * delta) + h * (delta - p)
        b = h * p - (inputs - y[k]) * (p + q - 2 * delta)
        c = -delta * (inputs - y[k])
        theta = 2 * c / (-b - np.sqrt(max(b * b - 4 * a * c, 0.0)))
    else:
        theta = (inputs - x[k]) / w
    ends = theta * (1 - theta)
    denominator = delta + (p + q - 2 * delta) * ends
    slope = np.log(delta**2 * (q * theta**2 + 2 * delta * ends + p * (1 - theta) ** 2)) - 2 * np.log(denominator)
    if is_inverse:
        return theta * w + x[k], -slope
    return y[k] + h * (delta * theta**2 + p * ends) / denominator, slope


def spline_coupling(d):
    half, size = d // 2, 3 * K - 1
    f1, first = network([half, HIDDEN, HIDDEN, size * (d - half)], "0/net")
    f2, second = network([d - half, HIDDEN, HIDDEN, size * half], "1/net")

    def mapped(part, raw, is_inverse):
        raw = raw.reshape(len(part), part.shape[1], size)
        results = [[rqs(v, r, is_inverse) for v, r in zip(row, raws)] for row, raws in zip(part, raw)]
        return np.array([[y for y, _ in row] for row in results]), np.array([sum(s for _, s in row) for row in results])

    def direct(x):
        lower, upper = x[:, :half], x[:, half:]
        upper, first = mapped(upper, f1(lower), False)
        lower, second = mapped(lower, f2(upper), False)
        return np.concatenate([lower, upper], 1), first + second

    def inverse(y):
        lower, upper = y[:, :half], y[:, half:]
        lower, second = mapped(lower, f2(upper), True)
        upper, first = mapped(upper, f1(lower), True)
        return np.concatenate([lower, upper], 1), first + second

    params = first | second
    for path in ("0/net/dense_2/bias", "1/net/dense_2/bias"):
        stored = params[path].reshape(-1, size).copy()
        stored[:, 2 * K:] -= OFFSET
        params = params | {path: stored.ravel()}
    return direct, inverse, params


def act_norm(d):
    weight, bias = 0.4 * rng.normal(size=d), rng.normal(size=d)
    ones = lambda x: np.ones(len(x))
    return (
        lambda x: ((x - bias) * np.exp(weight), weight.sum() * ones(x)),
        lambda y: (y * np.exp(-weight) + bias, -weight.sum() * ones(y)),
        {"logScale": weight, "bias": bias},
    )


def invert(layer):
    direct, inverse, params = layer
    return inverse, direct, params


def permuted(permutation, stored):
    order = np.argsort(permutation)
    return (
        lambda x: (x[:, permutation], np.zeros(len(x))),
        lambda y: (y[:, order], np.zeros(len(y))),
        {"permutation": permutation} if stored else {},
    )


def reverse(d):
    return permuted(np.arange(d)[::-1], False)


def shuffle(d):
    return permuted(rng.permutation(d), True)


def invertible_linear(d):
    p, lower, upper = scipy.linalg.lu(scipy.stats.ortho_group.rvs(d, random_state=13))
    s = np.diag(upper) * np.exp(0.3 * rng.normal(size=d))
    lower, upper = np.tril(lower, -1), np.triu(upper, 1)
    w = p @ (lower + np.eye(d)) @ (upper + np.diag(s))
    log_det = np.log(np.abs(s)).sum()
    params = {
        "factors": lower + upper + np.diag(np.log(np.abs(s))), "permutation": np.argmax(p, axis=0), "sign": np.sign(s),
    }
    return (
        lambda x: (x @ w, np.full(len(x), log_det)), lambda y: (y @ np.linalg.inv(w), np.full(len(y), -log_det)), params,
    )


def batch_norm(d):
    log_gamma, beta = 0.3 * rng.normal(size=d), rng.normal(size=d)
    mean, var, eps = rng.normal(size=d), rng.uniform(0.3, 2, size=d), 1e-5
    log_det = (log_gamma - 0.5 * np.log(var + eps)).sum()
    return (
        lambda x: (np.exp(log_gamma) * (x - mean) / np.sqrt(var + eps) + beta, np.full(len(x), log_det)),
        lambda y: ((y - beta) / np.exp(log_gamma) * np.sqrt(var + eps) + mean, np.full(len(y), -log_det)),
        {"logScale": log_gamma, "bias": beta, "runningMean": mean, "runningVariance": var},
    )


def serial(*layers):
    def run(functions, x):
        total = np.zeros(len(x))
        for f in functions:
            x, log_det = f(x)
            total = total + log_det
        return x, total

    params = {f"{i}/{path}": value for i, layer in enumerate(layers) for path, value in layer[2].items()}
    return (
        lambda x: run([layer[0] for layer in layers], x),
        lambda y: run([layer[1] for layer in reversed(layers)], y),
        params,
    )


def case(name, layer, x):
    direct, inverse, params = layer
    y, log_det = direct(x)
    back, back_log_det = inverse(y)
    assert np.abs(back - x).max() < 1e-9 and np.abs(log_det + back_log_det).max() < 1e-9, name
    d = x.shape[1]
    for i, row in enumerate(x):
        if np.any(np.abs(np.abs(row) - BOUND) < 1e-3):
            continue  # the spline's second derivative jumps there
        jacobian = np.stack(
            [(direct(row[None] + 1e-6 * e)[0][0] - direct(row[None] - 1e-6 * e)[0][0]) / 2e-6 for e in np.eye(d)], axis=1)
        assert abs(np.linalg.slogdet(jacobian)[1] - log_det[i]) < 1e-5, (name, row)
    return {
        "name": name, "params": {k: array(v) for k, v in params.items()}, "x": array(x), "y": array(y),
        "logDet": log_det.tolist(),
    }


def rows(d):
    x = 1.5 * rng.normal(size=(6, d))
    x[0] = 5 * np.sign(x[0])  # outside the splines
    x[1, 0] = BOUND
    x[1, -1] = -BOUND
    return x


def main():
    cases = []
    for d in (2, 4, 5):
        cases.append(case("AffineCouplingSplit", affine_coupling_split(d), rows(d)))
        cases.append(case("NeuralSplineCoupling", spline_coupling(d), rows(d)))
        cases.append(case("Reverse", reverse(d), rows(d)))
        cases.append(case("Shuffle", shuffle(d), rows(d)))
        cases.append(case("Invert(ActNorm)", invert(act_norm(d)), rows(d)))
        cases.append(case("Invert(AffineCoupling)", invert(affine_coupling(d)), rows(d)))

    d = 4
    layers = serial(
        affine_coupling(d), shuffle(d), invertible_linear(d), invert(act_norm(d)), batch_norm(d), spline_coupling(d),
        reverse(d), affine_coupling_split(d))
    x = rows(d)
    flow = case("Serial", layers, x)
    z, log_det = layers[0](x)
    means = rng.normal(size=(3, d))
    factors = 0.6 * rng.normal(size=(3, d, d)) + np.eye(d)
    covariances, weights = factors @ factors.transpose(0, 2, 1), [0.8, 0.15, 0.05]
    clusters = [
        np.log(w) + scipy.stats.multivariate_normal.logpdf(z, m, c) for w, m, c in zip(weights, means, covariances)
    ]
    flow["logPDF"] = (scipy.stats.norm.logpdf(z).sum(1) + log_det).tolist()
    flow["mixture"] = {
        "means": means.tolist(), "covariances": covariances.tolist(), "weights": weights,
        "logPDF": (scipy.special.logsumexp(clusters, axis=0) + log_det).tolist(),
    }

    path = pathlib.Path(__file__).parents[1] / "DistributionsTests" / "Fixtures" / "jax_flows.json"
    lines = ",\n".join("  " + json.dumps(item, separators=(",", ":"), allow_nan=False) for item in cases)
    path.write_text(f'{{\n"cases": [\n{lines}\n],\n"flow": {json.dumps(flow, separators=(",", ":"), allow_nan=False)}\n}}\n')
    print(path, path.stat().st_size, "bytes")


main()
