"""The private step of realnvp-2d and maf-43d beside the plain one: JAX's vmap(grad) and Opacus, on one thread.

    python -m peers.private [--workload realnvp-2d] [--repetitions 20]

Prints one JSON object a line: the median milliseconds of a step of Adam, plain and private. `pip install jax opacus`.
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


# --- JAX


def jax_steps(workload, rows):
    """The plain and the private step."""
    made = workload.kind == "masked"
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
    model = TorchFlow(workload)
    adam = torch.optim.Adam(model.parameters(), lr=1e-4)

    def plain():
        adam.zero_grad()
        model(x).mean().backward()
        adam.step()

    private_model = GradSampleModule(TorchFlow(workload), loss_reduction="sum", strict=False)  # masks are buffers
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
    parser.add_argument("--workload", nargs="*", default=["realnvp-2d", "maf-43d"])
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
