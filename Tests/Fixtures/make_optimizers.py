"""Writes what optax does in ten steps, for the tests of Sources/Training.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_optimizers.py

run from the repository root, writes Tests/TrainingTests/Fixtures/optimizers.json. Made with optax 0.2.8, jax 0.10.2,
jaxlib 0.10.2, numpy 2.4.6 (requirements.txt), on the CPU backend, in float64.

The tree has two leaves, "bias" [3] and "weight" [2, 3], stored flat in row-major order. The gradients are given, step by step:
they do not depend on the parameters. `parameters[i]` are the parameters after step i. Numbers are shortest decimals: reading
them gives the double that optax computed, to the bit. `settings` names everything the optimizer was made of.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax

assert (jax.__version__, optax.__version__) == ("0.10.2", "0.2.8")
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

STEPS = 10
SHAPES = {"bias": [3], "weight": [2, 3]}
INITIAL = {"bias": [0.5, -1.25, 0.0], "weight": [1.0, -2.0, 0.75, 0.125, 3.0, -0.5]}


def gradient(step):
    """Sizes from 1e-3 to 10, signs that change, one entry that is always zero: its norm is on both sides of 1."""
    size = [0.3, 4.0, 0.05, 1.0, 10.0, 0.001, 0.6, 2.5, 0.2, 0.9][step]
    entry = lambda i: round(size * float(np.cos(1.7 * i + 0.9 * step * (1 + i % 3))), 6)
    return {"bias": [entry(0), entry(1), 0.0], "weight": [entry(i) for i in range(3, 9)]}


def tree(flat):
    return {name: jnp.asarray(flat[name], jnp.float64).reshape(SHAPES[name]) for name in SHAPES}


def flat(parameters):
    return {name: np.asarray(parameters[name]).ravel().tolist() for name in SHAPES}


def precise(schedule):
    """The schedule of a float64 count. From its own int32 count optax computes a cosine in float32."""
    return lambda count: schedule(jnp.asarray(count, jnp.float64))


def schedules():
    """Each: the name, its settings, the optax function. Values are stored for steps 0 to 24."""
    yield "constant", {"value": 0.01}, optax.constant_schedule(0.01)
    yield "cosineDecay", {"initial": 0.1, "steps": 20, "alpha": 0.0}, optax.cosine_decay_schedule(0.1, 20)
    yield "cosineDecay", {"initial": 0.1, "steps": 15, "alpha": 0.05}, optax.cosine_decay_schedule(0.1, 15, alpha=0.05)
    yield (
        "warmupCosine", {"initial": 0.0, "peak": 0.02, "warmup": 5, "steps": 20, "final": 0.001},
        optax.warmup_cosine_decay_schedule(0.0, 0.02, warmup_steps=5, decay_steps=20, end_value=0.001),
    )
    yield (
        "exponentialDecay", {"initial": 0.1, "steps": 10, "rate": 0.5, "staircase": False},
        optax.exponential_decay(0.1, transition_steps=10, decay_rate=0.5),
    )
    yield (
        "exponentialDecay", {"initial": 0.1, "steps": 4, "rate": 0.9, "staircase": True},
        optax.exponential_decay(0.1, transition_steps=4, decay_rate=0.9, staircase=True),
    )
    yield "linear", {"initial": 0.0, "final": 0.01, "steps": 8}, optax.linear_schedule(0.0, 0.01, transition_steps=8)
    yield "warmupConstant", {"initial": 0.0, "peak": 0.01, "warmup": 6}, optax.warmup_constant_schedule(0.0, 0.01, warmup_steps=6)


def optimizers():
    """Each: a name of its own, the kind, its settings, the optax transformation."""
    yield "sgd", {"learningRate": 0.1}, optax.sgd(0.1)
    yield "sgd", {"learningRate": 0.1, "momentum": 0.9, "nesterov": False}, optax.sgd(0.1, momentum=0.9)
    yield "sgd", {"learningRate": 0.1, "momentum": 0.9, "nesterov": True}, optax.sgd(0.1, momentum=0.9, nesterov=True)
    moments = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    yield "adam", {"learningRate": 1e-3, **moments}, optax.adam(1e-3)
    other = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}
    yield "adam", {"learningRate": 0.05, **other}, optax.adam(0.05, b1=0.8, b2=0.95, eps=1e-3)
    yield "adamw", {"learningRate": 0.01, **moments, "weightDecay": 1e-4}, optax.adamw(0.01)
    yield "adamw", {"learningRate": 0.01, **moments, "weightDecay": 0.1}, optax.adamw(0.01, weight_decay=0.1)
    yield (
        "rmsprop", {"learningRate": 0.01, "decay": 0.9, "epsilon": 1e-8, "epsilonInsideRoot": True, "initial": 0.0},
        optax.rmsprop(0.01, decay=0.9, eps=1e-8),
    )
    yield (
        "adagrad", {"learningRate": 0.1, "initial": 0.1, "epsilon": 1e-7, "epsilonInsideRoot": True},
        optax.adagrad(0.1, initial_accumulator_value=0.1, eps=1e-7),
    )
    yield "clipByGlobalNorm+sgd", {"maxNorm": 1.0, "learningRate": 1.0}, optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))
    yield (
        "clipByGlobalNorm+adam", {"maxNorm": 1.0, "learningRate": 1e-3, **moments},
        optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3)),
    )
    schedule = {"initial": 0.0, "peak": 0.02, "warmup": 3, "steps": 10, "final": 0.001}
    yield (
        "adam+warmupCosine", {**schedule, **moments},
        optax.adam(precise(optax.warmup_cosine_decay_schedule(0.0, 0.02, warmup_steps=3, decay_steps=10, end_value=0.001))),
    )


def trajectory(optimizer):
    parameters = tree(INITIAL)
    state = optimizer.init(parameters)
    rows = []
    for step in range(STEPS):
        updates, state = optimizer.update(tree(gradient(step)), state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        rows.append(flat(parameters))
    return rows


def main():
    document = {
        "about": {
            "script": "Tests/Fixtures/make_optimizers.py", "optax": optax.__version__, "jax": jax.__version__,
            "jaxlib": jax.lib.__version__, "numpy": np.__version__, "flags": "jax_enable_x64=True",
        },
        "shapes": SHAPES,
        "initial": INITIAL,
        "gradients": [gradient(step) for step in range(STEPS)],
        "schedules": [
            {"kind": kind, "settings": settings, "values": [float(precise(schedule)(step)) for step in range(25)]}
            for kind, settings, schedule in schedules()
        ],
        "optimizers": [
            {"kind": kind, "settings": settings, "parameters": trajectory(optimizer)}
            for kind, settings, optimizer in optimizers()
        ],
    }
    path = pathlib.Path(__file__).parents[1] / "TrainingTests" / "Fixtures" / "optimizers.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # One line a case: a change of one case is a change of one line.
    sections = []
    for name, content in document.items():
        if isinstance(content, list):
            rows = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in content)
            sections.append(f'"{name}": [\n{rows}\n]')
        else:
            sections.append(f'"{name}": {json.dumps(content)}')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
