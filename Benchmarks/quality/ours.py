"""Fits `flow fit` without options to a split, scores the test rows once, and draws rows.

    python -m quality.ours FOLDER RESULTS FLOW [--sets A,B] [--splits 0,1] [--architecture NAME | --equal PEERS]

appends one JSON line a fit to RESULTS, as quality.peers does. FLOW is the command's executable. `stray` is the share of
5,000 draws that lie farther from the nearest training row than 999 of 1,000 held-out rows do; 0.001 is right. --equal
fits one spline-mixture instead, with the widest layers that take no more parameters than zuko-nsf in PEERS.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from scipy.spatial import cKDTree

from .sets import NAMES, SPLITS


def run(*words):
    return json.loads(subprocess.run([*map(str, words), "--json"], check=True, capture_output=True, text=True).stdout)


def stray(train, test, draws):
    """The share of draws that stray."""
    tree = cKDTree(train)
    allowed = np.quantile(tree.query(test)[0], 0.999)
    return float((tree.query(draws)[0] > allowed).mean())


def options_for(equal, name, size):
    """The options of one flow with at most the parameters of zuko-nsf."""
    lines = map(json.loads, equal.read_text().splitlines())
    most = next(line["parameters"] for line in lines if (line["set"], line["model"]) == (name, "zuko-nsf"))

    def count(width):
        # Three masked networks with 23 numbers per spline, and a normal with its mean and covariance.
        return 3 * (width * (24 * size + 2 + width) + 23 * size) + size * (size + 3) // 2

    width = max([w for w in range(8, 1024, 8) if count(w) <= most], default=8)
    return ["--architecture", "spline-mixture", "--hidden", f"{width},{width}"]


def fit(flow, place, choice):
    with tempfile.TemporaryDirectory() as folder:
        model, drawn = (pathlib.Path(folder) / name for name in ("model.safetensors", "draws.npy"))
        start = time.perf_counter()
        fitted = run(flow, "fit", place / "train.npy", "--out", model, "--progress", "none", *choice)
        seconds = time.perf_counter() - start
        score = run(flow, "score", model, place / "test.npy")["mean_log_likelihood"]
        run(flow, "sample", model, "--count", 5_000, "--out", drawn, "--progress", "none")
        train, test = (np.load(place / f"{part}.npy") for part in ("train", "test"))
        tried = fitted.get("tried", [])
        taken = {trial["name"]: round(trial["weight"], 3) for trial in tried if trial["weight"]}
        return {
            "test": -score,
            "stray": stray(train, test, np.load(drawn)),
            "taken": taken,
            "parameters": fitted["parameters"],
            "steps": sum(trial["steps"] for trial in tried) or fitted["steps"],
            "seconds": round(seconds, 1),
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("flow", type=pathlib.Path)
    parser.add_argument("--sets", default=",".join(NAMES))
    parser.add_argument("--splits", default=",".join(map(str, range(SPLITS))))
    parser.add_argument("--architecture")
    parser.add_argument("--equal", type=pathlib.Path)
    arguments = parser.parse_args()
    model = "one flow" if arguments.equal else arguments.architecture or "flow fit"
    lines = arguments.results.read_text().splitlines() if arguments.results.exists() else []
    done = {(line["set"], line["split"], line["model"]) for line in map(json.loads, lines)}
    for index in map(int, arguments.splits.split(",")):
        for name in arguments.sets.split(","):
            if (name, index, model) in done:
                continue
            about = json.loads((arguments.folder / name / "about.json").read_text())
            place = arguments.folder / name / str(index)
            choice = ["--architecture", arguments.architecture] if arguments.architecture else []
            if arguments.equal:
                choice = options_for(arguments.equal, name, np.load(place / "train.npy").shape[1])
            line = fit(arguments.flow, place, choice)
            line["test"] += about["offset"][index]
            line = {"set": name, "split": index, "model": model, **line}
            with arguments.results.open("a") as file:
                print(json.dumps(line), file=file)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
