"""Fits a peer to a table and writes as many rows of its own.

    python -m tables.peers TRAIN OUT --peer ctgan|tvae [--seed 0] [--epochs 300]

Settings are the defaults of SDV's synthesizers, with SDV's own detection of the columns' types. TRAIN is a CSV file that
`tables --out FOLDER` writes; `tables --judge OUT` holds the rows against the same held-out rows.
"""

import argparse
import json
import time
import warnings

import numpy as np
import pandas as pd
import torch
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, TVAESynthesizer

PEERS = {"ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("out")
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=300)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    table = pd.read_csv(options.train)
    metadata = Metadata.detect_from_dataframes({"table": table}, infer_keys=None)
    start = time.perf_counter()
    peer = PEERS[options.peer](metadata, epochs=options.epochs, enable_gpu=False)
    peer.fit({"table": table})
    seconds = time.perf_counter() - start
    drawn = peer.sample(len(table))
    (drawn["table"] if isinstance(drawn, dict) else drawn).to_csv(options.out, index=False)
    print(json.dumps({"peer": options.peer, "seed": options.seed, "rows": len(table), "seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
