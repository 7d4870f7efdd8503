"""Writes what other implementations of autoregressive flows compute, for the tests of Sources/Bijections/Autoregressive.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_autoregressive.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/autoregressive.json. Made with flowjax 19.1.2, jax 0.10.2,
numpy 2.4.6, on the CPU backend, in float64.

flowjax: MaskedAutoregressive with an affine transformer whose scale is exp of its parameter, with and without a condition.

bnaf: flowjax' BlockAutoregressiveNetwork with tanh for F, then y = s * F + (1 - s) * x with s = sigmoid(gate);
log_det from the Jacobian that JAX computes.

sos: the sum of squares of polynomials, squared, integrated and evaluated by numpy.polynomial, which works on coefficients.

Weights are stored as Swift holds them: [in, out], context first, without the last number's row, hidden units sorted by
degree (a stable sort: the network's function does not depend on the units' order), outputs number by number.
"""

import json
import pathlib

import equinox as eqx
import flowjax
import jax
import jax.numpy as jnp
import numpy as np
import paramax
from flowjax.bijections import Affine, BlockAutoregressiveNetwork, MaskedAutoregressive
from numpy.polynomial import Polynomial

assert (jax.__version__, np.__version__) == ("0.10.2", "2.4.6")
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)


def numbers(rng, *shape, scale=1.0):
    """Normal numbers rounded to six decimals, so that the file states them exactly."""
    return np.round(scale * rng.normal(size=shape), 6)


def flat(array):
    return [float(value) for value in np.asarray(array, np.float64).ravel()]


def layer(weight, bias):
    return {"weight": flat(weight), "bias": flat(bias)}


def random_leaves(tree, seed):
    """The module with other random leaves: flowjax starts some of them at 0."""
    leaves, structure = jax.tree.flatten(tree)
    rng = np.random.default_rng(seed)
    leaves = [
        jnp.asarray(numbers(rng, *leaf.shape, scale=0.6)) if eqx.is_inexact_array(leaf) else leaf for leaf in leaves]
    return jax.tree.unflatten(structure, leaves)


def flow_jax(size, contexts, width, depth, seed):
    rng = np.random.default_rng(seed)
    affine = eqx.tree_at(lambda a: a.scale, Affine(), paramax.Parameterize(jnp.exp, jnp.zeros(())))
    bijection = MaskedAutoregressive(
        jax.random.key(seed), transformer=affine, dim=size, cond_dim=contexts or None, nn_width=width, nn_depth=depth,
        nn_activation=jnp.tanh)
    bijection = eqx.tree_at(
        lambda b: b.masked_autoregressive_mlp, bijection, random_leaves(bijection.masked_autoregressive_mlp, seed))
    bijection = paramax.unwrap(bijection)
    ranks = np.arange(width) % size - 1 if contexts else np.arange(width) % (size - 1)
    order = np.argsort(ranks, kind="stable")
    first = np.concatenate([size + np.arange(contexts), np.arange(size - 1)])  # the condition, then the numbers
    # flowjax has (location, log scale) of a number, Swift (log scale, location).
    last = np.arange(2 * size).reshape(size, 2)[:, ::-1].ravel()
    linears = bijection.masked_autoregressive_mlp.layers
    ins = [first] + [order] * depth
    outs = [order] * depth + [last]
    x, u = numbers(rng, 4, size), numbers(rng, 4, contexts)
    call = lambda f: jax.vmap(f)(x, u) if contexts else jax.vmap(f)(x)
    (y, log_det), (back, back_log_det) = call(bijection.transform_and_log_det), call(bijection.inverse_and_log_det)
    return {
        "size": size, "contexts": contexts, "hidden": [width] * depth, "context": flat(u),
        "layers": [layer(np.asarray(l.weight).T[a][:, b], np.asarray(l.bias)[b]) for l, a, b in zip(linears, ins, outs)],
        "inputs": flat(x), "outputs": flat(y), "logDets": flat(log_det),
        "inverse": flat(back), "inverseLogDets": flat(back_log_det),
    }


def bnaf(size, contexts, width, depth, seed):
    rng = np.random.default_rng(seed)
    net = BlockAutoregressiveNetwork(
        jax.random.key(seed), dim=size, cond_dim=contexts or None, depth=depth, block_dim=width, activation=jnp.tanh)
    net = paramax.unwrap(random_leaves(net, seed))
    gate = jnp.asarray(numbers(rng, size))
    layers = []
    for i, (linear, _) in enumerate(net.layers):
        weight = np.asarray(linear.weight)  # [out, in]: rows of length exp(logNorm), block triangular
        out, inn = weight.shape[0] // size, weight.shape[1] // size
        diagonal = np.kron(np.eye(size), np.ones((out, inn))) > 0
        raw = np.where(diagonal, np.log(np.where(diagonal, weight, 1)), weight)
        entry = layer(raw.T, linear.bias) | {"logNorm": flat(np.log(np.linalg.norm(weight, axis=1)))}
        if i == 0 and contexts:
            entry["context"] = flat(np.asarray(net.cond_linear.weight).T)
        layers.append(entry)

    def row(x, u):
        value, _ = net.transform_and_log_det(x, u if contexts else None)
        s = jax.nn.sigmoid(gate)
        return s * value + (1 - s) * x

    x, u = jnp.asarray(numbers(rng, 4, size)), jnp.asarray(numbers(rng, 4, contexts))
    jacobians = jax.vmap(jax.jacobian(row))(x, u)
    return {
        "size": size, "contexts": contexts, "hidden": [width] * depth, "context": flat(u), "gate": flat(gate),
        "layers": layers, "inputs": flat(x), "outputs": flat(jax.vmap(row)(x, u)),
        "logDets": flat(np.linalg.slogdet(np.asarray(jacobians))[1]),
    }


def sos(polynomials, degree, slope, seed):
    rng = np.random.default_rng(seed)
    count = polynomials * (degree + 1) + 1
    x, raw = numbers(rng, 4, 3), numbers(rng, 4, count, 3, scale=0.5)
    y, log_slope = np.zeros((4, 3)), np.zeros((4, 3))
    for r, i in np.ndindex(4, 3):
        total = Polynomial([0.0])
        y[r, i] = raw[r, -1, i] + slope * x[r, i]
        share = (1 - slope) / polynomials
        derivative = slope
        for k in range(polynomials):
            centre = 0.0 if polynomials == 1 else 2 * k / (polynomials - 1) - 1
            coefficients = raw[r, k * (degree + 1):(k + 1) * (degree + 1), i].copy()
            coefficients[0] += 1
            square = Polynomial(coefficients) ** 2
            y[r, i] += share * square.integ()(x[r, i] - centre)
            derivative += share * square(x[r, i] - centre)
        log_slope[r, i] = np.log(derivative)
    return {
        "polynomials": polynomials, "degree": degree, "minimumSlope": slope, "inputs": flat(x), "parameters": flat(raw),
        "outputs": flat(y), "logDets": flat(log_slope.sum(1)),
    }


fixture = {
    "flowjax": [flow_jax(4, 0, 6, 2, 4), flow_jax(3, 2, 7, 1, 5), flow_jax(2, 1, 4, 2, 6)],
    "bnaf": [bnaf(3, 0, 4, 2, 7), bnaf(3, 2, 3, 1, 8), bnaf(1, 1, 5, 2, 9)],
    "sos": [sos(2, 3, 1e-3, 10), sos(1, 0, 0.1, 11), sos(3, 2, 1e-3, 12)],
}
path = pathlib.Path("Tests/BijectionsTests/Fixtures/autoregressive.json")
path.write_text(json.dumps(fixture, indent=1) + "\n")
print(path, path.stat().st_size, "bytes, flowjax", getattr(flowjax, "__version__", "19.1.2"))
