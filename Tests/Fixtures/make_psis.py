"""Writes Pareto-smoothed importance weights of ArviZ, for Tests/TrainingTests/PsisTests.swift.

    python Tests/Fixtures/make_psis.py        # in the repository's root; writes Tests/TrainingTests/Fixtures/psis.json

arviz-stats 0.8.0 and numpy 2.4.6 (requirements.txt), in float64.
"""

import json
import pathlib

import arviz_stats
import numpy as np
from arviz_stats.base import array_stats

assert arviz_stats.__version__ == "0.8.0"
rng = np.random.default_rng(20260711)


def case(count, scale, freedom, offset=0.0):
    # Few digits, so that the file stays small; all different, since ties may stand in any order.
    log_weights = np.round(scale * rng.standard_t(freedom, size=count) + offset, 8)
    assert len(set(log_weights)) == count
    smoothed, k = array_stats.psislw(-log_weights)  # it takes log-likelihoods, and normalizes
    return {"logWeights": log_weights.tolist(), "smoothed": smoothed.tolist(), "k": float(k)}


cases = [case(40, 1.0, 30), case(225, 0.3, 30), case(226, 1.0, 30), case(500, 2.0, 5, -700.0), case(400, 0.01, 30)]
path = pathlib.Path("Tests/TrainingTests/Fixtures/psis.json")
path.write_text(json.dumps({"cases": cases}) + "\n")
print(path, path.stat().st_size)
