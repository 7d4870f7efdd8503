"""The common part of the libraries on JAX: compiled functions and Adam from optax."""

from functools import partial

import jax
import jax.numpy as jnp
import optax

from .harness import Model


def mlp_params(key, sizes, last_scale=0.1):
    """Weights and biases of a dense network; the last layer starts small."""
    params = []
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        scale = inputs**-0.5 * (last_scale if i == len(sizes) - 2 else 1)
        params.append((scale * jax.random.normal(jax.random.fold_in(key, i), (inputs, outputs)), jnp.zeros(outputs)))
    return params


def mlp(params, x):
    """A dense network with relu."""
    for weight, bias in params[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = params[-1]
    return x @ weight + bias


def model(workload, params, log_pdf, sample, about=None, x=None, loss=None):
    """A model of `log_pdf(params, x)` and `sample(key, params, count)`, compiled, trained with donated buffers, or by a
    `loss(params, x)` of its own."""
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    optimizer = optax.adam(1e-4)
    x = jax.random.normal(jax.random.key(1), (workload.batch, *workload.shape)) if x is None else x
    mean = loss or (lambda params, x: -log_pdf(params, x).mean())
    key = jax.random.key(2)

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(params, state, x):
        loss, gradient = jax.value_and_grad(mean)(params, x)
        change, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, change), state, loss

    compiled_log_pdf = jax.jit(log_pdf) if log_pdf else None
    compiled_sample = jax.jit(lambda key, params: sample(key, params, workload.batch)) if sample else None
    now = [params, optimizer.init(params)]

    def step():
        *now[:], loss = update(*now, x)
        return jax.block_until_ready((now, loss))[1]

    def density():
        return jax.block_until_ready(compiled_log_pdf(now[0], x))

    def draws():
        return jax.block_until_ready(compiled_sample(key, now[0]))

    return Model(count, step, density if log_pdf else None, draws if sample else None, about or {})
