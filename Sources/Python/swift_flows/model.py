"""A distribution from an export."""

import json
import math
import pathlib

import jax
import jax.numpy as jnp

from . import draws, files
from .program import Program


def load(folder):
    """Reads the folder that `flow export` or `ExportedModel.write(to:)` has written."""
    folder = pathlib.Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["format"] != 1:
        raise ValueError(f"{folder}: expected format 1, got {manifest['format']}; take a newer swift_flows")
    if manifest["dtype"] == "float64" and not jax.config.jax_enable_x64:
        raise ValueError(f"{folder}: a float64 model needs jax.config.update('jax_enable_x64', True)")
    return Model(folder, manifest)


class Model:
    """A log-density and a sampler.

    `params` are the learned parameters by path, `event_shape` is the shape of a sample, and `context_shape` that
    of a context, or None.
    """

    def __init__(self, folder, manifest):
        self.name, self.dtype = manifest["name"], manifest["dtype"]
        self.event_shape = tuple(manifest["event_shape"])
        context = manifest["context_shape"]
        self.context_shape = None if context is None else tuple(context)
        self.columns = manifest.get("columns")
        self._rows, self._draws = manifest["rows"], manifest["draws"]
        self._refusal = manifest["sample_refusal"]
        stored = files.tensors(folder / "parameters.safetensors")
        self.params = {path: jnp.asarray(stored[path]) for path in manifest["parameters"]}
        kinds = tuple((array.shape, self.dtype) for array in self.params.values())
        rows = ((self._rows, *self.event_shape), self.dtype)
        contexts = () if context is None else (((self._rows, *self.context_shape), self.dtype),)
        logs = ((self._rows,), self.dtype)

        def program(name, results):
            return Program((folder / f"{name}.mlir").read_text(), results)

        self._log_prob = _with_pullback(
            program("log_prob", (logs,)), program("log_prob_vjp", (*kinds, rows, *contexts)))
        self._sample = None if self._refusal else program("sample", (rows,))

    def log_prob(self, x, context=None, *, params=None):
        """The log-density in nats of each of x [..., *event_shape]."""
        x = jnp.asarray(x, self.dtype)
        batch = self._batch("x", x, self.event_shape)
        arguments = [_flat(x, self.event_shape)]
        if self.context_shape is not None:
            arguments.append(self._contexts(context, batch))
        elif context is not None:
            raise ValueError(f"{self.name} takes no context")
        leaves = self._leaves(params)
        result = self._map(lambda *rows: self._log_prob(leaves, rows), arguments, math.prod(batch))
        return result.reshape(batch)

    def sample(self, key, n, context=None, *, params=None):
        """n samples, [n, *event_shape]. A context is for all, or has one row for each."""
        if self._refusal:
            raise ValueError(f"{self.name} has no program for draws: {self._refusal}")
        leaves = self._leaves(params)
        total = self._padded(n)
        arguments = draws.arrays(self._draws, key, total, dict(zip(self.params, leaves)))
        if self.context_shape is not None:
            arguments.insert(0, self._contexts(context, (n,)))
        elif context is not None:
            raise ValueError(f"{self.name} takes no context")
        return self._map(lambda *rows: self._sample(*leaves, *rows)[0], arguments, n)

    def _leaves(self, params):
        params = self.params if params is None else params
        if set(params) != set(self.params):
            raise ValueError(f"expected the parameters {sorted(self.params)}, got {sorted(params)}")
        return tuple(params[path] for path in self.params)

    def _contexts(self, context, batch):
        if context is None:
            raise ValueError(f"{self.name} needs a context of shape {self.context_shape}")
        context = jnp.asarray(context, self.dtype)
        self._batch("context", context, self.context_shape)
        return _flat(jnp.broadcast_to(context, (*batch, *self.context_shape)), self.context_shape)

    @staticmethod
    def _batch(name, x, shape):
        if x.ndim < len(shape) or x.shape[x.ndim - len(shape) :] != shape:
            raise ValueError(f"expected {name} of shape [..., {', '.join(map(str, shape))}], got {x.shape}")
        return x.shape[: x.ndim - len(shape)]

    def _padded(self, n):
        return max(1, -(-n // self._rows)) * self._rows

    def _map(self, function, arguments, n):
        """Calls a program with rows, as many as it takes at a time."""
        total = self._padded(n)
        pieces = []
        for array in arguments:
            # The last row is repeated; there is none where n is 0.
            short = total - array.shape[0]
            if short and array.shape[0]:
                array = jnp.concatenate([array, jnp.repeat(array[-1:], short, axis=0)])
            elif short:
                array = jnp.zeros((total, *array.shape[1:]), array.dtype)
            pieces.append(array.reshape(total // self._rows, self._rows, *array.shape[1:]))
        if total == self._rows:
            return function(*(piece[0] for piece in pieces))[:n]
        result = jax.lax.map(lambda rows: function(*rows), tuple(pieces))
        return result.reshape(total, *result.shape[2:])[:n]


def _flat(x, shape):
    return x.reshape(-1, *shape) if shape else x.reshape(-1)


def _with_pullback(program, pullback):
    """A function of parameters and rows whose derivative is a program too."""

    @jax.custom_vjp
    def function(leaves, rows):
        return program(*leaves, *rows)[0]

    def forward(leaves, rows):
        return function(leaves, rows), (leaves, rows)

    def backward(kept, cotangent):
        leaves, rows = kept
        results = pullback(*leaves, *rows, cotangent)
        return tuple(results[: len(leaves)]), tuple(results[len(leaves) :])

    function.defvjp(forward, backward)
    return function
