"""Times the pairs of training-free scores in PyTorch, as DMASL's authors integrate them, against `labels`.

    python labels.py PREFIX SECONDS [--threads 2]

PREFIX-rows.npy, PREFIX-latents.npy and PREFIX-draws.npy come from `labels --set timing --output PREFIX`, which
also prints SECONDS. Both sides move the same latents by the score of the same rows. The loop here takes 500
equal Euler steps of the published formulas (arXiv 2310.14458) in batches of 5,000 latents. Its distances are
matrix products, which is PyTorch's fastest way to write them. Errors are distances to a solution in double
precision whose steps are so small that they do not count.
"""
import argparse
import json
import time

import numpy as np
import torch


def posterior_mean(z, x, alpha, variance):
    """The mean of the rows x, weighted by their density at z. Terms that all rows share are left out."""
    logits = (alpha * z @ x.T - 0.5 * alpha**2 * x.square().sum(1)) / variance
    return torch.softmax(logits, dim=1) @ x


def drift(z, x, t, kappa):
    alpha, variance = 1 - kappa * t, 1 - kappa + kappa * t
    b = -kappa / alpha
    diffusion = kappa - 2 * b * variance
    score = -(z - alpha * posterior_mean(z, x, alpha, variance)) / variance
    return b * z - 0.5 * diffusion * score


def euler(z, x, kappa, steps):
    times = np.linspace(1, 0, steps + 1)
    for start, end in zip(times[:-1], times[1:]):
        z = z + (end - start) * drift(z, x, start, kappa)
    return z


def exact(z, x, kappa, steps=400):
    """Steps of order 4 in log variance: dz/du = z/2 - (alpha/2 + s) mean, with s = exp(u)."""
    z, x = z.double(), x.double()
    h = np.log(1 - kappa) / steps

    def slope(z, u):
        s = float(np.exp(u))
        alpha = 2 - kappa - s
        return 0.5 * z - (0.5 * alpha + s) * posterior_mean(z, x, alpha, s)

    for k in range(steps):
        u = k * h
        a = slope(z, u)
        b = slope(z + h / 2 * a, u + h / 2)
        c = slope(z + h / 2 * b, u + h / 2)
        d = slope(z + h * c, u + h)
        z = z + h / 6 * (a + 2 * b + 2 * c + d)
    return z


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefix")
    parser.add_argument("seconds", type=float, help="the time of labels for the same pairs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--kappa", type=float, default=0.99)
    parser.add_argument("--judged", type=int, default=1000, help="the latents whose errors are measured")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    x, latents, ours = (
        torch.from_numpy(np.load(f"{arguments.prefix}-{name}.npy")) for name in ("rows", "latents", "draws"))
    with torch.no_grad():
        euler(latents[:5000], x, arguments.kappa, 3)
        start, cpu = time.perf_counter(), time.process_time()
        theirs = torch.cat([euler(z, x, arguments.kappa, arguments.steps) for z in latents.split(5000)])
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        few = latents[: arguments.judged]
        truth = exact(few, x, arguments.kappa)
        errors = {
            name: (draws[: arguments.judged].double() - truth).norm(dim=1)
            for name, draws in (("labels", ours), ("pytorch", theirs))}
    result = {
        "pytorch_seconds": seconds, "pytorch_cpu_seconds": cpu, "labels_seconds": arguments.seconds,
        "ratio": seconds / arguments.seconds}
    for name, error in errors.items():
        result[f"{name}_error_median"] = error.median().item()
        result[f"{name}_error_mean"] = error.mean().item()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
