"""The continuous workloads by diffrax's solvers, with gradients through the steps."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from . import fields, on_jax
from .workloads import Missing


class RungeKutta4(diffrax.AbstractERK):
    """The classical method of order 4."""

    tableau = diffrax.ButcherTableau(
        c=np.array([0.5, 0.5, 1.0]),
        b_sol=np.array([1 / 6, 1 / 3, 1 / 3, 1 / 6]),
        b_error=np.zeros(4),
        a_lower=(np.array([0.5]), np.array([0.0, 0.5]), np.array([0.0, 0.0, 1.0])),
    )
    interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

    def order(self, terms):
        return 4


def solved(slope, start, first, last, params, steps=None, tolerance=None):
    """The state at the end of a path from `first` to `last`."""
    if steps:
        solver, control = RungeKutta4(), diffrax.ConstantStepSize()
    else:
        solver, control = diffrax.Dopri5(), diffrax.PIDController(rtol=tolerance, atol=tolerance)
    step = (last - first) / steps if steps else None
    term = diffrax.ODETerm(slope)
    result = diffrax.diffeqsolve(
        term, solver, first, last, step, start, params, stepsize_controller=control, max_steps=steps or 256
    )
    return jax.tree.map(lambda part: part[-1], result.ys)


def density(z, change):
    """The log-density of rows whose latents are `z`."""
    return change - (z**2 / 2 + jnp.log(2 * jnp.pi) / 2).sum(-1)


def cnf(workload):
    """The continuous flow by Dormand and Prince's method, with one step for the whole batch."""
    params = [tuple(jnp.asarray(part, dtype=jnp.float32) for part in layer) for layer in fields.network(workload)]
    x = jnp.asarray(fields.rows(workload), dtype=jnp.float32)

    def network(params, t, x):
        angle = jnp.pi * t * jnp.arange(1, workload.frequencies + 1)
        u = jnp.concatenate([x, jnp.cos(angle), jnp.sin(angle)])
        for weight, bias in params[:-1]:
            u = jax.nn.elu(u @ weight + bias)
        return u @ params[-1][0] + params[-1][1]

    def traced(t, state, params):
        def one(x):
            value, push = jax.linearize(lambda x: network(params, t, x), x)
            return value, jnp.trace(jax.vmap(push)(jnp.eye(len(x))))

        return jax.vmap(one)(state[0])

    def log_pdf(params, x, tolerance):
        return density(*solved(traced, (x, jnp.zeros(len(x))), 0.0, 1.0, params, tolerance=tolerance))

    chosen, error = fields.tolerance(workload, lambda tolerance: np.asarray(log_pdf(params, x, tolerance), dtype=float))

    def sample(key, params, count):
        z = jax.random.normal(key, (count, workload.dimension))
        alone = lambda t, x, params: jax.vmap(lambda row: network(params, t, row))(x)
        return solved(alone, z, 1.0, 0.0, params, tolerance=chosen)

    return on_jax.model(
        workload, params, lambda params, x: log_pdf(params, x, chosen), sample, about={"error": error}, x=x
    )


def ot_flow(workload):
    """OT-Flow by equal Runge-Kutta steps, with its own loss."""
    size, width = workload.dimension, workload.hidden[0]

    def uniform(purpose, bound, *shape):
        return jax.random.uniform(jax.random.key(purpose), shape, minval=-bound, maxval=bound)

    rank = min(10, size + 1)
    first, second = (size + 1) ** -0.5, width**-0.5
    params = {
        "first": (uniform(0, first, size + 1, width), uniform(1, first, width)),
        "second": (uniform(2, second, width, width), uniform(3, second, width)),
        "scale": jnp.ones(width),
        "linear": jnp.zeros(size + 1),
        "matrix": uniform(4, (6 / (size + 1 + rank)) ** 0.5, size + 1, rank),
    }

    def potential(params, t, x, traced=True):
        s = jnp.concatenate([x, jnp.full((len(x), 1), t)], 1)
        opening = s @ params["first"][0] + params["first"][1]
        slope = jnp.tanh(opening)
        u = jnp.abs(opening) + jnp.log1p(jnp.exp(-2 * jnp.abs(opening)))
        second = jnp.tanh(u @ params["second"][0] + params["second"][1])
        z = params["scale"] + (second * params["scale"]) @ params["second"][0].T
        gradient = (slope * z) @ params["first"][0].T + (s @ params["matrix"]) @ params["matrix"].T + params["linear"]
        if not traced:
            return gradient[:, :size]
        inputs = params["first"][0][:size]
        trace = ((1 - slope**2) * z) @ (inputs**2).sum(0)
        moved = (slope[:, None] * inputs) @ params["second"][0]
        trace = trace + ((1 - second**2) * params["scale"] * (moved**2).sum(1)).sum(1)
        return gradient, trace + (params["matrix"][:size] ** 2).sum()

    def rates(t, state, params):
        gradient, trace = potential(params, t, state[0])
        own = gradient[:, :size]
        transport = (own**2).sum(1) / 2
        return -own, -trace, transport, jnp.abs(gradient[:, -1] - transport)

    def solution(params, x):
        zero = jnp.zeros(len(x))
        return solved(rates, (x, zero, zero, zero), 0.0, 1.0, params, steps=workload.layers)

    def loss(params, x):
        z, change, transport, optimality = solution(params, x)
        return (-density(z, change) + transport / 100 + 15 / 100 * optimality).mean()

    def sample(key, params, count):
        z = jax.random.normal(key, (count, size))
        alone = lambda t, x, params: -potential(params, t, x, traced=False)
        return solved(alone, z, 1.0, 0.0, params, steps=workload.layers)

    return on_jax.model(workload, params, lambda params, x: density(*solution(params, x)[:2]), sample, loss=loss)


def model(workload):
    """The model of a workload."""
    if workload.kind == "matching":
        raise Missing("it solves equations")
    return {"cnf": cnf, "ot-flow": ot_flow}[workload.kind](workload)
