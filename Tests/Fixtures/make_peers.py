"""Writes what layers of nflows, normflows, FrEIA, Pyro and distrax compute, for Tests/BijectionsTests/PeerReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_peers.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/peers.json. Made with the versions of requirements-torch.txt,
in float64. Every y and log-determinant comes from the library that a case names. Parameters are drawn as this library holds
them, under their paths, and given to the other one in its own order and form:

- A network has one hidden layer of tanh. The other library gets its columns in the order that it wants.
- nflows' scale is 10^-3 + sigmoid(r + 2): the 2 is taken off the bias. Its slopes of splines get the offset of make_transformers.py.
- FrEIA's TANH clamp is c tanh(r); here it is c tanh(r / c).
- Planar layers of Pyro and normflows have m(a) = softplus(a) - 1, here it is softplus(a + c) - 0.999: u is moved along w so that
  both have the same m. radial: alpha is softplus of the raw number, which normflows takes by its magnitude.
- Images have the channels first there and last here. nflows' squeeze orders new channels by (old channel, position).

Found on the way: the log-determinant of Pyro's Sylvester is not that of its map, and torchflows has sigmoids there. No package
has HINT, hyperbolic layers, i-RIM, emerging or periodic convolutions: make_images.py and make_variational.py restate those.
"""

import json
import pathlib

import distrax
import FrEIA.modules
import jax
import jax.numpy as jnp
import nflows.transforms
import normflows.flows
import numpy as np
import pyro.distributions.transforms
import scipy.linalg
import torch

from versions import check

check("nflows", "normflows", "FrEIA", "pyro-ppl", "distrax", "torch", "numpy", "scipy", "jax")
jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(20)
HIDDEN, LEAST = 5, 1e-3
OFFSET = np.log(np.expm1(1 - LEAST))
first, last = (lambda x: x.transpose(0, 3, 1, 2)), (lambda x: x.transpose(0, 2, 3, 1))


def numbers(*shape, scale=1.0):
    return np.round(scale * rng.normal(size=shape), 6)


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def run(function, *x):
    with torch.no_grad():
        return [np.asarray(v) for v in function(*[torch.as_tensor(np.array(v)) for v in x])]


def set_parameters(module, **values):
    for name, value in values.items():
        parameter = module.get_parameter(name)
        parameter.data = torch.as_tensor(np.array(value)).reshape(parameter.shape)


def case(library, layer, x, y, log_det, params, context=None, variant=""):
    return {
        "library": library, "layer": layer, "variant": str(variant), "params": {k: array(v) for k, v in params.items()},
        "x": array(x), "context": None if context is None else array(context), "y": array(y),
        "logDet": np.broadcast_to(log_det, [len(x)]).tolist(),
    }


class Net(torch.nn.Module):
    """A network of this library's parameters, whose outputs stand in the order `columns`, plus `added`."""

    def __init__(self, params, columns=None, added=0.0, scaled=1.0):
        super().__init__()
        self.w0, self.b0, self.w1, self.b1 = [torch.as_tensor(np.array(v)) for v in params.values()]
        self.columns = np.arange(len(self.b1)) if columns is None else columns
        self.added, self.scaled = torch.as_tensor(np.array(added)), torch.as_tensor(np.array(scaled))

    def forward(self, x, context=None):
        x = x if context is None else torch.cat([x, context], 1)
        outputs = torch.tanh(x @ self.w0 + self.b0) @ self.w1 + self.b1
        return (outputs * self.scaled + self.added)[:, self.columns]


def mlp(inputs, outputs, prefix="net"):
    return {
        f"{prefix}/dense_0/weight": numbers(inputs, HIDDEN), f"{prefix}/dense_0/bias": numbers(HIDDEN),
        f"{prefix}/dense_1/weight": numbers(HIDDEN, outputs, scale=0.4), f"{prefix}/dense_1/bias": numbers(outputs, scale=0.4),
    }


def halves(n):
    """Raw parameters here are all r, then all t."""
    return np.arange(2 * n).reshape(2, n)


# MARK: couplings


def nflows_affine(d, contexts=0):
    cut, n = d // 2, d - d // 2
    params, x = mlp(cut + contexts, 2 * n), numbers(4, d)
    context = numbers(4, contexts) if contexts else None
    net = Net(params, halves(n)[::-1].ravel(), np.repeat([-2.0, 0.0], n))
    mask = [0] * cut + [1] * n
    layer = nflows.transforms.AffineCouplingTransform(mask, lambda *_: net)
    y, log_det = run(layer, x) if context is None else run(layer, x, context)
    return case("nflows", "AffineCoupling", x, y, log_det, params, context, "within")


def nflows_image_coupling():
    """A convolution net of two windows of 3 by 3, zeros around the image."""
    params = {
        "net/conv_0/weight": numbers(3, 3, 2, 3, scale=0.4), "net/conv_0/bias": numbers(3),
        "net/conv_1/weight": numbers(3, 3, 3, 4, scale=0.2), "net/conv_1/bias": numbers(4, scale=0.4),
    }
    w0, b0, w1, b1 = [torch.as_tensor(v) for v in params.values()]
    conv = lambda x, w, b: torch.nn.functional.conv2d(x, w.permute(3, 2, 0, 1), b, padding=1)

    class Convolutions(torch.nn.Module):
        def forward(self, x, context=None):
            outputs = conv(torch.tanh(conv(x, w0, b0)), w1, b1)
            return torch.cat([outputs[:, 2:], outputs[:, :2] - 2], 1)

    layer = nflows.transforms.AffineCouplingTransform([0, 0, 1, 1], lambda *_: Convolutions())
    x = numbers(2, 3, 4, 4)
    y, log_det = run(layer, first(x))
    return case("nflows", "AffineCoupling", x, last(y), log_det, params, None, "within, image")


def raw_spline(n, bins):
    """Where slopes stand among a network's outputs."""
    return np.tile(np.arange(3 * bins - 1) >= 2 * bins, n)


def nflows_spline(d, bins, bound):
    cut, n = d // 2, d - d // 2
    params, x = mlp(cut, n * (3 * bins - 1)), numbers(4, d, scale=1.5)
    net = Net(params, None, OFFSET * raw_spline(n, bins))
    layer = nflows.transforms.PiecewiseRationalQuadraticCouplingTransform(
        [0] * cut + [1] * n, lambda *_: net, num_bins=bins, tails="linear", tail_bound=bound, min_bin_width=LEAST,
        min_bin_height=LEAST, min_derivative=LEAST)
    return case("nflows", "Coupling spline", x, *run(layer, x), params, None, bins)


def distrax_spline(d, bins, bound):
    cut, n = d // 2, d - d // 2
    params, x = mlp(cut, n * (3 * bins - 1)), numbers(4, d, scale=1.5)
    w0, b0, w1, b1 = params.values()

    def conditioner(x):
        raw = (jnp.tanh(x @ w0 + b0) @ w1 + b1).reshape(*x.shape[:-1], n, 3 * bins - 1)
        ends = jnp.zeros((*raw.shape[:-1], 1))
        return jnp.concatenate([raw[..., :2 * bins], ends, raw[..., 2 * bins:], ends], -1)

    layer = distrax.SplitCoupling(cut, 1, conditioner, lambda raw: distrax.RationalQuadraticSpline(
        raw, range_min=-bound, range_max=bound, boundary_slopes="identity", min_bin_size=2 * bound * LEAST,
        min_knot_slope=LEAST))
    y, log_det = layer.forward_and_log_det(jnp.asarray(x))
    return case("distrax", "Coupling spline", x, y, log_det, params, None, bins)


def normflows_affine(d, scale):
    cut, n = d // 2, d - d // 2
    params, x = mlp(cut, 2 * n), numbers(4, d)
    theirs = {"exponential": "exp", "sigmoid": "sigmoid_inv"}[scale]
    layer = normflows.flows.AffineCoupling(Net(params, halves(n)[::-1].T.ravel()), scale_map=theirs)
    with torch.no_grad():
        (a, b), log_det = layer([torch.as_tensor(x[:, :cut]), torch.as_tensor(x[:, cut:])])
    return case("normflows", "AffineCoupling", x, np.hstack([a, b]), log_det, params, None, scale)


def freia_one_sided(d, clamp, contexts=0):
    cut, n = d // 2, d - d // 2
    params, x = mlp(cut + contexts, 2 * n), numbers(4, d)
    context = numbers(4, contexts) if contexts else None
    net = Net(params, None, 0.0, np.repeat([0.5, 1.0], n) if clamp == "TANH" else 1.0)
    layer = FrEIA.modules.AffineCouplingOneSided(
        [(d,)], [(contexts,)] if contexts else [], lambda *_: net, clamp_activation=clamp, split_len=cut)
    c = [] if context is None else [torch.as_tensor(context)]
    with torch.no_grad():
        (y,), log_det = layer([torch.as_tensor(x)], c)
    return case("FrEIA", "AffineCoupling", x, y, log_det, params, context, {"ATAN": "arctangent", "TANH": "bounded"}[clamp])


def freia_two_sided(name, d, count):
    """The first half given the second, then the second given the first. All but NICE make the latter's networks first."""
    cut, n = d // 2, d - d // 2
    outputs = {"AdditiveCoupling": 1, "GIN": 2, "AffineCouplingSplit": 1}[name]
    paths = ["net"] if count == 2 else ["net/0", "net/1"]
    params, nets = {}, {}
    for side, (inputs, width) in enumerate([(n, cut), (cut, n)]):
        for path in paths:
            one = mlp(inputs, outputs * width, f"{side}/{path}")
            params |= one
            nets[side, path] = Net(one)
    order = (0, 1) if name == "AdditiveCoupling" else (1, 0)
    waiting = [nets[side, path] for side in order for path in paths]
    theirs = {
        "AdditiveCoupling": FrEIA.modules.NICECouplingBlock, "GIN": FrEIA.modules.GINCouplingBlock,
        "AffineCouplingSplit": FrEIA.modules.RNVPCouplingBlock}[name]
    layer = theirs([(d,)], subnet_constructor=lambda *_: waiting.pop(0), split_len=cut)
    x = numbers(4, d)
    with torch.no_grad():
        (y,), log_det = layer([torch.as_tensor(x)])
    return case("FrEIA", f"two {name}", x, y, np.asarray(log_det), params)


# MARK: autoregressive


def nflows_autoregressive(d, width, bins, bound):
    layer = nflows.transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
        d, width, num_bins=bins, tails="linear", tail_bound=bound, num_blocks=1, use_residual_blocks=False,
        activation=torch.relu, min_bin_width=LEAST, min_bin_height=LEAST, min_derivative=LEAST)
    made = layer.autoregressive_net
    assert not hasattr(made, "hidden_features")  # else nflows scales widths and heights
    linears = [made.initial_layer, made.blocks[0].linear, made.final_layer]
    orders = [np.arange(d - 1)] + [np.argsort(linear.degrees.numpy(), kind="stable") for linear in linears[:2]]
    params = {}
    for i, linear in enumerate(linears):
        outputs, inputs = linear.weight.shape
        weight, bias = numbers(inputs, outputs, scale=0.7), numbers(outputs, scale=0.5)
        linear.weight.data = torch.as_tensor(weight.T.copy())
        linear.bias.data = torch.as_tensor(bias + (OFFSET * raw_spline(d, bins) if i == 2 else 0.0))
        columns = orders[i + 1] if i < 2 else np.arange(outputs)
        params |= {f"net/dense_{i}/weight": weight[orders[i]][:, columns], f"net/dense_{i}/bias": bias[columns]}
    x = numbers(4, d, scale=1.5)
    return case("nflows", "Autoregressive spline", x, *run(layer, x), params, None, f"{width} {width}")


# MARK: residual


def planar(library, d):
    u, w, b = numbers(d, scale=2), numbers(d), numbers(1)
    c = np.log(np.expm1(0.999))
    m = np.logaddexp(0, w @ u + c) - 0.999
    theirs = u + (np.log(np.expm1(m + 1)) - w @ u) * w / (w @ w)
    x = numbers(4, d, scale=2)
    if library == "normflows":
        layer = normflows.flows.Planar((d,), u=torch.tensor(theirs[None]), w=torch.tensor(w[None]), b=torch.tensor(b))
        y, log_det = run(layer, x)
    else:
        layer = pyro.distributions.transforms.Planar(d)
        set_parameters(layer, u=theirs, w=w, bias=b)
        y, log_det = run(lambda x: (y := layer(x), layer.log_abs_det_jacobian(x, y)), x)
    return case(library, "Planar", x, y, log_det, {"u": u, "w": w, "b": b})


def radial(library, d):
    center, alpha, beta = numbers(d), numbers(1), numbers(1, scale=2)
    x = numbers(4, d, scale=2)
    if library == "normflows":
        layer = normflows.flows.Radial((d,))
        set_parameters(layer, alpha=np.logaddexp(0, alpha), beta=beta, z_0=center)
        y, log_det = run(layer, x)
    else:
        layer = pyro.distributions.transforms.Radial(d)
        set_parameters(layer, x0=center, alpha_prime=alpha, beta_prime=beta)
        y, log_det = run(lambda x: (y := layer(x), layer.log_abs_det_jacobian(x, y)), x)
    return case(library, "Radial", x, y, log_det, {"center": center, "alpha": alpha, "beta": beta})


# MARK: images


def act_norm(library, image):
    shape = (2, 3, 2, 4) if image else (3, 4)
    log_scale, shift, x = numbers(4, scale=0.4), numbers(4), numbers(*shape)
    if library == "nflows":
        layer = nflows.transforms.ActNorm(4)
        set_parameters(layer, log_scale=log_scale, shift=shift)
        layer.initialized.data = torch.tensor(True)
    else:
        layer = normflows.flows.ActNorm((4, 1, 1) if image else (4,))
        set_parameters(layer, s=log_scale, t=shift)
        layer.data_dep_init_done.data = torch.tensor(1.0)
    y, log_det = run(layer, first(x) if image else x)
    params = {"logScale": log_scale, "bias": -shift * np.exp(-log_scale)}
    return case(library, "ActNorm", x, last(y) if image else y, log_det, params)


def normflows_linear(c, image):
    layer = (normflows.flows.Invertible1x1Conv if image else normflows.flows.InvertibleAffine)(c, use_lu=True)
    layer.double()
    set_parameters(layer, L=numbers(c, c), U=numbers(c, c), log_S=numbers(c, scale=0.3))
    with torch.no_grad():
        matrix = np.asarray(layer._assemble_W())
    x = numbers(2, 3, 2, c) if image else numbers(3, c)
    y, log_det = run(layer.inverse, first(x) if image else x)
    w = matrix.T if np.allclose((last(y) if image else y), x @ matrix.T) else matrix
    p, lower, upper = scipy.linalg.lu(w)
    s = np.diag(upper)
    params = {
        "factors": np.tril(lower, -1) + np.triu(upper, 1) + np.diag(np.log(np.abs(s))), "permutation": np.argmax(p, axis=0),
        "sign": np.sign(s)}
    return case("normflows", "InvertibleLinear", x, last(y) if image else y, log_det, params)


def squeeze(library, pattern="checkerboard"):
    x = numbers(2, 4, 6, 3)
    if library == "nflows":
        y, log_det = run(nflows.transforms.SqueezeTransform(), first(x))
    elif library == "normflows":
        layer = normflows.flows.Squeeze()
        y, log_det = run(layer.inverse, first(x))
    else:
        kinds = {
            "checkerboard": lambda: FrEIA.modules.IRevNetDownsampling([(3, 4, 6)]),
            "haar": lambda: FrEIA.modules.HaarDownsampling([(3, 4, 6)], order_by_wavelet=True)}
        layer = kinds[pattern]().double()
        with torch.no_grad():
            (y,), log_det = layer([torch.as_tensor(first(x))])
    y = last(np.asarray(y))
    if pattern == "checkerboard":
        y = y.reshape(*y.shape[:3], 3, 4).swapaxes(3, 4).reshape(y.shape)
    return case(library, "Squeeze", x, y, np.asarray(log_det), {}, None, pattern)


cases = [
    nflows_affine(4), nflows_affine(5), nflows_affine(5, contexts=2), nflows_image_coupling(), nflows_spline(5, 4, 3.0),
    distrax_spline(5, 4, 3.0), normflows_affine(4, "exponential"), normflows_affine(5, "sigmoid"), freia_one_sided(5, "ATAN"),
    freia_one_sided(5, "TANH", contexts=2), freia_two_sided("AdditiveCoupling", 4, 2), freia_two_sided("GIN", 6, 2),
    freia_two_sided("AffineCouplingSplit", 5, 4), nflows_autoregressive(4, 6, 3, 3.0), nflows_autoregressive(3, 7, 3, 3.0), planar("normflows", 5), planar("pyro", 3),
    planar("pyro", 1), radial("normflows", 4), radial("pyro", 3), radial("pyro", 1), act_norm("nflows", False),
    act_norm("nflows", True), act_norm("normflows", False), act_norm("normflows", True), normflows_linear(4, False),
    normflows_linear(3, True), squeeze("nflows"), squeeze("normflows"), squeeze("FrEIA"), squeeze("FrEIA", "haar"),
]
path = pathlib.Path(__file__).parents[1] / "BijectionsTests" / "Fixtures" / "peers.json"
lines = ",\n".join("  " + json.dumps(item, separators=(",", ":"), allow_nan=False) for item in cases)
path.write_text(f'{{"cases": [\n{lines}\n]}}\n')
print(path, path.stat().st_size, "bytes", len(cases), "cases")
