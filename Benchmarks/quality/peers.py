"""Fits the peers to a split and prints their held-out loss.

    python -m quality.peers FOLDER RESULTS [--sets A,B] [--splits 0,1] [--models A,B]

appends one JSON line a fit to RESULTS: set, split, model, test loss in nats a row, parameters, seconds. Fits that are in
RESULTS already are left out. Settings are those of each library's own documentation; where it says nothing, Adam at 1e-3,
256 rows a step (64 below 1,000 rows), a tenth of the rows for validation, the best of up to 1,000 epochs, and an end after
20 epochs without a better one or 90 seconds.
"""

import argparse
import copy
import json
import pathlib
import sys
import time

import numpy as np
import torch

from .sets import NAMES, SPLITS

torch.set_num_threads(1)
PATIENCE, EPOCHS, SECONDS = 20, 1_000, 90


def zuko_nsf(size):
    """README and quick start of zuko: three transforms, three hidden layers of 128, Adam at 1e-3."""
    import zuko

    flow = zuko.flows.NSF(size, transforms=3, hidden_features=[128] * 3)
    return flow, lambda x: flow().log_prob(x), torch.optim.Adam(flow.parameters(), lr=1e-3)


def nflows_maf(size):
    """The arrangement of nflows' example of moons, five reversals with masked affine layers, at the width of its class."""
    from nflows import distributions, flows, transforms

    width = max(64, size)
    layers = []
    for _ in range(5):
        layers.append(transforms.ReversePermutation(features=size))
        layers.append(transforms.MaskedAffineAutoregressiveTransform(features=size, hidden_features=width))
    flow = flows.Flow(transforms.CompositeTransform(layers), distributions.StandardNormal([size]))
    return flow, flow.log_prob, torch.optim.Adam(flow.parameters(), lr=1e-3)


def normflows_nsf(size):
    """The neural spline flow of normflows' examples: autoregressive splines of two hidden layers of 128, each followed by
    an LU map, Adam at 5e-4 with weight decay 1e-5. The example has 16 layers; above 10 dimensions there are 8 here."""
    import normflows

    layers = []
    for _ in range(16 if size <= 10 else 8):
        layers.append(normflows.flows.AutoregressiveRationalQuadraticSpline(size, 2, 128))
        layers.append(normflows.flows.LULinearPermute(size))
    flow = normflows.NormalizingFlow(normflows.distributions.DiagGaussian(size, trainable=False), layers)
    return flow, flow.log_prob, torch.optim.Adam(flow.parameters(), lr=5e-4, weight_decay=1e-5)


TORCH = {"zuko-nsf": zuko_nsf, "nflows-maf": nflows_maf, "normflows-nsf": normflows_nsf}


def fit_torch(make, train, test, seed):
    torch.manual_seed(seed)
    order = np.random.default_rng(seed).permutation(len(train))
    held = round(len(train) / 10)
    train, test = (torch.tensor(x, dtype=torch.float32) for x in (train, test))
    valid, train = train[order[:held]], train[order[held:]]
    flow, log_prob, optimizer = make(train.shape[1])
    batch = 64 if len(train) < 1_000 else 256
    best, state, since, start = float("inf"), None, 0, time.perf_counter()
    for epoch in range(EPOCHS):
        flow.train()
        for rows in torch.randperm(len(train)).split(batch):
            loss = -log_prob(train[rows]).mean()
            optimizer.zero_grad()
            if torch.isfinite(loss):
                loss.backward()
                torch.nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
                optimizer.step()
        flow.eval()
        with torch.no_grad():
            loss = -log_prob(valid).mean().item()
        since += 1
        if loss < best:
            best, state, since = loss, copy.deepcopy(flow.state_dict()), 0
        if since >= PATIENCE or time.perf_counter() - start > SECONDS:
            break
    if state:
        flow.load_state_dict(state)
    with torch.no_grad():
        losses = torch.cat([-log_prob(rows).double() for rows in test.split(1_000)])
    count = sum(p.numel() for p in flow.parameters() if p.requires_grad)
    return losses.numpy(), count


def fit_flowjax(train, test, seed):
    """flowjax's example of densities: masked autoregressive splines with 8 knots on [-4, 4]; fit_to_data's own
    settings but for its patience and epochs, which are those of all here. A learning rate of 1e-3, as in its examples."""
    import equinox
    import jax
    import jax.numpy as jnp
    from flowjax import bijections, distributions, flows
    from flowjax.train import fit_to_data

    first, second = jax.random.split(jax.random.key(seed))
    flow = flows.masked_autoregressive_flow(
        first,
        base_dist=distributions.Normal(jnp.zeros(train.shape[1])),
        transformer=bijections.RationalQuadraticSpline(knots=8, interval=4),
            )
    start = time.perf_counter()
    flow, _ = fit_to_data(
        second,
        flow,
        jnp.asarray(train, dtype=jnp.float32),
        learning_rate=1e-3,
        max_epochs=min(EPOCHS, max(20, 600_000 // len(train))),
        max_patience=PATIENCE,
        show_progress=False,
    )
    count = sum(x.size for x in jax.tree.leaves(equinox.filter(flow, equinox.is_inexact_array)))
    return -np.asarray(flow.log_prob(jnp.asarray(test, dtype=jnp.float32)), dtype=np.float64), count


def fit_mixture(train, test, seed):
    """scikit-learn's GaussianMixture with full covariances; the number of components by a tenth of the rows."""
    from sklearn.mixture import GaussianMixture

    order = np.random.default_rng(seed).permutation(len(train))
    held = round(len(train) / 10)
    valid, rest = train[order[:held]], train[order[held:]]
    best = None
    for count in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32):
        if count > 1 and count * train.shape[1] > len(rest):
            break
        model = GaussianMixture(count, random_state=seed).fit(rest)
        score = model.score(valid)
        if best is None or score > best[0]:
            best = score, model
    return -best[1].score_samples(test), best[1]._n_parameters()


def fit_gaussian(train, test, seed):
    """A normal distribution with the rows' own mean and covariance: no peer, but the figure not to fall below."""
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(1).fit(train)
    return -model.score_samples(test), model._n_parameters()


FITS = {
    "gaussian": fit_gaussian,
    "sklearn-mixture": fit_mixture,
    "nflows-maf": lambda *rest: fit_torch(nflows_maf, *rest),
    "zuko-nsf": lambda *rest: fit_torch(zuko_nsf, *rest),
    "flowjax-maf": fit_flowjax,
    "normflows-nsf": lambda *rest: fit_torch(normflows_nsf, *rest),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--sets", default=",".join(NAMES))
    parser.add_argument("--splits", default=",".join(map(str, range(SPLITS))))
    parser.add_argument("--models", default=",".join(FITS))
    arguments = parser.parse_args()
    lines = arguments.results.read_text().splitlines() if arguments.results.exists() else []
    done = {(line["set"], line["split"], line["model"]) for line in map(json.loads, lines)}
    for index in map(int, arguments.splits.split(",")):
        for name in arguments.sets.split(","):
            about = json.loads((arguments.folder / name / "about.json").read_text())
            place = arguments.folder / name / str(index)
            train, test = (np.load(place / f"{part}.npy") for part in ("train", "test"))
            for model in arguments.models.split(","):
                if (name, index, model) in done:
                    continue
                start = time.perf_counter()
                losses, count = FITS[model](train, test, index)
                line = {
                    "set": name,
                    "split": index,
                    "model": model,
                    "test": float(losses.mean()) + about["offset"][index],
                    "error": float(losses.std() / np.sqrt(len(losses))),
                    "parameters": int(count),
                    "seconds": round(time.perf_counter() - start, 1),
                }
                with arguments.results.open("a") as file:
                    print(json.dumps(line), file=file)
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
