"""The step of `fineTune` in JAX, which none of the libraries has: the cross-entropy of a histogram of weighted histories.

The log-weight of a history is the sum of log q - log q0 over its emissions. Numbers are those of `FineTuneWorkload.swift`,
but in float32 throughout. The spline is distrax's, which takes 3 K + 1 parameters where ours takes 3 K - 1.
"""

import distrax
import jax
import jax.numpy as jnp
import numpy as np

from . import on_jax


def model(workload):
    """The model of the workload, with histories of 5 to 14 emissions."""
    histories = 2 * workload.batch // 19
    lengths = 5 + 7 * np.arange(histories) % 10
    segments = jnp.asarray(np.repeat(np.arange(histories), lengths))
    rows = jax.random.uniform(jax.random.key(0), (workload.batch, 1), minval=0.02, maxval=0.98)
    context = jax.random.normal(jax.random.key(1), (workload.batch, 1))
    counts = 100 + 5 * jnp.arange(10.0)
    wanted = counts / counts.sum()
    params = on_jax.mlp_params(jax.random.key(2), [1, *workload.hidden, 3 * workload.bins + 1])

    def densities(params, rows, context):
        h = context
        for weight, bias in params[:-1]:
            h = jnp.tanh(h @ weight + bias)
        raw = (h @ params[-1][0] + params[-1][1])[:, None]
        inputs = (jnp.log(rows) - jnp.log1p(-rows) + 0.8) / 1.4
        bound = workload.bound
        spline = distrax.RationalQuadraticSpline(raw, -bound, bound, boundary_slopes="identity")
        z, log_det = spline.forward_and_log_det(inputs)
        log_det = log_det - jnp.log(rows) - jnp.log1p(-rows) - jnp.log(1.4)
        return (log_det - z**2 / 2 - jnp.log(2 * jnp.pi) / 2)[:, 0]

    def loss(params, x):
        rows, context, start, segments, bins = x
        ratios = densities(params, rows, context) - start
        log_weights = jax.ops.segment_sum(ratios, segments, histories, indices_are_sorted=True)
        shares = jax.ops.segment_sum(jax.nn.softmax(log_weights), bins, len(wanted))
        return (wanted * (jnp.log(wanted) - jnp.log(shares))).sum()

    start = jax.jit(densities)(params, rows, context)
    x = (rows, context, start, segments, jnp.asarray(lengths - 5))
    return on_jax.model(workload, params, None, None, x=x, loss=loss)
