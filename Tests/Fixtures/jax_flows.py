"""Imports jax-flows 0.0.1 as it was published in 2020, on a JAX of today, for make_jax_flows.py.

Four parts of JAX that it uses were removed since: jax.experimental.stax, jax.ops.index, index_update and index_add. They are
restored here before the import. The method `split` of arrays was removed too: a network gives it back to its outputs by `Parts`.
Nothing of jax-flows itself is changed.
"""

import sys

import jax
import jax.example_libraries.stax as stax
import jax.experimental
import jax.numpy as jnp
import jax.ops
import numpy as np

sys.modules["jax.experimental.stax"] = jax.experimental.stax = stax
jax.ops.index = np.index_exp
jax.ops.index_update = lambda x, index, y: jnp.asarray(x).at[index].set(y)
jax.ops.index_add = lambda x, index, y: jnp.asarray(x).at[index].add(y)

import flows  # noqa: E402, F401: after what it needs is there


class Parts:
    """An array that splits as arrays once did."""

    def __init__(self, array):
        self.array = array

    def split(self, count, axis):
        return jnp.split(self.array, count, axis)
