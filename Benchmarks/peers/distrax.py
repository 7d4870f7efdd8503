"""The workloads in distrax. Splines take 3 K + 1 parameters, of which the slopes at both ends are not used."""

import distrax
import jax
import jax.numpy as jnp

from . import on_jax
from .workloads import Missing, with_reversals


def reversal():
    """The channels in reverse order, for which distrax has no layer."""
    flip = lambda x: jnp.flip(x, -1)
    log_det = lambda x: jnp.zeros(x.shape[:-1])
    return distrax.Lambda(flip, flip, log_det, log_det, 1, 1, is_constant_jacobian=True)


def coupling(workload, params):
    """A coupling of halves, from data to latent."""
    def affine(raw):
        shift, log_scale = jnp.split(raw, 2, -1)
        return distrax.ScalarAffine(shift, log_scale=log_scale)

    def spline(raw):
        raw = raw.reshape(*raw.shape[:-1], workload.moved, -1)
        return distrax.RationalQuadraticSpline(raw, -workload.bound, workload.bound, boundary_slopes="identity")

    inner = spline if workload.kind == "spline" else affine
    return distrax.SplitCoupling(workload.kept, 1, lambda x: on_jax.mlp(params, x), inner)


def act_norm_linear(params):
    """ActNorm and L U, from data to latent; the matrix has no bias, since ActNorm shifts."""
    shift, log_scale, factors = params
    act_norm = distrax.Block(distrax.ScalarAffine(shift, log_scale=log_scale), 1)
    return distrax.Chain([distrax.LowerUpperTriangularAffine(factors, jnp.zeros(len(shift))), act_norm])


def initial(workload, key):
    """Initial parameters of one layer."""
    size = workload.dimension
    if workload.kind == "linear":
        return jnp.zeros(size), jnp.zeros(size), jnp.eye(size) + 0.01 * jax.random.normal(key, (size, size))
    outputs = {"affine": 2, "spline": 3 * workload.bins + 1}[workload.kind]
    return on_jax.mlp_params(key, [workload.kept, *workload.hidden, outputs * workload.moved])


def model(workload):
    """The model of a workload."""
    if workload.kind == "masked":
        raise Missing("distrax has no autoregressive bijector")

    def flow(params):
        if workload.kind == "linear":
            layers = [act_norm_linear(p) for p in params]
        else:
            layers = with_reversals([coupling(workload, p) for p in params], reversal)
        base = distrax.MultivariateNormalDiag(jnp.zeros(workload.dimension), jnp.ones(workload.dimension))
        # A chain applies its last member first.
        return distrax.Transformed(base, distrax.Inverse(distrax.Chain(layers[::-1])))

    return on_jax.model(
        workload,
        [initial(workload, key) for key in jax.random.split(jax.random.key(0), workload.layers)],
        lambda params, x: flow(params).log_prob(x),
        lambda key, params, count: flow(params).sample(seed=key, sample_shape=count),
    )
