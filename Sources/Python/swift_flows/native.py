"""A fitted model that the library itself computes, on arrays of NumPy."""

import ctypes
import operator
import os

import numpy as np

from . import files, keys, library

_ERROR_SIZE = 4096


class NativeModel:
    """A log-density and a sampler of a model file.

    `event_shape` is the shape of a sample, `context_shape` that of a context, or None. `columns` and
    `context_columns` are names, or None. `dtype` is the one that the model computes with.

    Arrays of float32 and float64 in C order are read where they are; others are copied. A model may be used by
    several threads. It is closed by `close`, at the end of a `with` block, or with its last reference.
    """

    _handle = None

    def __init__(self, path):
        self._library = library.loaded()
        self.name = os.fspath(path)
        error = ctypes.create_string_buffer(_ERROR_SIZE)
        self._handle = self._library.flows_open(os.fsencode(self.name), error, _ERROR_SIZE)
        if not self._handle:
            raise ValueError(error.value.decode())
        self.event_shape = (self._library.flows_dimension(self._handle),)
        size = self._library.flows_context_dimension(self._handle)
        self.context_shape = (size,) if size else None
        self.dtype = {32: "float32", 64: "float64"}[self._library.flows_dtype(self._handle)]
        self.columns, self.context_columns = files.columns(self.name)

    def log_prob(self, x, context=None):
        """The log-density in nats of each of x [..., *event_shape], as `flow score` computes it.

        The result is float32 for x of float32, else float64.
        """
        x = np.asarray(x)
        kind = np.float32 if x.dtype == np.float32 else np.float64
        x, batch = self._rows("x", x, kind, self.event_shape)
        context = self._contexts(context, kind, batch)
        result = np.empty(len(x), kind)
        self._call("log_pdf", kind, _pointer(x), len(x), x.shape[1], *context, _pointer(result))
        return result.reshape(batch)

    def sample(self, key, n, context=None, *, first=0, dtype=np.float64):
        """Rows `first` to `first` + n − 1 of the endless sample of a key, [n, *event_shape].

        The key is a seed, as in `flow sample --seed`, or a key of `jax.random`, or its two words. A context is for
        all, or has one row for each. Samples do not depend on how they are divided into calls.
        """
        n, first = operator.index(n), operator.index(first)
        if n < 0 or not 0 <= first < 2**62:
            raise ValueError(f"expected n and first from 0 on, got {n} and {first}")
        kind = np.dtype(dtype).type
        if kind not in (np.float32, np.float64):
            raise ValueError(f"expected dtype float32 or float64, got {np.dtype(dtype)}")
        context = self._contexts(context, kind, (n,))
        result = np.empty((n, *self.event_shape), kind)
        self._call("sample", kind, *_words(key), first, n, result.shape[1], *context, _pointer(result))
        return result

    def close(self):
        """Closes the model. Other functions then refuse it."""
        if self._handle:
            self._library.flows_close(self._handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def __reduce__(self):
        # A copy, here or in another process, opens the file again: a handle has one owner.
        return NativeModel, (os.path.abspath(self.name),)

    def _call(self, name, kind, *arguments):
        error = ctypes.create_string_buffer(_ERROR_SIZE)
        function = getattr(self._library, f"flows_{name}_{'f32' if kind == np.float32 else 'f64'}")
        if function(self._handle, *arguments, error, _ERROR_SIZE):
            raise ValueError(f"{self.name}: {error.value.decode()}")

    def _contexts(self, context, kind, batch):
        """The pointer, the count and the size of a context. The array lives as long as the pointer."""
        if self.context_shape is None:
            if context is not None:
                raise ValueError(f"{self.name} takes no context")
            return None, 0, 0
        if context is None:
            raise ValueError(f"{self.name} needs a context of shape {self.context_shape}")
        context = np.asarray(context)
        if context.ndim > 1:
            context = np.broadcast_to(context, (*batch, *context.shape[-1:]))
        rows, _ = self._rows("context", context, kind, self.context_shape)
        return _pointer(rows), len(rows), rows.shape[1]

    @staticmethod
    def _rows(name, array, kind, shape):
        """An array as rows in memory that the library can read, and the shape of the batch."""
        if array.shape[-1:] != shape:
            raise ValueError(f"expected {name} of shape [..., {shape[0]}], got {array.shape}")
        if array.dtype.kind not in "fiub":
            raise ValueError(f"expected real numbers in {name}, got {array.dtype}")
        batch = array.shape[:-1]
        rows = np.require(array, kind, ["C_CONTIGUOUS", "ALIGNED"])
        return rows.reshape(int(np.prod(batch, dtype=np.int64)), *shape), batch


def _pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def _words(key):
    """The two words of a key."""
    high, low = (operator.index(word) for word in keys.words(key))
    if not (0 <= high < 2**32 and 0 <= low < 2**32):
        raise ValueError(f"expected two words of 32 bits, got {high} and {low}")
    return high, low
