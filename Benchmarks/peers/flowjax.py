"""The workloads in flowjax. Splines learn the slopes at both ends too: 3 K + 1 parameters where others have 3 K - 1."""

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from flowjax.bijections import AbstractBijection, Affine, Chain, Coupling, Flip, Invert, MaskedAutoregressive
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import StandardNormal, Transformed
from jax.scipy.linalg import solve_triangular

from . import on_jax
from .workloads import with_reversals


class LULinear(AbstractBijection):
    """y = x L U by hand: flowjax has triangular layers of D^2 + D parameters each, but none that shares one matrix."""

    shape: tuple
    cond_shape = None
    factors: jax.Array

    def __init__(self, key, dimension):
        self.shape = (dimension,)
        self.factors = jnp.eye(dimension) + 0.01 * jax.random.normal(key, (dimension, dimension))

    def _triangles(self):
        return jnp.tril(self.factors, -1) + jnp.eye(len(self.factors)), jnp.triu(self.factors)

    def _log_det(self):
        return jnp.log(jnp.abs(jnp.diag(self.factors))).sum()

    def transform_and_log_det(self, x, condition=None):
        lower, upper = self._triangles()
        return x @ (lower @ upper), self._log_det()

    def inverse_and_log_det(self, y, condition=None):
        lower, upper = self._triangles()
        z = solve_triangular(upper, y, trans="T")
        return solve_triangular(lower, z, trans="T", lower=True, unit_diagonal=True), -self._log_det()


def layer(workload, key):
    """One layer, from data to latent."""
    dimension = workload.dimension
    if workload.kind == "linear":
        return Chain([Affine(jnp.zeros(dimension), jnp.ones(dimension)), LULinear(key, dimension)])
    network = {"nn_width": workload.hidden[0], "nn_depth": len(workload.hidden)}
    if workload.kind == "masked":
        return MaskedAutoregressive(key, transformer=Affine(), dim=dimension, **network)
    spline = workload.kind == "spline"
    transformer = RationalQuadraticSpline(knots=workload.bins - 1, interval=workload.bound) if spline else Affine()
    return Coupling(key, transformer=transformer, untransformed_dim=workload.kept, dim=dimension, **network)


def model(workload):
    """The model of a workload."""
    shape = (workload.dimension,)
    layers = [layer(workload, key) for key in jax.random.split(jax.random.key(0), workload.layers)]
    if workload.kind != "linear":
        layers = with_reversals(layers, lambda: Flip(shape))
    flow = Transformed(StandardNormal(shape), Invert(Chain(layers)))
    is_frozen = lambda leaf: isinstance(leaf, paramax.NonTrainable)
    params, static = eqx.partition(flow, eqx.is_inexact_array, is_leaf=is_frozen)
    return on_jax.model(
        workload,
        params,
        lambda params, x: eqx.combine(params, static).log_prob(x),
        lambda key, params, count: eqx.combine(params, static).sample(key, (count,)),
    )
