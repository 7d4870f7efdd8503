"""Writes log-densities of presets as nflows and Pyro compute them, for Tests/FlowsTests/PresetReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_presets.py

run from the repository root, writes Tests/FlowsTests/Fixtures/presets.json, in float64. Parameters are drawn as this library holds
them, under their paths, and given to the other one in its own order and form:

- Masks of MADE are made here from the degrees: i - 1 for the outputs of number i, and even shares of 1 .. D - 1 (from 0 with a context
  or one number) for hidden units.
- MADE MoG: nflows' log_prob of a mixture, whose network returns log(exp(sigma - epsilon) - 1) in place of log sigma.
- NSF: nflows' ResidualNet, coupling with splines of the passing numbers, and LULinear. Its matrix is x U^T L^T; ours is x P L U with
  L = U^T / diagonal. nflows divides the logits of bins by the square root of a network's width, if it has the attribute
  hidden_features. Here the network has none.
- IAF: Pyro's stable affine autoregressive steps, from noise to draws.
"""

import json
import pathlib

import nflows.distributions
import nflows.flows
import nflows.nn.nde.made
import nflows.nn.nets
import nflows.transforms
import numpy as np
import pyro.distributions.transforms
import torch

from versions import check

check("nflows", "pyro-ppl", "torch", "numpy")
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(19)
LEAST = 1e-3
OFFSET = np.log(np.expm1(1 - LEAST))


def numbers(*shape, scale=1.0):
    return np.round(scale * rng.normal(size=shape), 6)


def tensor(values):
    return torch.as_tensor(np.array(values))


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": values.ravel().tolist()}


def case(library, preset, x, context, log_prob, params):
    return {
        "library": library, "preset": preset, "x": array(x), "context": None if context is None else array(context),
        "params": {k: array(v) for k, v in params.items()}, "logPDF": log_prob.detach().numpy().tolist(),
    }


class Masked:
    """A MADE of one hidden layer of tanh or elu, with `count` outputs for each number."""

    def __init__(self, prefix, d, hidden, count, contexts, activation):
        inputs = [0] * contexts + list(range(1, d))
        low = 0 if contexts or d == 1 else 1
        n = max(d - 1, 0) - low + 1
        units = [low + k for k in sorted(i % n for i in range(hidden))]
        outputs = np.repeat(np.arange(d), count)
        self.masks = [np.less_equal.outer(inputs, units), np.less_equal.outer(units, outputs)]
        self.shape, self.activation, self.d, self.contexts = (d, count), activation, d, contexts
        self.params = {
            f"{prefix}/dense_0/weight": numbers(len(inputs), hidden), f"{prefix}/dense_0/bias": numbers(hidden),
            f"{prefix}/dense_1/weight": numbers(hidden, d * count, scale=0.5),
            f"{prefix}/dense_1/bias": numbers(d * count, scale=0.5),
        }

    def __call__(self, x, context=None):
        """[rows, D, count] from [rows, D]."""
        w0, b0, w1, b1 = [tensor(v) for v in self.params.values()]
        x = x[:, : self.d - 1] if context is None else torch.cat([context, x[:, : self.d - 1]], 1)
        h = self.activation(x @ (w0 * tensor(self.masks[0])) + b0)
        return (h @ (w1 * tensor(self.masks[1])) + b1).reshape(-1, *self.shape)


def made_mog(d, k, contexts):
    made = Masked("prior/net", d, 7, 3 * k, contexts, torch.tanh)
    x, context = numbers(5, d, scale=1.5), numbers(5, contexts) if contexts else None
    spaced = np.linspace(-0.5, 0.5, k) if k > 1 else np.zeros(1)
    log_deviation = 0.5 * np.log(1 - np.mean(spaced**2))

    class Mixture(nflows.nn.nde.made.MixtureOfGaussiansMADE):
        def forward(self, inputs, context=None):
            logits, means, scales = made(inputs, context).reshape(-1, d, 3, k).unbind(2)
            deviation = torch.exp(8 * torch.tanh(scales / 8) + log_deviation)
            return torch.stack([logits, means + tensor(spaced), torch.log(torch.expm1(deviation - self.epsilon))], -1)

    other = Mixture(d, 8, num_mixture_components=k, epsilon=1e-4)
    log_prob = other.log_prob(tensor(x), None if context is None else tensor(context))
    return case("nflows", f"mafMixture {k}", x, context, log_prob, made.params)


def nsf(d, steps, width, bins, bound):
    cut, n = d // 2, d - d // 2
    outputs = n * (3 * bins - 1)
    params, layers = {}, []

    def linear(i):
        order = rng.permutation(d)
        lower, upper = np.tril(numbers(d, d, scale=0.3), -1), np.triu(numbers(d, d, scale=0.3), 1)
        log_scale = numbers(d, scale=0.3)
        diagonal = np.exp(log_scale)
        params[f"bijection/{i}/factors"] = lower + upper + np.diag(log_scale)
        params[f"bijection/{i}/permutation"], params[f"bijection/{i}/sign"] = np.argsort(order), np.ones(d)
        # x P L U, with P the rows of the identity in this order. The leaf is its inverse.
        w = np.eye(d)[order] @ (np.eye(d) + lower) @ (np.diag(diagonal) + upper)
        theirs = nflows.transforms.LULinear(d)
        u, l = ((np.eye(d) + lower) * diagonal).T, np.linalg.solve(np.diag(diagonal), np.diag(diagonal) + upper).T
        theirs.upper_entries.data = tensor(u[np.triu_indices(d, 1)])
        theirs.lower_entries.data = tensor(l[np.tril_indices(d, -1)])
        theirs.unconstrained_upper_diag.data = tensor(np.log(np.expm1(diagonal - theirs.eps)))
        moves = nflows.transforms.Permutation(torch.as_tensor(np.argsort(order)))
        probe = tensor(np.eye(d))
        assert np.allclose(theirs(moves(probe)[0])[0].detach().numpy(), w)
        layers.extend([moves, theirs])

    def coupling(i):
        net = nflows.nn.nets.ResidualNet(cut, outputs, width, num_blocks=2, dropout_probability=0.3)
        prefix = f"bijection/{i}/net"

        def put(path, module, inputs, count, scale):
            weight, bias = numbers(inputs, count, scale=scale), numbers(count, scale=scale)
            params[f"{prefix}/{path}/weight"], params[f"{prefix}/{path}/bias"] = weight, bias
            module.weight.data, module.bias.data = tensor(weight.T), tensor(bias)

        put("first", net.initial_layer, cut, width, 1)
        for j, block in enumerate(net.blocks):
            put(f"block_{j}/0", block.linear_layers[0], width, width, 0.6)
            put(f"block_{j}/1", block.linear_layers[1], width, width, 0.6)
            params[f"{prefix}/block_{j}/dropout"] = np.full(width, 0.3)
        put("last", net.final_layer, width, outputs, 0.4)
        net.eval()
        offsets = tensor(OFFSET * np.tile(np.arange(3 * bins - 1) >= 2 * bins, n))

        class Shifted(torch.nn.Module):
            def forward(self, inputs, context=None):
                return net(inputs) + offsets

        layer = nflows.transforms.PiecewiseRationalQuadraticCouplingTransform(
            [0] * cut + [1] * n, lambda *_: Shifted(), num_bins=bins, tails="linear", tail_bound=bound,
            apply_unconditional_transform=True)
        own = numbers(cut, 3 * bins - 1)
        params[f"bijection/{i + 1}/raw"] = own.ravel()
        passing = layer.unconditional_transform
        passing.unnormalized_widths.data = tensor(own[:, :bins])
        passing.unnormalized_heights.data = tensor(own[:, bins : 2 * bins])
        passing.unnormalized_derivatives.data = tensor(own[:, 2 * bins :] + OFFSET)
        layers.append(layer)

    for step in range(steps):
        linear(3 * step)
        coupling(3 * step + 1)
    linear(3 * steps)
    x = numbers(5, d)
    flow = nflows.flows.Flow(nflows.transforms.CompositeTransform(layers), nflows.distributions.StandardNormal([d]))
    return case("nflows", "residualNeuralSpline", x, None, flow.log_prob(tensor(x)), params)


def iaf(d, steps, contexts, bias):
    params = {"prior/location": numbers(d), "prior/logScale": numbers(d, scale=0.3)}
    noise, context = tensor(numbers(5, d)), numbers(5, contexts) if contexts else None
    z = tensor(params["prior/location"]) + torch.exp(tensor(params["prior/logScale"])) * noise
    log_prob = torch.distributions.Normal(0, 1).log_prob(noise).sum(1) - params["prior/logScale"].sum()
    for step in range(steps):
        # Reversals stand between the steps.
        made = Masked(f"bijection/{2 * step}/net", d, 6, 2, contexts, torch.nn.functional.elu)
        params.update(made.params)

        def network(x, made=made):
            raw = made(x, None if context is None else tensor(context))
            return raw[..., 1], raw[..., 0]

        z = z if step == 0 else z.flip(1)
        layer = pyro.distributions.transforms.AffineAutoregressive(network, sigmoid_bias=bias, stable=True)
        y = layer(z)
        log_prob = log_prob - layer.log_abs_det_jacobian(z, y)
        z = y
    return case("pyro", f"gatedIAF {bias}", z.detach().numpy(), context, log_prob, params)


cases = [made_mog(4, 3, 0), made_mog(3, 2, 2), made_mog(1, 1, 2), made_mog(2, 10, 0)]
cases += [nsf(4, 2, 6, 4, 3.0), nsf(5, 1, 5, 8, 5.0)]
cases += [iaf(3, 2, 0, 2.0), iaf(4, 3, 2, 1.0), iaf(1, 1, 1, 2.0)]
path = pathlib.Path("Tests/FlowsTests/Fixtures/presets.json")
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({"cases": cases}) + "\n")
