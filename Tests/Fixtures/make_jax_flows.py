"""Writes what jax-flows computes from given parameters, for Tests/DistributionsTests/JaxFlowsTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/pip install --no-deps jax-flows==0.0.1
    /tmp/venv/bin/python Tests/Fixtures/make_jax_flows.py

run from the repository root, writes Tests/DistributionsTests/Fixtures/jax_flows.json. Made with jax-flows 0.0.1, jax 0.10.2,
numpy 2.4.6 and scipy 1.17.1, in float64. jax-flows' own functions compute every number; jax_flows.py says how they run.

A case has the outputs y and log-determinants of `direct_fun` at x, the outputs and log-determinants of `inverse_fun` at y, and
two signs. jax-flows is mistaken about some signs: the right log-determinant is sign * logDet. The script asserts the right
ones by central differences. The known mistakes, none corrected in the numbers:

- The inverse of AffineCoupling, AffineCouplingSplit and MADE returns the log-determinant of the forward direction.
- BatchNorm never keeps its running statistics: in evaluation its mean is 0 and its variance 1, whatever came before. It adds
  epsilon before the variance is kept, so that evaluation has none: here `runningVariance` is 1 - epsilon.
- NeuralSplineCoupling normalizes widths, heights and slopes, and its RQS normalizes them once more. The network that it is given
  here undoes the first of the two: log((w + c) / 2B) for a width w, with c so that they sum to 2B. Its reshape takes even
  dimensions only, and its functions use the networks' first parameters, not those given.

A parameter stands under its path in this library's tree. jax-flows' slope is min + softplus(d); d is stored less
log(exp(1 - min) - 1), since here 0 stands for a slope of 1. MADE's weights are stored as `network_order` says.
"""

import importlib.metadata
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from jax_flows import Parts, flows, stax

versions = [importlib.metadata.version(name) for name in ("jax-flows", "jax", "numpy", "scipy")]
assert versions == ["0.0.1", "0.10.2", "2.4.6", "1.17.1"]
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(11)
K, BOUND, HIDDEN, LEAST, EPSILON = 5, 3.0, 8, 1e-3, 1e-5
OFFSET = np.log(np.expm1(1 - LEAST))
KEY = jax.random.PRNGKey(0)


def numbers(*shape, scale=1.0):
    """Numbers of six digits, so that the file stays small."""
    return np.round(scale * rng.normal(size=shape), 6)


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


# A layer here is (init_fun of jax-flows, its parameters or None for those that init_fun gives, the parameters by path).


def mlp(sizes, prefix, last=1.0):
    """Parameters by path, a function of them, and what jax-flows takes for a network."""
    count = len(sizes) - 1
    params = {}
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        scale = last if i == count - 1 else 1.0
        params[f"{prefix}/dense_{i}/weight"] = numbers(m, n, scale=scale / max(m, 1) ** 0.5)
        params[f"{prefix}/dense_{i}/bias"] = numbers(n, scale=0.5 * scale)
    weights = list(params.values())

    def apply(weights, x):
        for i in range(count):
            x = x @ weights[2 * i] + weights[2 * i + 1]
            x = jnp.tanh(x) if i < count - 1 else x
        return x

    return params, apply, weights


def affine_coupling(d):
    params, apply, weights = mlp([d // 2, 6, 2 * (d - d // 2)], "net", 0.3)
    return flows.AffineCoupling(lambda *_: (weights, lambda p, x: Parts(apply(p, x)))), None, params


def affine_coupling_split(d):
    scale = mlp([d // 2, 6, d - d // 2], "net/0", 0.3)
    translate = mlp([d // 2, 7, d - d // 2], "net/1")
    of = lambda net: lambda *_: (net[2], net[1])
    return flows.AffineCouplingSplit(of(scale), of(translate)), None, scale[0] | translate[0]


def once_normalized(raw):
    """Raw numbers whose first normalization by jax-flows gives widths, heights and slopes w + c, h + c and d."""
    def undone(w):
        rest = (2 * BOUND - w.sum(-1, keepdims=True)) / K
        return jnp.log((w + rest) / (2 * BOUND))

    raw = raw.reshape(*raw.shape[:-1], -1, 3 * K - 1)
    w, h, d = raw[..., :K], raw[..., K:2 * K], raw[..., 2 * K:]
    return jnp.concatenate([undone(w), undone(h), jnp.log(jnp.expm1(d))], -1).reshape(*raw.shape[:-2], -1)


def spline_coupling(d):
    nets = [mlp([d // 2, HIDDEN, HIDDEN, (3 * K - 1) * d // 2], f"{i}/net", 0.25) for i in (0, 1)]
    waiting = list(nets)
    params = nets[0][0] | nets[1][0]
    for i, (_, _, weights) in enumerate(nets):
        slopes = weights[-1].reshape(-1, 3 * K - 1)[:, 2 * K:]
        slopes += 1.5  # jax-flows' own softplus gives positive raw slopes only
        stored = weights[-1].reshape(-1, 3 * K - 1).copy()
        stored[:, 2 * K:] -= OFFSET
        params = params | {f"{i}/net/dense_2/bias": stored.ravel()}

    def network(out_dim, hidden_dim):
        _, apply, weights = waiting.pop(0)
        return lambda key, shape: (None, weights), lambda p, x: once_normalized(apply(p, x))

    return flows.NeuralSplineCoupling(K, BOUND, HIDDEN, network), None, params


def made(d, widths):
    # An example of jax-flows has one list of hidden degrees for every hidden layer.
    degrees = [np.arange(d)] + [np.arange(h) % (d - 1) for h in widths] + [(np.arange(d) % d) - 1]
    masks = [(o[None, :] >= i[:, None]).astype(float) for i, o in zip(degrees, degrees[1:])]
    masks[-1] = np.tile(masks[-1], (1, 2))
    initialize, apply = stax.serial(*[part for mask in masks for part in (flows.MaskedDense(mask), stax.Relu)][:-1])
    weights = [(numbers(*mask.shape, scale=0.7), numbers(mask.shape[1], scale=0.5)) for mask in masks]
    _, own = initialize(KEY, (d,))
    params = [weights[i // 2] if i % 2 == 0 else () for i in range(len(own))]
    assert jax.tree.map(np.shape, params) == jax.tree.map(np.shape, list(own))
    transform = lambda key, size: (params, lambda p, x: Parts(apply(p, x)))
    return flows.MADE(transform), None, network_order(degrees, weights)


def network_order(degrees, weights):
    """Weights as Swift holds them: [in, out], hidden units sorted by degree (a stable sort: the function does not depend on
    the units' order), without the last number's row, outputs number by number."""
    d = len(degrees[0])
    orders = [np.argsort(degree, kind="stable") for degree in degrees[1:-1]]
    rows = [np.arange(d - 1)] + orders
    columns = orders + [np.arange(2 * d).reshape(2, d).T.ravel()]
    params = {}
    for i, ((weight, bias), a, b) in enumerate(zip(weights, rows, columns)):
        params |= {f"net/dense_{i}/weight": weight[a][:, b], f"net/dense_{i}/bias": bias[b]}
    return params


def act_norm(d):
    weight, bias = numbers(d, scale=0.4), numbers(d)
    return flows.ActNorm(), (weight, bias), {"logScale": weight, "bias": bias}


def invert(layer):
    init, params, tree = layer
    return flows.Invert(init), params, tree


def matrix(init, d, params=None):
    """What a linear layer does to the unit vectors."""
    own, direct, _ = init(KEY, d)
    return np.asarray(direct(own if params is None else params, jnp.eye(d))[0])


def shuffle(d, key=KEY):
    own, direct, _ = flows.Shuffle()(key, d)
    return flows.Shuffle(), None, {"permutation": np.asarray(direct(own, jnp.arange(d)[None])[0])[0].astype(int)}


def invertible_linear(d, key=KEY):
    (lower, upper, s), _, _ = flows.InvertibleLinear()(key, d)
    own, direct, _ = flows.InvertibleLinear()(key, d)
    p = scipy.linalg.lu(np.asarray(direct(own, jnp.eye(d))[0]))[0]
    s = np.asarray(s) * np.exp(numbers(d, scale=0.3))
    lower = np.tril(np.asarray(lower) + numbers(d, d, scale=0.1), -1)
    upper = np.triu(np.asarray(upper) + numbers(d, d, scale=0.1), 1)
    # A = P L U is A[order] = L U with order[i] the row of P's column i that holds its 1.
    tree = {
        "factors": lower + upper + np.diag(np.log(np.abs(s))), "permutation": np.argmax(p, axis=0), "sign": np.sign(s),
    }
    return flows.InvertibleLinear(), (lower, upper, s), tree


def fixed_invertible_linear(d):
    # The matrix as a product of reflections H1 ... Hd by Householder's method; a zero vector reflects nothing.
    vectors, rest = [], matrix(flows.FixedInvertibleLinear(), d)
    for k in range(d):
        v = rest[:, k] - np.eye(d)[k]
        v = v if v @ v > 1e-20 else np.zeros(d)
        vectors.append(v)
        rest = rest - 2 * np.outer(v, v @ rest) / (v @ v) if v.any() else rest
    assert np.allclose(rest, np.eye(d), atol=1e-12)
    return flows.FixedInvertibleLinear(), None, {"vectors": np.array(vectors)}


def batch_norm(d):
    weight, bias = numbers(d, scale=0.3), numbers(d)
    tree = {"logScale": weight, "bias": bias, "runningMean": np.zeros(d), "runningVariance": np.full(d, 1 - EPSILON)}
    return flows.BatchNorm(), (weight, bias), tree


def in_evaluation(init):
    """In evaluation mode, which a Serial would ask of all its members: NeuralSplineCoupling takes no such argument."""
    def initialize(key, d, **kwargs):
        params, direct, inverse = init(key, d, **kwargs)
        mode = {"evaluation": True}
        return params, lambda p, x: direct(p, x, **mode), lambda p, x: inverse(p, x, **mode)

    return initialize


def plain(init):
    return init, None, {}


def run(layer, d, x, key=KEY):
    init, params, tree = layer
    own, direct, inverse = init(key, d)
    params = own if params is None else params
    y, log_det = direct(params, jnp.asarray(x))
    back, back_log_det = inverse(params, y)
    results = [np.asarray(v) for v in (y, log_det, back, back_log_det)]
    return results, lambda x: np.asarray(direct(params, jnp.asarray(x))[0])


def right_log_det(f, x):
    """Central differences of all rows at once, since jax-flows' spline needs one inside its bounds. NaN near the bounds,
    where its second derivative jumps."""
    columns = [(f(x + 1e-6 * e) - f(x - 1e-6 * e)) / 2e-6 for e in np.eye(x.shape[1])]
    right = np.linalg.slogdet(np.stack(columns, axis=-1))[1]
    return np.where(np.any(np.abs(np.abs(x) - BOUND) < 1e-3, axis=1), np.nan, right)


def case(name, layer, x, signs=(1, 1)):
    (y, log_det, back, back_log_det), f = run(layer, x.shape[1], x)
    right = right_log_det(f, x)
    known = ~np.isnan(right)
    assert known.sum() >= 2 and np.abs(back - x).max() < 1e-7, name
    assert np.abs(signs[0] * log_det - right)[known].max() < 1e-4, (name, log_det, right)
    assert np.abs(signs[1] * back_log_det + right)[known].max() < 1e-4, (name, back_log_det, right)
    return {
        "name": name, "params": {k: array(v) for k, v in layer[2].items()}, "x": array(x), "y": array(y),
        "logDet": log_det.tolist(), "sign": signs[0], "inverse": array(back), "inverseLogDet": back_log_det.tolist(),
        "inverseSign": signs[1],
    }


def rows(d):
    x = numbers(6, d, scale=1.5)
    x[0] = 5 * np.sign(x[0])  # outside the splines
    x[1, 0] = BOUND
    x[1, -1] = -BOUND
    return x


def cases():
    for d in (2, 4, 5):
        yield case("AffineCouplingSplit", affine_coupling_split(d), rows(d), (1, -1))
        yield case("AffineCoupling", affine_coupling(d), rows(d), (1, -1))
        yield case("Invert(AffineCoupling)", invert(affine_coupling(d)), rows(d), (-1, 1))
        yield case("ActNorm", act_norm(d), rows(d))
        yield case("Invert(ActNorm)", invert(act_norm(d)), rows(d))
        yield case("Reverse", plain(flows.Reverse()), rows(d))
        yield case("Shuffle", shuffle(d), rows(d))
        yield case("InvertibleLinear", invertible_linear(d), rows(d))
        yield case("FixedInvertibleLinear", fixed_invertible_linear(d), rows(d))
        init, params, tree = batch_norm(d)
        yield case("BatchNorm", (in_evaluation(init), params, tree), rows(d))
    for d in (2, 4):
        yield case("NeuralSplineCoupling", spline_coupling(d), rows(d))
    for d, widths in ((3, [6, 4]), (2, [4]), (5, [8, 8])):
        yield case(f"MADE {' '.join(map(str, widths))}", made(d, widths), numbers(4, d), (1, -1))
    x = numbers(4, 3, scale=2.5)  # beyond 11 its logit clips
    yield case("Sigmoid", plain(flows.Sigmoid()), x)
    yield case("Logit", plain(flows.Logit()), 1 / (1 + np.exp(-x)))


def act_norm_start():
    batch = np.round(rng.normal(2, 3, (9, 4)), 6)
    (weight, bias), _, _ = flows.ActNorm()(KEY, 4, init_inputs=jnp.asarray(batch))
    return {"batch": array(batch), "logScale": array(weight), "bias": array(bias)}


def batch_norm_training():
    """Outputs in training mode, and the inverse with the statistics of the last batch."""
    d = 3
    init, params, tree = batch_norm(d)
    own, direct, inverse = init(KEY, d)
    steps = []
    for _ in range(2):
        x = np.round(rng.normal([1, -2, 50], [0.1, 3, 0.01], size=(8, d)), 6)
        y, log_det = direct(params, jnp.asarray(x))
        back, back_log_det = inverse(params, y)
        assert np.abs(back - x).max() < 1e-9 and np.abs(log_det + back_log_det).max() < 1e-12
        steps.append({"x": array(x), "y": array(y), "logDet": np.asarray(log_det).tolist()})
    unmoved = direct(params, jnp.asarray(x), evaluation=True)[0]
    assert np.allclose(unmoved, x * np.exp(params[0]) + params[1], atol=1e-12)  # the mistake above
    return {"logScale": array(params[0]), "bias": array(params[1]), "steps": steps}


def flow():
    """A Serial, and Flow's log_pdf under its priors, Normal and GMM."""
    d, x = 4, rows(4)
    keys, key = [], KEY
    for _ in range(8):
        key, one = jax.random.split(key)
        keys.append(one)
    init, params, tree = batch_norm(d)
    members = [
        affine_coupling(d), shuffle(d, keys[1]), invertible_linear(d, keys[2]), invert(act_norm(d)),
        (in_evaluation(init), params, tree), spline_coupling(d), plain(flows.Reverse()), affine_coupling_split(d)]
    serial = flows.Serial(*[layer[0] for layer in members])
    own, direct, inverse = serial(KEY, d)
    params = [given if given is not None else first for (_, given, _), first in zip(members, own)]
    y, log_det = direct(params, jnp.asarray(x))
    f = lambda x: np.asarray(direct(params, jnp.asarray(x))[0])
    right = right_log_det(f, x)
    known = ~np.isnan(right)
    assert np.abs(np.asarray(log_det) - right)[known].max() < 1e-4
    back = inverse(params, y)[0]
    assert np.abs(back - x).max() < 1e-7
    means = numbers(3, d)
    factors = np.round(0.6 * rng.normal(size=(3, d, d)), 3) + np.eye(d)
    covariances, weights = factors @ factors.transpose(0, 2, 1), np.array([0.8, 0.15, 0.05])
    tree = {f"{i}/{path}": value for i, (_, _, tree) in enumerate(members) for path, value in tree.items()}

    def log_pdf(prior):
        _, density, _ = flows.Flow(lambda key, d: (own, direct, inverse), prior)(KEY, d)
        return np.asarray(density(params, jnp.asarray(x))).tolist()

    return {
        "params": {k: array(v) for k, v in tree.items()}, "x": array(x), "y": array(y), "inverse": array(back),
        "logDet": np.asarray(log_det).tolist(), "logPDF": log_pdf(flows.Normal()),
        "mixture": {
            "means": means.tolist(), "covariances": covariances.tolist(), "weights": weights.tolist(),
            "logPDF": log_pdf(flows.GMM(jnp.asarray(means), jnp.asarray(covariances), jnp.asarray(weights))),
        },
    }


document = {"cases": list(cases()), "actNorm": act_norm_start(), "batchNorm": batch_norm_training(), "flow": flow()}
path = pathlib.Path(__file__).parents[1] / "DistributionsTests" / "Fixtures" / "jax_flows.json"
lines = ",\n".join("  " + json.dumps(item, separators=(",", ":"), allow_nan=False) for item in document.pop("cases"))
rest = ",\n".join(f'"{k}": {json.dumps(v, separators=(",", ":"), allow_nan=False)}' for k, v in document.items())
path.write_text(f'{{\n"cases": [\n{lines}\n],\n{rest}\n}}\n')
print(path, path.stat().st_size, "bytes")
