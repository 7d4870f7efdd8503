"""A distribution from an export."""

import json
import math
import operator
import pathlib

import jax
import jax.numpy as jnp

from . import files, keys
from .program import Program


def load(folder):
    """Reads the folder that `flow export` or `ExportedModel.write(to:)` has written."""
    folder = pathlib.Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        format = manifest["format"]
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"{folder}: manifest.json is damaged: {problem!r}") from None
    if format != 3:
        raise ValueError(f"{folder}: expected format 3, got {format}; export again, by the version of this package")
    if manifest.get("dtype") == "float64" and not jax.config.jax_enable_x64:
        raise ValueError(f"{folder}: a float64 model needs jax.config.update('jax_enable_x64', True)")
    try:
        return Model(folder, manifest)
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"{folder}: the export is damaged: {problem!r}") from None


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
        self._rows, self._state = manifest["rows"], manifest["sample_state"]
        self._refusal = manifest["sample_refusal"]
        stored = files.tensors(folder / "parameters.safetensors")
        self.params = {path: jnp.asarray(stored[path]) for path in manifest["parameters"]}
        kinds = tuple((array.shape, self.dtype) for array in self.params.values())
        rows = ((self._rows, *self.event_shape), self.dtype)
        contexts = () if context is None else (((self._rows, *self.context_shape), self.dtype),)
        logs = ((self._rows,), self.dtype)

        def program(name, results):
            return Program((folder / f"{name}.mlir").read_text(), results)

        log_prob = _with_pullback(program("log_prob", (logs,)), program("log_prob_vjp", (*kinds, rows, *contexts)))
        self._log_prob = lambda leaves, rows: log_prob((leaves, rows), ())[0]
        states = (((), "int32"),) * self._state
        self._sample = None if self._refusal else _with_pullback(
            program("sample", (rows, *states)), program("sample_vjp", (*kinds, *contexts)))

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
        """n samples, [n, *event_shape], of a key of `jax.random` or a seed.

        A context is for all, or has one row for each.
        """
        if self._refusal:
            raise ValueError(f"{self.name} has no program for draws: {self._refusal}")
        n = operator.index(n)
        if n < 0:
            raise ValueError(f"expected n from 0 on, got {n}")
        leaves = self._leaves(params)
        arguments = []
        if self.context_shape is not None:
            arguments.append(self._contexts(context, (n,)))
        elif context is not None:
            raise ValueError(f"{self.name} takes no context")
        words = jnp.asarray(keys.words(key), jnp.uint32)
        if words.shape != (2,):
            raise ValueError(f"expected one key of threefry, of two words, got words of shape {words.shape}")
        words = jax.lax.bitcast_convert_type(words, jnp.int32)

        def step(state, contexts):
            samples, *state = self._sample((leaves, contexts), (words, *state))
            return tuple(state), samples

        # The state counts the rows of the calls so far.
        start = (jnp.zeros((), jnp.int32),) * self._state
        calls = self._padded(n) // self._rows
        _, samples = jax.lax.scan(step, start, tuple(self._pieces(arguments, n)), calls)
        return samples.reshape(-1, *self.event_shape)[:n]

    def _leaves(self, params):
        params = self.params if params is None else params
        if set(params) != set(self.params):
            raise ValueError(f"expected the parameters {sorted(self.params)}, got {sorted(params)}")
        leaves = tuple(jnp.asarray(params[path], own.dtype) for path, own in self.params.items())
        for (path, own), leaf in zip(self.params.items(), leaves):
            if leaf.shape != own.shape:
                raise ValueError(f"expected the parameter {path} of shape {own.shape}, got {leaf.shape}")
        return leaves

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

    def _pieces(self, arguments, n):
        """Rows in pieces for the calls of a program. The last row is repeated; without rows there are zeros."""
        total = self._padded(n)
        for array in arguments:
            short = total - array.shape[0]
            if short and array.shape[0]:
                array = jnp.concatenate([array, jnp.repeat(array[-1:], short, axis=0)])
            elif short:
                array = jnp.zeros((total, *array.shape[1:]), array.dtype)
            yield array.reshape(total // self._rows, self._rows, *array.shape[1:])

    def _map(self, function, arguments, n):
        """Calls a program with rows, as many as it takes at a time."""
        pieces = tuple(self._pieces(arguments, n))
        if pieces[0].shape[0] == 1:
            return function(*(piece[0] for piece in pieces))[:n]
        result = jax.lax.map(lambda rows: function(*rows), pieces)
        return result.reshape(-1, *result.shape[2:])[:n]


def _flat(x, shape):
    return x.reshape(-1, *shape) if shape else x.reshape(-1)


def _with_pullback(program, pullback):
    """A function of (parameters, rows), and of integers, whose derivative by the first is a program too.

    The pullback takes the cotangent of the first result, and the integers behind it.
    """

    @jax.custom_vjp
    def function(numbers, integers):
        leaves, rows = numbers
        return tuple(program(*leaves, *rows, *integers))

    def forward(numbers, integers):
        return function(numbers, integers), (numbers, integers)

    def backward(kept, cotangents):
        (leaves, rows), integers = kept
        results = pullback(*leaves, *rows, cotangents[0], *integers)
        return (tuple(results[: len(leaves)]), tuple(results[len(leaves) :])), None

    function.defvjp(forward, backward)
    return function
