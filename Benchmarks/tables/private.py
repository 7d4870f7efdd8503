"""Fits DP-CTGAN to a table and writes as many rows of its own.

    python -m tables.private TRAIN OUT --epsilon 3 [--delta 1e-5] [--seed 0] --categories A,B [--empty C,D]

Settings are the defaults of smartnoise-synth. A tenth of epsilon goes to the ranges of the numbers, as its documentation
advises. Needs `pip install smartnoise-synth==1.0.8`, which brings an old opacus, so an environment of its own.
"""

import argparse
import json
import time
import warnings

import numpy as np
import pandas as pd
import torch
from snsynth import Synthesizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("out")
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--delta", type=float, default=1e-5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--categories", default="", help="the columns that are not numbers")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    table = pd.read_csv(options.train)
    categories = [name for name in options.categories.split(",") if name]
    numbers = [name for name in table.columns if name not in categories]
    start = time.perf_counter()
    peer = Synthesizer.create("dpctgan", epsilon=options.epsilon, delta=options.delta, cuda=False)
    drawn = peer.fit_sample(
        table, preprocessor_eps=options.epsilon / 10, categorical_columns=categories, continuous_columns=numbers,
        nullable=bool(table.isna().any().any()))
    seconds = time.perf_counter() - start
    drawn.to_csv(options.out, index=False)
    print(json.dumps({"peer": "dpctgan", "epsilon": options.epsilon, "seed": options.seed, "seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
