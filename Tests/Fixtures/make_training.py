"""Writes what optax's wrappers and flowjax's contrastive loss compute, for Tests/TrainingTests/TrainingReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_training.py

run from the repository root, writes Tests/TrainingTests/Fixtures/training.json. Made with optax 0.2.8, flowjax 19.1.2, jax 0.10.2,
numpy 2.4.6, on the CPU backend, in float64.

averages: `optax.ema(decay)` fed with the parameters after each step of `optax.adam(0.05)`. The gradients are given.
multiSteps: the parameters after each `update` of `optax.MultiSteps(optax.adam(0.05), k)`.
plateaus: the parameters after each step of `optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(...))` with the gradient 1
throughout and the given values of the loss: positive ones, see Sources/Training/ReduceOnPlateau.swift.
contrastive: flowjax's ContrastiveLoss with all other rows as atoms, which leaves nothing to its key: rows x [B, 2] with contexts c
[B, 1], q(x | c) = N(x; (slope * c, offset), diag(scale^2)), prior N(0, diag(priorScale^2)).
"""

import json
import pathlib

import flowjax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flowjax.distributions import AbstractDistribution, Normal
from flowjax.train.losses import ContrastiveLoss

assert (jax.__version__, optax.__version__, flowjax.__version__) == ("0.10.2", "0.2.8", "19.1.2")
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(5)

STEPS = 12
INITIAL = [0.5, -1.25, 0.0, 2.0]
GRADIENTS = [[round(float(v), 6) for v in rng.normal(size=4) * (1 + step % 3)] for step in range(STEPS)]


def trajectory(optimizer, gradients=GRADIENTS, extra=lambda step: {}, observe=lambda parameters: parameters):
    parameters = jnp.asarray(INITIAL, jnp.float64)
    state = optimizer.init(parameters)
    rows = []
    for step, gradient in enumerate(gradients):
        updates, state = optimizer.update(jnp.asarray(gradient, jnp.float64), state, parameters, **extra(step))
        parameters = optax.apply_updates(parameters, updates)
        rows.append(np.asarray(observe(parameters)).tolist())
    return rows


def average(decay):
    ema = optax.ema(decay)
    state = [ema.init(jnp.zeros(4))]

    def observe(parameters):
        mean, state[0] = ema.update(parameters, state[0])
        return mean

    return {"decay": decay, "averages": trajectory(optax.adam(0.05), observe=observe)}


def multi_steps(k):
    wrapped = optax.MultiSteps(optax.adam(0.05), k, accumulator_dtype=jnp.float64)
    return {"every": k, "parameters": trajectory(wrapped)}


def plateau(values, **settings):
    optimizer = optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(**settings))
    rows = trajectory(optimizer, [[1.0] * 4] * len(values), extra=lambda step: {"value": jnp.asarray(values[step])})
    names = {"factor": 0.1, "patience": 10, "rtol": 1e-4, "atol": 0.0, "cooldown": 0, "min_scale": 0.0} | settings
    return {"settings": names, "values": values, "parameters": rows}


class Linear(AbstractDistribution):
    slope: float
    offset: float
    scale: jax.Array
    shape: tuple = (2,)
    cond_shape: tuple = (1,)

    def _log_prob(self, x, condition=None):
        mean = jnp.array([self.slope * condition[0], self.offset])
        return jax.scipy.stats.norm.logpdf(x, mean, self.scale).sum()

    def _sample(self, key, condition=None):
        raise NotImplementedError


def contrastive(rows):
    x = np.round(rng.normal(size=(rows, 2)), 6)
    c = np.round(x[:, :1] + 0.5 * rng.normal(size=(rows, 1)), 6)
    slope, offset, scale, prior_scale = 0.7, -0.2, [0.6, 1.3], [1.5, 0.8]
    q = Linear(slope=slope, offset=offset, scale=jnp.asarray(scale))
    loss = ContrastiveLoss(Normal(jnp.zeros(2), jnp.asarray(prior_scale)), rows - 1)
    import equinox as eqx

    params, static = eqx.partition(q, eqx.is_inexact_array)
    value = loss(params, static, jnp.asarray(x), jnp.asarray(c), jax.random.key(0))
    return {
        "rows": x.tolist(), "context": c.tolist(), "slope": slope, "offset": offset, "scale": scale,
        "priorScale": prior_scale, "loss": float(value),
    }


def main():
    losses = [5.0, 4.0, 4.0, 4.1, 4.2, 3.0, 3.0, 2.9999, 3.1, 3.2, 3.3, 3.4, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7]
    document = {
        "initial": INITIAL,
        "gradients": GRADIENTS,
        "averages": [average(decay) for decay in (0.0, 0.5, 0.9, 0.999)],
        "multiSteps": [multi_steps(k) for k in (1, 2, 3, 5)],
        "plateaus": [
            plateau(losses, factor=0.5, patience=2),
            plateau(losses, factor=0.1, patience=3, cooldown=2),
            plateau(losses, factor=0.25, patience=1, rtol=0.1, atol=0.05, min_scale=0.1),
        ],
        "contrastive": [contrastive(2), contrastive(7)],
    }
    path = pathlib.Path(__file__).parents[1] / "TrainingTests" / "Fixtures" / "training.json"
    sections = []
    for name, content in document.items():
        rows = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in content)
        sections.append(f'"{name}": [\n{rows}\n]')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
