"""Writes what nflows, distrax, PyTorch and Flax give for linear layers, for Tests/BijectionsTests/LinearTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_linear.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/linear.json. Made with the versions of
requirements-torch.txt, in float64. Every number comes from a library:

- Householder: nflows' HouseholderSequence. QRLinear: the inverse of nflows' QRLinear, with the channels in the opposite order,
  since its triangle acts first. InvertibleLinear of images: nflows' OneByOneConvolution, whose matrix is factored by scipy.
- TriangularAffine, DiagonalPlusLowRank: distrax. Rotation: PyTorch's orthogonal parametrization by Cayley's transform.
- BatchNorm's running statistics: Flax, with the population's variance.

jax-flows' linear layers are in make_jax_flows.py. In every case x = inverse(y), and the inverse's log-determinants are -logDet.
A parameter stands under its path in the tree: shape and row-major values.
"""

import json
import pathlib

import distrax
import flax.linen
import jax
import jax.numpy as jnp
import nflows.transforms
import numpy as np
import scipy.linalg
import torch

from versions import check

check("numpy", "scipy", "distrax", "jax", "flax", "torch", "nflows")
jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(3)


def set_parameters(module, **values):
    for name, value in values.items():
        parameter = module.get_parameter(name)
        assert parameter.shape == np.shape(value), (name, parameter.shape)
        parameter.data = torch.as_tensor(np.array(value))


def run(function, x):
    with torch.no_grad():
        return [np.asarray(v) for v in function(torch.as_tensor(np.array(x)))]


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def case(layer, variant, inputs, outputs, logdet, **params):
    n = len(inputs)
    return {
        "layer": layer, "variant": str(variant), "params": {k.replace("__", "/"): array(v) for k, v in params.items()},
        "x": array(inputs), "y": array(outputs), "logDet": np.broadcast_to(logdet, [n]).tolist(),
    }


def householder(n, d):
    layer = nflows.transforms.HouseholderSequence(d, n)
    vectors, x = rng.normal(size=(n, d)), rng.normal(size=(3, d))
    set_parameters(layer, q_vectors=vectors)
    y, logdet = run(layer, x)
    return case("Householder", n, x, y, logdet, vectors=vectors)


def qr_linear(d):
    """y = x Q U. nflows' inverse multiplies by a lower triangle last; with the channels reversed it is an upper one."""
    factors, x = 0.5 * rng.normal(size=(d, d)), rng.normal(size=(3, d))
    vectors = (np.tril(factors, -1) + np.eye(d)).T
    upper = np.triu(factors, 1) + np.diag(np.exp(np.diag(factors)))
    theirs = np.linalg.inv(upper[::-1, ::-1]).T
    layer = nflows.transforms.QRLinear(d, num_householder=d)
    # Its inverse takes the reflections from last to first.
    set_parameters(
        layer, log_upper_diag=np.log(np.diag(theirs)), upper_entries=theirs[layer.upper_indices[0], layer.upper_indices[1]],
        **{"orthogonal.q_vectors": vectors[::-1, ::-1]})
    y, logdet = run(layer.inverse, x[:, ::-1])
    return case("QRLinear", "", x, y[:, ::-1], logdet, factors=factors)


def image_linear(c):
    layer = nflows.transforms.OneByOneConvolution(c)
    count = c * (c - 1) // 2
    set_parameters(
        layer, lower_entries=rng.normal(size=count), upper_entries=rng.normal(size=count),
        unconstrained_upper_diag=rng.normal(size=c), bias=np.zeros(c))
    x = rng.normal(size=(2, c, 3, 2))
    y, logdet = run(layer, x)
    w = run(layer, np.eye(c)[:, :, None, None])[0][:, :, 0, 0]
    p, lower, upper = scipy.linalg.lu(w)
    s = np.diag(upper)
    channels_last = lambda x: x.transpose(0, 2, 3, 1)
    return case(
        "InvertibleLinear", "", channels_last(x), channels_last(y), logdet,
        factors=np.tril(lower, -1) + np.triu(upper, 1) + np.diag(np.log(np.abs(s))), permutation=np.argmax(p, axis=0),
        sign=np.sign(s))


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
    """PyTorch's matrix is (1 + A/2)^-1 (1 - A/2) of its own lower triangle less its transpose, with the opposite sign."""
    entries, below, x = rng.normal(size=d * (d - 1) // 2), np.zeros((d, d)), rng.normal(size=(3, d))
    below[np.tril_indices(d, -1)] = entries
    linear = torch.nn.utils.parametrizations.orthogonal(
        torch.nn.Linear(d, d, bias=False), orthogonal_map="cayley", use_trivialization=False)
    linear.parametrizations.weight.original.data = torch.as_tensor(-2 * below)
    with torch.no_grad():
        y = np.asarray(torch.as_tensor(x) @ linear.weight)
    return case("Rotation", "", x, y, 0.0, generators=entries)


def batch_norm():
    d, momentum = 3, 0.9
    log_gamma, beta = 0.4 * rng.normal(size=d), rng.normal(size=d)
    layer = flax.linen.BatchNorm(
        use_running_average=False, momentum=momentum, epsilon=1e-5, param_dtype=jnp.float64, use_fast_variance=False)
    variables = layer.init(jax.random.PRNGKey(0), jnp.zeros((2, d)))
    params = {"scale": jnp.exp(log_gamma), "bias": jnp.asarray(beta)}
    statistics, steps = jax.tree.map(lambda v: v.astype(jnp.float64), variables["batch_stats"]), []
    for _ in range(3):
        x = rng.normal([1, -2, 50], [0.1, 3, 1e-3], size=(8, d))
        y, moved = layer.apply({"params": params, "batch_stats": statistics}, jnp.asarray(x), mutable=["batch_stats"])
        statistics = moved["batch_stats"]
        jacobian = jnp.log(jnp.abs(params["scale"])) - 0.5 * jnp.log(x.var(0) + 1e-5)  # Flax has no log-determinants
        steps.append({
            "x": array(x), "y": array(y), "logDet": [float(jacobian.sum())] * len(x),
            "runningMean": array(statistics["mean"]), "runningVariance": array(statistics["var"])})
    return {"logScale": array(log_gamma), "bias": array(beta), "momentum": momentum, "steps": steps}


def main():
    cases = [
        householder(1, 4), householder(3, 5), householder(5, 3), qr_linear(5), qr_linear(2), image_linear(3), image_linear(4),
        triangular(4, True), triangular(5, False), low_rank(6, 2), low_rank(3, 3), low_rank(1, 1), rotation(2), rotation(5),
    ]
    document = {"cases": cases, "batchNorm": [batch_norm()]}
    path = pathlib.Path(__file__).parents[1] / "BijectionsTests" / "Fixtures" / "linear.json"
    sections = []
    for name, rows in document.items():
        lines = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
        sections.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
