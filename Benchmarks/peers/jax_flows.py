"""The workloads in jax-flows, whose sources are found in JAX_FLOWS or where `setup` puts them.

The sources are of 2021. Parts of JAX that they use and that have since been removed are restored here, before the import.
The networks' outputs, which come from here, get back the method `split` of arrays.
"""

import os
import sys
from pathlib import Path

import jax
import jax.example_libraries.stax as stax
import jax.experimental
import jax.numpy as jnp
import jax.ops
import numpy as np

from . import on_jax
from .workloads import Missing, with_reversals

sources = Path(os.environ.get("JAX_FLOWS", Path(sys.prefix) / "src" / "jax-flows"))
if not (sources / "flows" / "__init__.py").exists():
    raise Missing("no sources of jax-flows: see Benchmarks/peers/setup")
sys.path.insert(0, str(sources))
sys.modules["jax.experimental.stax"] = jax.experimental.stax = stax
jax.ops.index = np.index_exp
jax.ops.index_update = lambda x, index, y: x.at[index].set(y)

# The most passes of a masked flow's draws, which it does not loop over: 215 compile in 6 seconds.
UNROLLED = 512

import flows  # noqa: E402: after what it needs is there


class Parts:
    """An array that splits as arrays once did."""

    def __init__(self, array):
        self.array = array

    def split(self, count, axis):
        return jnp.split(self.array, count, axis)


def dense(workload):
    """The coupling's network."""
    def transform(rng, inputs, outputs):
        return on_jax.mlp_params(rng, [inputs, *workload.hidden, outputs]), lambda p, x: Parts(on_jax.mlp(p, x))
    return transform


def masked(workload):
    """MADE's network of the library's masked layers: an output sees the inputs before its own."""
    def transform(rng, size):
        degrees = [np.arange(size), *(np.arange(width) % (size - 1) for width in workload.hidden)]
        masks = [low[:, None] <= high for low, high in zip(degrees, degrees[1:])]
        masks.append(np.tile(degrees[-1][:, None] < degrees[0], 2))
        layers = [part for mask in masks for part in (flows.MaskedDense(mask.astype(np.float32)), stax.Relu)][:-1]
        initialize, apply = stax.serial(*layers)
        return initialize(rng, (size,))[1], lambda p, x: Parts(apply(p, x))
    return transform


def model(workload):
    """The model of a workload."""
    if workload.kind == "spline":
        raise Missing("its splines index by boolean masks, which JAX cannot compile, and their parameters are not trained")
    if workload.kind == "linear":
        layers = [flows.Serial(flows.ActNorm(), flows.InvertibleLinear()) for _ in range(workload.layers)]
    else:
        one = flows.MADE(masked(workload)) if workload.kind == "masked" else flows.AffineCoupling(dense(workload))
        layers = with_reversals([one] * workload.layers, flows.Reverse)
    flow = flows.Flow(flows.Serial(*layers), flows.Normal())
    params, log_pdf, sample = flow(jax.random.PRNGKey(0), workload.dimension)
    model = on_jax.model(workload, params, log_pdf, sample)
    if workload.kind == "masked" and workload.dimension * workload.layers > UNROLLED:
        model.left_out["sample"] = f"it compiles more than {UNROLLED} passes, one after the other, for minutes"
    return model
