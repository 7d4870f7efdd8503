"""Writes what zuko's continuous normalizing flow computes, for Tests/BijectionsTests/ContinuousReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_continuous.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/continuous.json. Made with the versions of
requirements-torch.txt, in float64, with small tolerances.

Weights are stored as Swift holds them, [in, out]. The network sees [x, cos, sin, context] there, and [cos, sin, x, context] in
zuko.
"""

import json
import pathlib

import numpy as np
import torch
import zuko

from versions import check

check("zuko", "torch", "numpy")
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(31)


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": [float(f"{v:.14g}") for v in values.ravel()]}


def case(size, context_size, hidden, freqs):
    flow = zuko.flows.continuous.FFJTransform(
        size, context_size, freqs=freqs, atol=1e-12, rtol=1e-11, hidden_features=hidden
    ).eval()
    layers = [m for m in flow.ode if hasattr(m, "weight")]
    params = {}
    for i, layer in enumerate(layers):
        weight = np.round(rng.normal(size=layer.weight.shape) / layer.weight.shape[1] ** 0.5, 6)
        bias = np.round(0.3 * rng.normal(size=layer.bias.shape), 6)
        layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
        if i == 0:
            time = list(range(2 * freqs))
            x = list(range(2 * freqs, 2 * freqs + size))
            rest = list(range(2 * freqs + size, weight.shape[1]))
            weight = weight[:, x + time + rest]
        params[f"dense_{i}/weight"], params[f"dense_{i}/bias"] = array(weight.T), array(bias)
    flow.requires_grad_(False)
    x = np.round(1.5 * rng.normal(size=(6, size)), 6)
    context = np.round(rng.normal(size=(6, context_size)), 6) if context_size else None
    transform = flow(None if context is None else torch.tensor(context))
    y, log_det = transform.call_and_ladj(torch.tensor(x))
    back, inverse_log_det = transform.inv.call_and_ladj(torch.tensor(x))
    return {
        "hidden": hidden,
        "frequencies": freqs,
        "params": params,
        "x": array(x),
        "context": None if context is None else array(context),
        "y": array(y.detach()),
        "logDet": array(log_det.detach()),
        "inverse": array(back.detach()),
        "inverseLogDet": array(inverse_log_det.detach()),
    }


cases = [case(2, 0, [5], 3), case(3, 2, [6, 5], 1), case(1, 0, [4], 2)]
path = pathlib.Path("Tests/BijectionsTests/Fixtures/continuous.json")
path.write_text(json.dumps({"zuko": zuko.__version__, "torch": torch.__version__, "cases": cases}) + "\n")
