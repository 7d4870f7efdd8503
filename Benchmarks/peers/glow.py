"""Glow in normflows, as `benchmarks --workload glow` has it: 32x32x3, batch 16, two levels of eight steps, 128 hidden channels.

    cd Benchmarks && python -m peers.glow --threads 2 --repetitions 10

GlowBlock: affine coupling by convolutions 3x3, 1x1, 3x3 with a sigmoid scale, invertible 1x1 convolution (LU), ActNorm.
The priors are standard normal. One JSON object a line, as the Swift program prints.
"""

import argparse
import json
import statistics
import time

import normflows as nf
import torch


def model(levels=2, steps=8, hidden=128, shape=(3, 32, 32)):
    priors, merges, flows = [], [], []
    for level in range(levels):
        channels = shape[0] * 2 ** (levels + 1 - level)
        flows.append(
            [nf.flows.GlowBlock(channels, hidden, split_mode="channel", scale=True) for _ in range(steps)]
            + [nf.flows.Squeeze()]
        )
        side = 2 ** (levels - level)
        if level > 0:
            merges.append(nf.flows.Merge())
            latent = (shape[0] * side, shape[1] // side, shape[2] // side)
        else:
            latent = (shape[0] * 2 ** (levels + 1), shape[1] // side, shape[2] // side)
        priors.append(nf.distributions.DiagGaussian(latent, trainable=False))
    return nf.MultiscaleFlow(priors, flows, merges, class_cond=False)


def measure(body, repetitions):
    for _ in range(3):
        body()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        body()
        times.append((time.perf_counter() - start) * 1e3)
    return times


parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repetitions", type=int, default=10)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)
flow = model()
batch = torch.randn(16, 3, 32, 32)
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = -flow.log_prob(batch, None).mean()
    loss.backward()
    optimizer.step()


def without_gradient(body):
    def run():
        with torch.no_grad():
            body()

    return run


for what, body in [
    ("step", step),
    ("logPDF", without_gradient(lambda: flow.log_prob(batch, None))),
    ("sample", without_gradient(lambda: flow.sample(16))),
]:
    times = measure(body, options.repetitions)
    print(
        json.dumps(
            {
                "library": "normflows",
                "workload": "glow",
                "what": what,
                "threads": options.threads,
                "batch": 16,
                "params": sum(p.numel() for p in flow.parameters() if p.requires_grad),
                "median_ms": statistics.median(times),
                "min_ms": min(times),
                "max_ms": max(times),
            }
        )
    )
