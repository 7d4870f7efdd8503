"""Writes R-hat and effective sample sizes of ArviZ, for Tests/InferenceTests/ChainDiagnosticsTests.swift.

    python Tests/Fixtures/make_chains.py    # in the repository's root; writes Tests/InferenceTests/Fixtures/chains.json

arviz-stats 0.8.0 and numpy 2.4.6 (requirements.txt), in float64.
"""

import json
import pathlib

import arviz_stats
import numpy as np
from arviz_stats.base import array_stats

assert arviz_stats.__version__ == "0.8.0"
rng = np.random.default_rng(20261128)


def case(chains, draws, memory, shift=0.0):
    # Autoregressive chains; every chain is shifted by as much again. Few digits, so that the file stays small.
    x = np.zeros((chains, draws))
    for t in range(draws):
        x[:, t] = memory * (x[:, t - 1] if t else 0) + rng.normal(size=chains)
    x = np.round(x + shift * np.arange(chains)[:, None], 4)
    return {
        "draws": x.tolist(),
        "rHat": float(array_stats.rhat(x, chain_axis=0, draw_axis=1)),
        "size": float(array_stats.ess(x, chain_axis=0, draw_axis=1, method="bulk")),
    }


cases = [case(4, 100, 0.0), case(4, 101, 0.7), case(2, 60, -0.5), case(3, 80, 0.3, 1.0)]
path = pathlib.Path("Tests/InferenceTests/Fixtures/chains.json")
path.write_text(json.dumps({"cases": cases}) + "\n")
print(path, path.stat().st_size, [(c["rHat"], c["size"]) for c in cases])
