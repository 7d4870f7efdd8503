"""Writes what jax-flows, distrax and explicit matrices give for linear layers, for Tests/BijectionsTests/LinearTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_linear.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/linear.json. Made with numpy 2.4.6, scipy 1.17.1,
distrax 0.1.9, jax 0.10.2 (requirements.txt), in float64.

jax-flows does not run on a current jax (it imports jax.experimental.stax), so its formulas are restated here in numpy, from
explicit parameters: flows/bijections/bijections.py at ChrisWaites/jax-flows. `direct` is data to latent. Where it is wrong
the script says so and stores what is right:

- AffineCoupling.inverse_fun returns +sum(log_weight): the inverse's log-determinant is -sum(log_weight).
- BatchNorm keeps its running statistics in local names that no caller sees, so its evaluation mode always has mean 0 and
  variance 1. Here they are moved as its lines intend, running = momentum * running + (1 - momentum) * batch, with the
  population's variance, and epsilon is added where the variance is used (it adds it before storing).
- FixedInvertibleLinear's W is given by the reflections of its QR factors.

In every case x = inverse(y) and the inverse's log-determinants are -logDet; the script asserts it where the formula is its own.
A parameter stands under its path in the tree: shape and row-major values.
"""

import json
import pathlib

import distrax
import jax
import jax.numpy as jnp
import numpy as np
import scipy
import scipy.linalg
import scipy.stats

assert (np.__version__, scipy.__version__, distrax.__version__) == ("2.4.6", "1.17.1", "0.1.9")
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(3)


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def case(layer, variant, inputs, outputs, logdet, **params):
    n = len(inputs)
    return {
        "layer": layer, "variant": str(variant), "params": {k.replace("__", "/"): array(v) for k, v in params.items()},
        "x": array(inputs), "y": array(outputs), "logDet": np.broadcast_to(logdet, [n]).tolist(),
    }


def assert_jacobian(f, inputs, logdet):
    """Central differences: the restated log-determinants are those of the restated maps."""
    d = inputs.shape[1]
    for i, x in enumerate(inputs):
        jacobian = np.stack([(f(x + 1e-6 * e) - f(x - 1e-6 * e)) / 2e-6 for e in np.eye(d)], axis=1)
        assert abs(np.linalg.slogdet(jacobian)[1] - np.broadcast_to(logdet, [len(inputs)])[i]) < 1e-6


# MARK: jax-flows


def act_norm():
    batch, x = rng.normal(2, 3, (9, 4)), rng.normal(size=(3, 4))
    log_weight, bias = np.log(1.0 / (batch.std(0) + 1e-6)), batch.mean(0)
    direct = lambda x: (x - bias) * np.exp(log_weight)
    assert_jacobian(direct, x, log_weight.sum())
    return case("ActNorm", "", x, direct(x), log_weight.sum(), logScale=log_weight, bias=bias), array(batch)


def affine_coupling(d):
    cutoff, hidden = d // 2, 6
    w0, b0 = rng.normal(size=(cutoff, hidden)), rng.normal(size=hidden)
    w1, b1 = 0.3 * rng.normal(size=(hidden, 2 * (d - cutoff))), rng.normal(size=2 * (d - cutoff))

    def split(lower):
        return np.split(np.tanh(lower @ w0 + b0) @ w1 + b1, 2, axis=-1)

    def direct(x):
        lower, upper = x[..., :cutoff], x[..., cutoff:]
        log_weight, bias = split(lower)
        return np.concatenate([lower, upper * np.exp(log_weight) + bias], axis=-1)

    x = 2 * rng.normal(size=(4, d))
    y, logdet = direct(x), split(x[:, :cutoff])[0].sum(-1)
    log_weight, bias = split(y[:, :cutoff])
    assert np.allclose((y[:, cutoff:] - bias) * np.exp(-log_weight), x[:, cutoff:], atol=1e-12)
    assert_jacobian(direct, x, logdet)
    return case(
        "AffineCoupling", "", x, y, logdet,
        net__dense_0__weight=w0, net__dense_0__bias=b0, net__dense_1__weight=w1, net__dense_1__bias=b1)


def invertible_linear(d):
    p, lower, upper = scipy.linalg.lu(scipy.stats.ortho_group.rvs(d, random_state=5))
    s = np.diag(upper) * np.exp(0.3 * rng.normal(size=d))
    lower = np.tril(lower + 0.1 * rng.normal(size=(d, d)), -1)
    upper = np.triu(upper + 0.1 * rng.normal(size=(d, d)), 1)
    w = p @ (lower + np.eye(d)) @ (upper + np.diag(s))
    x = rng.normal(size=(3, d))
    logdet = np.log(np.abs(s)).sum()
    assert abs(np.linalg.slogdet(w)[1] - logdet) < 1e-12
    # A = P L U is A[order] = L U with order[i] the row of P's column i that holds its 1.
    return case(
        "InvertibleLinear", "", x, x @ w, logdet, factors=lower + upper + np.diag(np.log(np.abs(s))),
        permutation=np.argmax(p, axis=0), sign=np.sign(s))


def fixed_invertible_linear(d):
    w = scipy.stats.ortho_group.rvs(d, random_state=7)
    # W = H1 ... Hd by Householder's method; a column that is already right takes the reflection of a zero vector.
    vectors, rest = [], w.copy()
    for k in range(d):
        v = rest[:, k] - np.eye(d)[k]
        vectors.append(v)
        if v @ v > 1e-20:
            rest = rest - 2 * np.outer(v, v @ rest) / (v @ v)
        else:
            vectors[-1] = np.zeros(d)
    assert np.allclose(rest, np.eye(d), atol=1e-12)
    x = rng.normal(size=(3, d))
    return case("FixedInvertibleLinear", "", x, x @ w, np.linalg.slogdet(w)[1], vectors=np.array(vectors))


def batch_norm():
    d, momentum, eps = 3, 0.9, 1e-5
    log_gamma, beta = 0.4 * rng.normal(size=d), rng.normal(size=d)
    batches = [rng.normal([1, -2, 50], [0.1, 3, 1e-3], size=(8, d)) for _ in range(3)]
    running_mean, running_var, steps = np.zeros(d), np.ones(d), []
    for x in batches:
        mean, var = x.mean(0), x.var(0)
        y = np.exp(log_gamma) * (x - mean) / np.sqrt(var + eps) + beta
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
        steps.append({
            "x": array(x), "y": array(y), "logDet": [float((log_gamma - 0.5 * np.log(var + eps)).sum())] * len(x),
            "runningMean": array(running_mean), "runningVariance": array(running_var)})
    x = batches[0]
    direct = lambda x: np.exp(log_gamma) * (x - running_mean) / np.sqrt(running_var + eps) + beta
    evaluation = case(
        "BatchNorm", "evaluation", x, direct(x), (log_gamma - 0.5 * np.log(running_var + eps)).sum(),
        logScale=log_gamma, bias=beta, runningMean=running_mean, runningVariance=running_var)
    return {"logScale": array(log_gamma), "bias": array(beta), "momentum": momentum, "steps": steps}, evaluation


def sigmoid():
    x = rng.normal(0, 4, size=(4, 3))
    y = 1 / (1 + np.exp(-x))
    logdet = np.log(y * (1 - y)).sum(-1)  # its formula, which is -inf from x = 18 on in float32
    return case("Sigmoid", "", x, y, logdet), case("Logit", "", y, np.log(y) - np.log(1 - y), -logdet)


# MARK: explicit matrices and distrax


def reflect(v):
    return np.eye(len(v)) - 2 * np.outer(v, v) / (v @ v)


def householder(n, d):
    vectors = rng.normal(size=(n, d))
    q = np.linalg.multi_dot([np.eye(d), np.eye(d)] + [reflect(v) for v in vectors])
    x = rng.normal(size=(3, d))
    return case("Householder", n, x, x @ q, 0.0, vectors=vectors)


def qr_linear(d):
    factors = 0.5 * rng.normal(size=(d, d))
    vectors = (np.tril(factors, -1) + np.eye(d)).T
    q = np.linalg.multi_dot([np.eye(d), np.eye(d)] + [reflect(v) for v in vectors])
    w = q @ (np.triu(factors, 1) + np.diag(np.exp(np.diag(factors))))
    x = rng.normal(size=(3, d))
    return case("QRLinear", "", x, x @ w, np.linalg.slogdet(w)[1], factors=factors)


def triangular(d, is_lower):
    matrix = rng.normal(size=(d, d))
    matrix = np.tril(matrix) if is_lower else np.triu(matrix)
    log_scale, bias, x = 0.5 * rng.normal(size=d), rng.normal(size=d), rng.normal(size=(3, d))
    np.fill_diagonal(matrix, np.exp(log_scale))
    y, logdet = distrax.TriangularLinear(jnp.asarray(matrix), is_lower=is_lower).forward_and_log_det(jnp.asarray(x))
    lower = matrix if is_lower else matrix.T
    return case(
        "TriangularAffine", "lower" if is_lower else "upper", x, np.asarray(y) + bias, logdet, entries=lower[np.tril_indices(d, -1)],
        logScale=log_scale, bias=bias)


def low_rank(d, r):
    log_scale, u, x = 0.5 * rng.normal(size=d), rng.normal(size=(r, d)), rng.normal(size=(3, d))
    # distrax: y = (S + U' V'^T) x with columns; ours is y = x S (I + U^T U), so its matrix is S + U^T (U S).
    s = np.exp(log_scale)
    bijector = distrax.DiagPlusLowRankLinear(
        diag=jnp.asarray(s), u_matrix=jnp.asarray(u.T), v_matrix=jnp.asarray((u * s).T))
    y, logdet = bijector.forward_and_log_det(jnp.asarray(x))
    assert np.allclose(y, x @ np.diag(s) @ (np.eye(d) + u.T @ u), atol=1e-12)
    return case("DiagonalPlusLowRank", r, x, y, logdet, logScale=log_scale, factor=u)


def rotation(d):
    below = np.zeros((d, d))
    entries = rng.normal(size=d * (d - 1) // 2)
    below[np.tril_indices(d, -1)] = entries
    skew = below - below.T
    # The same rotation as an exponential: (I + A)^-1 (I - A) = exp(-2 atanh A), by A's eigenvalues.
    values, basis = np.linalg.eig(skew)
    q = np.real(basis @ np.diag(np.exp(-2 * np.arctanh(values))) @ np.linalg.inv(basis))
    assert np.allclose(q.T @ q, np.eye(d), atol=1e-12) and np.linalg.det(q) > 0
    x = rng.normal(size=(3, d))
    return case("Rotation", "", x, x @ q, 0.0, generators=entries)


def main():
    norm, norm_batch = act_norm()
    moving, evaluation = batch_norm()
    cases = [
        norm, affine_coupling(4), affine_coupling(5), invertible_linear(5), fixed_invertible_linear(5), evaluation, *sigmoid(),
        householder(1, 4), householder(3, 5), householder(7, 3), qr_linear(5), qr_linear(1), triangular(4, True),
        triangular(5, False), low_rank(6, 2), low_rank(3, 3), low_rank(1, 1), rotation(2), rotation(5),
    ]
    document = {"cases": cases, "actNormBatch": [norm_batch], "batchNorm": [moving]}
    path = pathlib.Path(__file__).parents[1] / "BijectionsTests" / "Fixtures" / "linear.json"
    sections = []
    for name, rows in document.items():
        lines = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
        sections.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
