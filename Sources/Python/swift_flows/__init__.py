"""Normalizing flows that swift-flows has fitted, for NumPy and for JAX.

    import swift_flows

    model = swift_flows.open("model.safetensors")   # a file of `flow fit`, computed by the library itself
    model.log_prob(x)                               # the numbers of `flow score`, to the bit
    model.sample(0, 1000)                           # those of `flow sample --seed 0`

    model = swift_flows.load("exported")            # a folder of `flow export`, computed by JAX
    model.log_prob(x)                               # the same to rounding, with derivatives and under jit
    model.sample(jax.random.key(0), 1000)

`open` needs NumPy and the shared library, `load` needs JAX. Each is imported at its first use.
"""

__all__ = ["Model", "NativeModel", "load", "open"]
__version__ = "0.1.0"


def open(path):
    """Opens a model file that `flow fit` has written."""
    from .native import NativeModel

    return NativeModel(path)


def load(folder):
    """Reads the folder that `flow export` or `ExportedModel.write(to:)` has written."""
    from .model import load

    return load(folder)


def __getattr__(name):
    if name == "Model":
        from .model import Model

        return Model
    if name == "NativeModel":
        from .native import NativeModel

        return NativeModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
