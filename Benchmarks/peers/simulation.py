"""Runs sbi on two tasks of its benchmark, beside the program `sbi-benchmark`.

    pip install --requirement requirements-sbi.txt
    sbi-benchmark --references --output sbi        # writes the true draws, sbi-two-moons-1.npy and sbi-slcp-1.npy
    python -P simulation.py sbi [--task all] [--method all] [--simulations 1000] [--rounds 4] [--threads 1]

-P keeps this folder's nflows.py from hiding the package. Tasks, observed data and true draws are those of `sbi-benchmark`. The settings are sbi's own defaults, but for the
spline flow of the posterior methods, which the benchmark's authors and `infer` use too. C2ST is sbi's with the
benchmark's perceptron.
"""
import argparse
import json
import math
import time

import numpy as np
import torch
from sbi.inference import NLE, NPE, NRE_B
from sbi.utils import BoxUniform, RestrictedPrior, get_density_thresholder
from sbi.utils.metrics import c2st

OBSERVED = {
    "two-moons": [-0.6396706, 0.16234657],
    "slcp": [2.3718784, 0.49947417, 9.931435, 1.7136912, -10.436423, -1.9067793, -1.2343777, -0.09735],
}


def two_moons(theta):
    angle = math.pi * (torch.rand(len(theta)) - 0.5)
    radius = 0.1 + 0.01 * torch.randn(len(theta))
    p = torch.stack([radius * angle.cos() + 0.25, radius * angle.sin()], 1)
    a, b = theta[:, 0], theta[:, 1]
    return p + torch.stack([-(a + b).abs(), b - a], 1) / math.sqrt(2)


def slcp(theta):
    noise = torch.randn(len(theta), 4, 2)
    s1, s2, rho = theta[:, 2:3] ** 2, theta[:, 3:4] ** 2, theta[:, 4:5].tanh()
    x = theta[:, 0:1] + s1 * noise[:, :, 0]
    y = theta[:, 1:2] + s2 * (rho * noise[:, :, 0] + (1 - rho**2).sqrt() * noise[:, :, 1])
    return torch.stack([x, y], 2).reshape(len(theta), 8)


TASKS = {
    "two-moons": (two_moons, BoxUniform(-torch.ones(2), torch.ones(2))),
    "slcp": (slcp, BoxUniform(-3 * torch.ones(5), 3 * torch.ones(5))),
}


def infer(method, simulate, prior, observed, count, rounds):
    estimators = {"nle": NLE, "snle": NLE, "nre": NRE_B}
    quiet = {"show_progress_bars": False}
    if method in estimators:
        inference = estimators[method](prior, **quiet)
    else:
        inference = NPE(prior, density_estimator="nsf", **quiet)
    if method in ("npe", "nle", "nre"):
        rounds = 1
    proposal = prior
    for r in range(rounds):
        theta = proposal.sample((count // rounds,))
        x = simulate(theta)
        if method == "tsnpe":
            inference.append_simulations(theta, x).train(force_first_round_loss=True)
        elif method in ("npe", "snpe-c"):
            inference.append_simulations(theta, x, proposal=None if r == 0 else proposal).train()
        else:
            inference.append_simulations(theta, x).train()
        posterior = inference.build_posterior().set_default_x(observed)
        proposal = posterior
        if method == "tsnpe" and r + 1 < rounds:
            accept = get_density_thresholder(posterior, quantile=1e-4, num_samples_to_estimate_support=10_000)
            proposal = RestrictedPrior(prior, accept, sample_with="rejection")
    return posterior


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("prefix")
    parser.add_argument("--task", default="all")
    parser.add_argument("--method", default="all")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for task, (simulate, prior) in TASKS.items():
        if options.task not in ("all", task):
            continue
        observed = torch.tensor([OBSERVED[task]])
        truth = torch.tensor(np.load(f"{options.prefix}-{task}-1.npy")[: options.draws], dtype=torch.float32)
        for method in ("npe", "nle", "nre", "snpe-c", "tsnpe", "snle"):
            if options.method not in ("all", method):
                continue
            torch.manual_seed(options.seed)
            start = time.time()
            posterior = infer(method, simulate, prior, observed, options.simulations, options.rounds)
            draws = posterior.sample((options.draws,), show_progress_bars=False)
            seconds = time.time() - start
            accuracy = float(c2st(truth, draws.detach(), classifier="mlp"))
            row = {"task": task, "method": method, "simulations": options.simulations}
            print(json.dumps(row | {"c2st": accuracy, "seconds": round(seconds, 1)}), flush=True)
            np.save(f"{options.prefix}-{task}-{method}-sbi.npy", draws.detach().numpy())


if __name__ == "__main__":
    main()
