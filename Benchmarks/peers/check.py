"""Checks the flows that are written here: `cd Benchmarks && python -m peers.check [--program PROGRAM]`.

On tiny images, log-determinants are compared with those of Jacobians by automatic differentiation, and maps with their
inverses. The benchmarks' program tells whether its flows have as many parameters.
"""

import argparse
import json
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import torch

from . import jax_fine_tune, jax_glow, jax_tarflow, torch_tarflow, workloads
from .workloads import Workload

GLOW = Workload("tiny", "glow", 32, 2, (3, 3), 2, image=(4, 4, 2), levels=2)
TARFLOW = Workload("tiny", "tarflow", 32, 3, (4, 4), 2, image=(4, 4, 2))
LIBRARIES = {"glow": jax_glow, "glow-64": jax_glow, "tarflow-8x8": jax_tarflow, "fine-tune": jax_fine_tune}
# Spline parameters that distrax has and does not use.
MORE = {"fine-tune": 50}


def close(name, found, wanted):
    """Ends the program when numbers differ."""
    error = float(np.abs(np.asarray(found) - np.asarray(wanted)).max())
    print(f"{name}: differs by {error:.1e}")
    if not error < 1e-3:
        raise SystemExit(f"{name}: they are not equal")


def check_jax(name, library, workload):
    """The log-determinant by `jacfwd`, and the inverse, away from the initial parameters."""
    params, latents, images, _ = library.functions(workload)
    leaves, tree = jax.tree.flatten(params)
    moved = [p + 0.1 * jax.random.normal(jax.random.key(i), p.shape) for i, p in enumerate(leaves)]
    params = jax.tree.unflatten(tree, moved)
    x = jax.random.normal(jax.random.key(100), (2, *workload.image))
    flat = lambda row: jnp.concatenate([part.ravel() for part in jax.tree.leaves(latents(params, row[None])[0])])
    z, log_det = latents(params, x)
    for i, row in enumerate(x):
        jacobian = np.asarray(jax.jacfwd(flat)(row), dtype=float).reshape(row.size, row.size)
        close(f"{name}, log-determinant", log_det[i], np.linalg.slogdet(jacobian)[1])
    close(f"{name}, inverse", images(params, z), x)


def check_torch(workload):
    """The same of TarFlow in PyTorch, in float64, and both TarFlows' numbers of parameters."""
    torch.manual_seed(0)
    flow = torch_tarflow.TarFlow(workload).double()
    with torch.no_grad():
        for p in flow.parameters():
            p += 0.1 * torch.randn_like(p)
    x = torch.randn(2, *workload.image, dtype=torch.float64)
    z, log_det = flow(x)
    for i in range(2):
        jacobian = torch.autograd.functional.jacobian(lambda row: flow(row[None])[0].ravel(), x[i])
        jacobian = jacobian.reshape(workload.dimension, workload.dimension)
        close("torch_tarflow, log-determinant", log_det[i].detach(), torch.linalg.slogdet(jacobian)[1])
    close("torch_tarflow, inverse", flow.inverse(z).detach(), x)


def check_counts(program):
    """The numbers of parameters of the program's flows, and finite losses at them."""
    for name, library in LIBRARIES.items():
        model = library.model(workloads.ALL[name])
        step = float(np.asarray(model.step()))
        counts = {library.__name__: model.params - MORE.get(name, 0)}
        if name == "tarflow-8x8":
            counts["torch"] = torch_tarflow.model(workloads.ALL[name]).params
        if program:
            command = [program, "--workload", name, "--what", "step", "--repetitions", "1", "--json"]
            counts["ours"] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["params"]
        print(f"{name}: loss {step:.4g}, parameters {counts}")
        if len(set(counts.values())) != 1 or not np.isfinite(step):
            raise SystemExit(f"{name}: {counts}, loss {step}")


def main():
    """Runs the checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="the benchmarks' program, to compare numbers of parameters")
    options = parser.parse_args()
    check_jax("jax_glow", jax_glow, GLOW)
    check_jax("jax_tarflow", jax_tarflow, TARFLOW)
    check_torch(TARFLOW)
    check_counts(options.program)


main()
