"""Writes what layers of nflows, zuko and TensorFlow Probability and functions of scipy give, for Tests/BijectionsTests/LayerReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_layers.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/layers.json. Made with the versions of requirements-torch.txt,
in float64. Parameters stand under their paths in this library's tree.

- SVDLinear: nflows'. Its singular values are 10^-3 + softplus; here they are exponentials.
- Autoregressive with parents: zuko's MaskedMLP of the same adjacency. Its hidden units see sets of numbers; ours are matched with
  those of equal sets, in zuko's order. The map y = x exp(s) + t and its log-determinant are one line of NumPy.
- LogisticToNormal: scipy's ndtri_exp of log σ(x), and the derivative from its log_ndtr.
- Gaussianization: zuko's GaussianizationTransform has normal components, not logistic ones, so the mixture is scipy's logistic.
- FromPositiveDefinite: the inverse of TensorFlow Probability's CholeskyOuterProduct of FillScaleTriL.
- SphereMobius: the formula in complex numbers on the circle, where it is a fraction; no package has it.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import nflows.transforms
import numpy as np
import scipy.special as special
import torch
import zuko.nn
from tensorflow_probability.substrates import jax as tfp

from versions import check

check("nflows", "zuko", "torch", "numpy", "scipy", "jax", "tfp-nightly")
jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(31)


def numbers(*shape, scale=1.0):
    return np.round(scale * rng.normal(size=shape), 6)


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def case(library, layer, variant, x, y, log_det, **params):
    return {
        "library": library, "layer": layer, "variant": str(variant),
        "params": {k.replace("__", "/"): array(v) for k, v in params.items()}, "x": array(x), "y": array(y),
        "logDet": np.broadcast_to(np.asarray(log_det), [len(x)]).tolist(),
    }


def svd(d, n):
    layer = nflows.transforms.SVDLinear(d, num_householder=n)
    diagonal, left, right, bias = numbers(d), numbers(n, d), numbers(n, d), numbers(d)
    values = {
        "bias": bias, "unconstrained_diagonal": diagonal, "orthogonal_2.q_vectors": left, "orthogonal_1.q_vectors": right}
    for name, value in values.items():
        layer.get_parameter(name).data = torch.as_tensor(value)
    x = numbers(4, d)
    with torch.no_grad():
        y, log_det = layer(torch.as_tensor(x.copy()))
    return case(
        "nflows", "SVDLinear", n, x, y, log_det, left=left, right=right, bias=bias,
        logScale=np.log(1e-3 + np.logaddexp(0, diagonal)))


def parents(sets, order, hidden):
    """`order` lists the numbers with parents first, the first ready one next, as this library sorts them."""
    d = len(sets)
    adjacency = torch.tensor([[j in sets[i] for j in range(d)] for i in range(d)])
    net = zuko.nn.MaskedMLP(adjacency.repeat_interleave(2, dim=0), hidden, activation=torch.nn.Tanh)
    linears = [m for m in net if hasattr(m, "mask")]
    for linear in linears:
        linear.weight.data = torch.as_tensor(numbers(*linear.weight.shape, scale=0.7))
        linear.bias.data = torch.as_tensor(numbers(*linear.bias.shape, scale=0.5))
    x = numbers(4, d)
    with torch.no_grad():
        raw = np.asarray(net(torch.as_tensor(x))).reshape(4, d, 2)
    y, log_det = x * np.exp(raw[..., 0]) + raw[..., 1], raw[..., 0].sum(1)
    # The set of each hidden unit: the numbers that reach it.
    place = {n: i for i, n in enumerate(order)}
    kinds = []
    for n in order:
        kind = frozenset(sets[n])
        if kind and kind not in kinds:
            kinds.append(kind)
    reach = [frozenset(np.flatnonzero(row)) for row in linears[0].mask.numpy()]
    columns = [np.array(order[:-1])]
    for layer, width in enumerate(hidden):
        if layer > 0:
            before, mask = reach, linears[layer].mask.numpy()
            reach = [max((before[j] for j in np.flatnonzero(row)), key=len) for row in mask]
        free = list(range(width))
        own = []
        for i in range(width):
            unit = next(j for j in free if reach[j] == kinds[i % len(kinds)])
            free.remove(unit)
            own.append(unit)
        columns.append(np.array(own))
    columns.append(np.array([2 * n + k for n in order for k in range(2)]))
    params = {}
    for i, linear in enumerate(linears):
        weight = linear.weight.detach().numpy().T
        params[f"net__dense_{i}__weight"] = weight[columns[i]][:, columns[i + 1]]
        params[f"net__dense_{i}__bias"] = linear.bias.detach().numpy()[columns[i + 1]]
    variant = ";".join(",".join(map(str, sorted(s))) for s in sets) + "|" + ",".join(map(str, hidden))
    return case("zuko", "Autoregressive, parents", variant, x, y, log_det, **params)


def logit_of_normal(z):
    return special.log_ndtr(z) - special.log_ndtr(-z)


def logistic_to_normal():
    x = np.array([[-700.0, -60.0, -8.0, -1.5, -1e-9], [0.0, 0.3, 4.9, 12.0, 300.0], [5.1, 5.2, -5.3, 30.0, 1e-3]])
    small = special.ndtri_exp(special.log_expit(-np.abs(x)))
    z = -small * np.sign(x)
    log_slope = special.log_expit(x) + special.log_expit(-x) + 0.5 * z**2 + 0.5 * np.log(2 * np.pi)
    return case("scipy", "LogisticToNormal", "", x, z, log_slope.sum(1))


def gaussianization(d, k):
    raw, x = numbers(d, 3 * k + 2, scale=0.7), numbers(5, d, scale=2)
    w = special.log_softmax(raw[:, :k], axis=1)
    mean, scale = raw[:, k:2 * k] + np.linspace(-1, 1, k), np.exp(5 * np.tanh(raw[:, 2 * k:3 * k] / 5))
    z = (x[:, :, None] - mean) / scale
    below = special.logsumexp(w + special.log_expit(z), axis=2)
    above = special.logsumexp(w + special.log_expit(-z), axis=2)
    density = special.logsumexp(w - np.log(scale) + special.log_expit(z) + special.log_expit(-z), axis=2)
    s, t = 2 * np.tanh(raw[:, 3 * k] / 2), raw[:, 3 * k + 1]
    logit = (below - above) * np.exp(s) + t
    y = -special.ndtri_exp(special.log_expit(-np.abs(logit))) * np.sign(logit)
    log_slope = density - below - above + s
    log_slope += special.log_expit(logit) + special.log_expit(-logit) + 0.5 * y**2 + 0.5 * np.log(2 * np.pi)
    return case("scipy", "Gaussianization", k, x, y, log_slope.sum(1), **{"0__raw": raw.ravel()})


def positive_definite(k):
    tfb = tfp.bijectors
    fill = tfb.FillScaleTriL(diag_bijector=tfb.Exp(), diag_shift=None)
    outer = tfb.Chain([tfb.CholeskyOuterProduct(), fill])
    vectors = jnp.asarray(numbers(4, k * (k + 1) // 2, scale=0.8))
    matrix, lower = np.asarray(outer.forward(vectors)), np.asarray(fill.forward(vectors))
    log_det = outer.forward_log_det_jacobian(vectors, event_ndims=1)
    i, j = np.tril_indices(k, -1)
    y = np.hstack([np.log(np.diagonal(lower, axis1=1, axis2=2)), lower[:, i, j]])
    return case("tfp", "FromPositiveDefinite", k, matrix, y, -log_det)


def mobius():
    center, angle = numbers(2), numbers(5, scale=2)
    omega = 0.99 * (center[0] + 1j * center[1]) / np.sqrt(1 + center @ center)
    z = np.exp(1j * angle)
    # (1 − |ω|²) / conj(z − ω) − ω, and |dy/dz|.
    w = (1 - abs(omega) ** 2) / np.conj(z - omega) - omega
    log_det = np.log((1 - abs(omega) ** 2) / abs(z - omega) ** 2)
    pair = lambda z: np.stack([z.real, z.imag], 1)
    return case("formula", "SphereMobius", "", pair(z), pair(w), log_det, center=center)


cases = [
    svd(5, 4), svd(3, 2), parents([[], [0], [0, 1], [0, 1, 2]], [0, 1, 2, 3], [6]),
    parents([[2], [2, 0], [], [0, 1, 2]], [2, 0, 1, 3], [6, 3]), parents([[3], [3], [0, 1], []], [3, 0, 1, 2], [4]),
    logistic_to_normal(), gaussianization(3, 4), positive_definite(1), positive_definite(3), positive_definite(4), mobius(),
]
path = pathlib.Path(__file__).parents[1] / "BijectionsTests" / "Fixtures" / "layers.json"
lines = ",\n".join("  " + json.dumps(item, separators=(",", ":"), allow_nan=False) for item in cases)
path.write_text(f'{{"cases": [\n{lines}\n]}}\n')
print(path, path.stat().st_size, "bytes", len(cases), "cases")
