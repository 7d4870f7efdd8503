"""The private step of realnvp-2d, maf-43d and actnorm-linear-64d beside the plain one: JAX's vmap(grad) and Opacus.

    python -m peers.private [--workload realnvp-2d] [--repetitions 20]

All on one thread. Prints one JSON object a line: the median milliseconds of a step of Adam, plain and private. `pip install jax opacus`.
`private-steps` runs it beside swift-flows. Opacus 1.6.0: `grad_sample` of every layer by hooks. Both peers have their
noise in float32 from a generator that is not cryptographic.
"""

import argparse
import json
import math
import os
import statistics

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jax
import jax.numpy as jnp
import numpy as np
import opacus
import torch
import torch.nn.functional as F
from opacus.grad_sample import GradSampleModule, register_grad_sampler

from .harness import timed
from .workloads import ALL

CLIP, NOISE = 1.0, 1.0


def masks(dimension, hidden):
    """The masks of a MADE whose outputs are a scale and a shift of each number."""
    degrees = [np.arange(1, dimension + 1)]
    for width in hidden:
        degrees.append(np.arange(width) % max(dimension - 1, 1) + 1)
    inner = [(b[None, :] >= a[:, None]) for a, b in zip(degrees, degrees[1:])]
    last = np.arange(1, dimension + 1)[None, :] > degrees[-1][:, None]
    return [m.astype(np.float32) for m in inner + [np.concatenate([last, last], 1)]]


def weights(workload, rng):
    """The matrices of each layer's network, [in, out]."""
    made = workload.kind == "masked"
    ins = workload.dimension if made else workload.kept
    outs = 2 * (workload.dimension if made else workload.moved)
    sizes = [ins, *workload.hidden, outs]
    return [
        [(rng.normal(size=(a, b)).astype(np.float32) / math.sqrt(a), np.zeros(b, np.float32)) for a, b in zip(sizes, sizes[1:])]
        for _ in range(workload.layers)
    ]


def factors(workload, rng):
    """The logarithms of scales, the biases and the packed factors P L U of each pair of layers, and what is not learned."""
    size, learned, fixed = workload.dimension, [], []
    for _ in range(workload.layers):
        order, lower, upper = lu(np.linalg.qr(rng.normal(size=(size, size)))[0])
        packed = np.tril(lower, -1) + np.triu(upper, 1) + np.diag(np.log(np.abs(np.diag(upper))))
        learned.append([np.zeros(size, np.float32), np.zeros(size, np.float32), packed.astype(np.float32)])
        fixed.append((order, np.sign(np.diag(upper)).astype(np.float32)))
    return learned, fixed


def lu(matrix):
    """Gaussian elimination with pivots: row i of the matrix is row order[i] of L U."""
    upper, size = matrix.copy(), len(matrix)
    lower, rows = np.eye(size), np.arange(size)
    for k in range(size):
        pivot = k + np.argmax(np.abs(upper[k:, k]))
        for m, columns in ((upper, slice(None)), (lower, slice(0, k))):
            m[[k, pivot], columns] = m[[pivot, k], columns]
        rows[[k, pivot]] = rows[[pivot, k]]
        lower[k + 1 :, k] = upper[k + 1 :, k] / upper[k, k]
        upper[k + 1 :] -= np.outer(lower[k + 1 :, k], upper[k])
    return np.argsort(rows), lower, upper


# --- JAX


def jax_steps(workload, rows):
    """The plain and the private step."""
    made, linear = workload.kind == "masked", workload.kind == "linear"
    if linear:
        layers, fixed = factors(workload, np.random.default_rng(0))
    else:
        layers = weights(workload, np.random.default_rng(0))
    params = jax.tree.map(jnp.asarray, layers)
    mask = [jnp.asarray(m) for m in masks(workload.dimension, workload.hidden)] if made else None

    def network(layer, x):
        for i, (w, b) in enumerate(layer):
            x = x @ (w * mask[i] if made else w) + b
            if i + 1 < len(layer):
                x = jax.nn.relu(x)
        return x

    def loss(params, x):
        return linear_loss(params, x) if linear else coupling_loss(params, x)

    def linear_loss(params, x):
        total = 0.0
        for (scale, bias, packed), (order, sign) in zip(params, fixed):
            lower = jnp.tril(packed, -1) + jnp.eye(len(sign))
            upper = jnp.triu(packed, 1) + jnp.diag(sign * jnp.exp(jnp.diag(packed)))
            x = (x - bias) * jnp.exp(scale) @ (lower[order] @ upper)
            total = total + scale.sum() + jnp.diag(packed).sum()
        return 0.5 * (x * x).sum(-1) - total

    def coupling_loss(params, x):
        total = 0.0
        for i, layer in enumerate(params):
            if i:
                x = x[..., ::-1]
            kept, moved = (x, x) if made else (x[..., : workload.kept], x[..., workload.kept :])
            raw = network(layer, kept)
            n = raw.shape[-1] // 2
            s = 2 * jnp.tanh(raw[..., :n] / 2)
            moved = moved * jnp.exp(s) + raw[..., n:]
            total = total + s.sum(-1)
            x = moved if made else jnp.concatenate([kept, moved], -1)
        return 0.5 * (x * x).sum(-1) - total

    def adam(params, state, gradient):
        count, mean, square = state
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        count = count + 1
        rate = 1e-4 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, mean, square)
        return params, (count, mean, square)

    @jax.jit
    def plain(params, state, x, key):
        return adam(params, state, jax.grad(lambda p: loss(p, x).mean())(params))

    @jax.jit
    def private(params, state, x, key):
        each = jax.vmap(jax.grad(loss), (None, 0))(params, x)
        leaves = jax.tree.leaves(each)
        norms = jnp.sqrt(sum((g.reshape(g.shape[0], -1) ** 2).sum(1) for g in leaves))
        factors = jnp.minimum(1, CLIP / norms)
        keys = iter(jax.random.split(key, len(leaves)))
        gradient = jax.tree.map(
            lambda g: (jnp.tensordot(factors, g, 1) + NOISE * CLIP * jax.random.normal(next(keys), g.shape[1:])) / len(x),
            each,
        )
        return adam(params, state, gradient)

    zeros = jax.tree.map(jnp.zeros_like, params)
    state, x, key = (jnp.zeros(()), zeros, zeros), jnp.asarray(rows), jax.random.key(0)
    return [lambda step=step: jax.block_until_ready(step(params, state, x, key)) for step in (plain, private)]


# --- Opacus


class MaskedLinear(torch.nn.Linear):
    """A linear layer whose weight has a mask."""

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


@register_grad_sampler(MaskedLinear)
def masked_grad_sample(layer, activations, backprops):
    """The gradients of each row."""
    return {
        layer.weight: torch.einsum("no,ni->noi", backprops, activations[0]) * layer.mask,
        layer.bias: backprops,
    }


class PLU(torch.nn.Module):
    """A scale and shift and a matrix of factors. The last number of an output is the log-determinant so far."""

    def __init__(self, learned, fixed):
        super().__init__()
        self.scale, self.bias, self.packed = (torch.nn.Parameter(torch.tensor(p)) for p in learned)
        self.order, self.sign = torch.tensor(fixed[0]), torch.tensor(fixed[1])

    def forward(self, x):
        x, total = x[:, :-1], x[:, -1:]
        lower = torch.tril(self.packed, -1) + torch.eye(len(self.sign))
        upper = torch.triu(self.packed, 1) + torch.diag(self.sign * torch.exp(torch.diagonal(self.packed)))
        y = (x - self.bias) * torch.exp(self.scale) @ (lower[self.order] @ upper)
        return torch.cat([y, total + self.scale.sum() + torch.diagonal(self.packed).sum()], 1)


class LinearFlow(torch.nn.Module):
    """The layers of a workload of linear maps."""

    def __init__(self, workload):
        super().__init__()
        learned, fixed = factors(workload, np.random.default_rng(0))
        self.layers = torch.nn.Sequential(*(PLU(a, b) for a, b in zip(learned, fixed)))

    def forward(self, x):
        y = self.layers(F.pad(x, (0, 1)))
        return 0.5 * (y[:, :-1] ** 2).sum(-1) - y[:, -1]


class TorchFlow(torch.nn.Module):
    """The layers of a workload."""

    def __init__(self, workload):
        super().__init__()
        self.workload, self.made = workload, workload.kind == "masked"
        mask = masks(workload.dimension, workload.hidden)
        self.layers = torch.nn.ModuleList()
        for layer in weights(workload, np.random.default_rng(0)):
            parts = []
            for i, (w, b) in enumerate(layer):
                linear = (MaskedLinear if self.made else torch.nn.Linear)(*w.shape)
                linear.weight.data, linear.bias.data = torch.tensor(w.T.copy()), torch.tensor(b)
                if self.made:
                    linear.register_buffer("mask", torch.tensor(mask[i].T.copy()))
                parts += [linear, torch.nn.ReLU()]
            self.layers.append(torch.nn.Sequential(*parts[:-1]))

    def forward(self, x):
        total, kept_count = 0.0, self.workload.kept
        for i, layer in enumerate(self.layers):
            if i:
                x = x.flip(-1)
            kept, moved = (x, x) if self.made else (x[:, :kept_count], x[:, kept_count:])
            raw = layer(kept)
            r, t = raw.chunk(2, -1)
            s = 2 * torch.tanh(r / 2)
            moved = moved * torch.exp(s) + t
            total = total + s.sum(-1)
            x = moved if self.made else torch.cat([kept, moved], -1)
        return 0.5 * (x * x).sum(-1) - total


def opacus_steps(workload, rows):
    """The plain and the private step."""
    x = torch.tensor(rows)
    flow = LinearFlow if workload.kind == "linear" else TorchFlow
    model = flow(workload)
    adam = torch.optim.Adam(model.parameters(), lr=1e-4)

    def plain():
        adam.zero_grad()
        model(x).mean().backward()
        adam.step()

    private_model = GradSampleModule(flow(workload), loss_reduction="sum", strict=False)  # masks are buffers
    private_adam = opacus.optimizers.DPOptimizer(
        torch.optim.Adam(private_model.parameters(), lr=1e-4), noise_multiplier=NOISE, max_grad_norm=CLIP,
        expected_batch_size=len(rows), loss_reduction="sum",
    )

    def private():
        private_adam.zero_grad()
        private_model(x).sum().backward()
        private_adam.step()

    return [plain, private]


def median(body, repetitions):
    """The median milliseconds of a call."""
    for _ in range(3):
        body()
    return statistics.median(timed(body)[0] for _ in range(repetitions))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", nargs="*", default=["realnvp-2d", "maf-43d", "actnorm-linear-64d"])
    parser.add_argument("--repetitions", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.workload:
        workload = ALL[name]
        rows = np.random.default_rng(1).normal(size=(workload.batch, workload.dimension)).astype(np.float32)
        for library, make in (("jax", jax_steps), ("opacus", opacus_steps)):
            plain, private = (median(body, arguments.repetitions) for body in make(workload, rows))
            print(
                json.dumps(
                    {"library": library, "workload": name, "step": plain, "privateStep": private, "ratio": private / plain,
                     "load": os.getloadavg()[0]}
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
