"""Keys of random numbers, as a seed or as two words."""

import operator

import numpy as np


def words(key):
    """The two words of a key, as integers or as an array of JAX.

    A key is a seed, as in `flow sample --seed`, or a key of `jax.random`, or two words.
    """
    if not isinstance(getattr(key, "dtype", np.dtype(int)), np.dtype):
        # A key of JAX has a dtype of its own.
        import jax

        return jax.random.key_data(key)
    if np.ndim(key) > 0:
        return key
    seed = operator.index(key)
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"expected a seed of 64 bits, got {seed}")
    return (seed >> 32) & 0xFFFFFFFF, seed & 0xFFFFFFFF
