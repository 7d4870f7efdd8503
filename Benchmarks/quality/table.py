"""Prints the comparison's tables from the results of quality.ours and quality.peers.

    python -m quality.table RESULTS...

Means over the splits of the test losses in nats a row. `difference` is the mean of ours minus the best peer's (the peer with
the lowest mean on that set), split by split, with its standard error.
"""

import json
import pathlib
import sys
from collections import defaultdict

import numpy as np

from .sets import NAMES

OURS, FLOOR, EQUAL = "flow fit", "gaussian", "one flow"


def main():
    losses, strays = defaultdict(dict), defaultdict(list)
    for path in sys.argv[1:]:
        for line in map(json.loads, pathlib.Path(path).read_text().splitlines()):
            losses[line["set"], line["model"]][line["split"]] = line["test"]
            if line["model"] == OURS:
                strays[line["set"]].append(line["stray"])
    models = sorted({model for _, model in losses} - {OURS, FLOOR, EQUAL})
    columns = [OURS, *models, FLOOR]
    print("| set | splits | " + " | ".join(columns) + " | difference | strays |")
    print("|---" * (len(columns) + 4) + "|")
    for name in NAMES:
        own = losses.get((name, OURS))
        if not own:
            continue
        splits = sorted(own)
        peers = {model: losses[name, model] for model in models if all(s in losses[name, model] for s in splits)}
        means = {model: np.mean([values[s] for s in splits]) for model, values in peers.items()}
        best = min(means, key=means.get)
        gap = np.array([own[s] - peers[best][s] for s in splits])
        error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
        means |= {OURS: np.mean([own[s] for s in splits])}
        if all(s in losses[name, FLOOR] for s in splits):
            means |= {FLOOR: np.mean([losses[name, FLOOR][s] for s in splits])}
        lowest = min(means.values())
        cells = []
        for model in columns:
            text = f"{means[model]:.3f}" if model in means else ""
            cells.append(f"**{text}**" if model in means and means[model] == lowest else text)
        stray = f"{100 * np.mean(strays[name]):.2f} %"
        print(f"| {name} | {len(splits)} | " + " | ".join(cells) + f" | {gap.mean():+.3f} ± {error:.3f} | {stray} |")
    equal(losses)


def equal(losses):
    """One flow of ours beside zuko's with as many parameters."""
    print("\n| set | one flow | zuko-nsf | difference |\n|---|---|---|---|")
    for name in NAMES:
        own, peer = losses.get((name, EQUAL), {}), losses.get((name, "zuko-nsf"), {})
        gap = np.array([own[s] - peer[s] for s in own if s in peer])
        if len(gap) > 1:
            means = " | ".join(f"{np.mean([x[s] for s in own]):.3f}" for x in (own, peer))
            print(f"| {name} | {means} | {gap.mean():+.3f} ± {gap.std(ddof=1) / np.sqrt(len(gap)):.3f} |")


if __name__ == "__main__":
    main()
