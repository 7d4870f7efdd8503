"""Files of an export."""

import json

import numpy as np

_TYPES = {"F32": np.float32, "F64": np.float64}


def columns(path):
    """The names of the columns of a model file, and of its context; None where it has none."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    notes = header.get("__metadata__", {})
    given = json.loads(notes["given"])["columns"] if "given" in notes else None
    return json.loads(notes["columns"]) if "columns" in notes else None, given


def tensors(path):
    """The arrays of a safetensors file by name."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + size + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[start:end], _TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays
