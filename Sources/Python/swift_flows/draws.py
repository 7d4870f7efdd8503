"""The random numbers of a sampler."""

import jax
import jax.numpy as jnp


def arrays(draws, key, rows, params):
    """The draws of a manifest for a key, [rows, *shape] each.

    Keys and children are those of the library, so the draws are too. A draw with categories is one within a mixture:
    its number i is for the i-th row of its component.
    """
    if isinstance(key, int):
        key = jax.random.key(key)
    numbers, results = [], []
    for draw in draws:
        own = key
        for index in draw["path"]:
            own = jax.random.fold_in(own, index)
        array = _array(draw, own, rows, params)
        numbers.append(array)
        if "categories" in draw:
            places = jnp.arange(rows)
            for number, index in draw["categories"]:
                before = jnp.cumsum(numbers[number] == index) - 1
                places = jnp.maximum(before, 0)[places]
            array = array[places]
        results.append(array)
    return results


def _array(draw, key, rows, params):
    shape = (rows, *draw["shape"])
    if draw["distribution"] == "normal":
        return jax.random.normal(key, shape, draw["dtype"])
    if draw["distribution"] == "uniform":
        return jax.random.uniform(key, shape, draw["dtype"], draw["low"], draw["high"])
    logits = params[draw["parameter"]] if "parameter" in draw else jnp.asarray(draw["logits"], draw["dtype"])
    return jax.random.categorical(key, logits, shape=shape).astype(draw["dtype"])
