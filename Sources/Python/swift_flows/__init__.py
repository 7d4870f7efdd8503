"""Reads models that swift-flows has exported, as functions of JAX.

    import swift_flows
    model = swift_flows.load("exported")
    model.log_prob(x)                      # x [..., *event_shape], any number of rows
    model.sample(jax.random.key(0), 1000)  # the draws of the same key in Swift, to rounding

Both work under jit. log_prob has derivatives by rows, context and parameters:

    jax.grad(lambda p: model.log_prob(x, params=p).mean())(model.params)
"""

from .model import Model, load

__all__ = ["Model", "load"]
__version__ = "0.1.0"
