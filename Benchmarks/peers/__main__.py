"""Measures one library: `python -m peers LIBRARY --workload W [--threads n] [--repetitions r] [--seconds s] [--follow]`.

Prints a JSON object a line with the keys library, workload, what, threads, batch, params, median_ms, min_ms, max_ms,
repetitions, peak_rss_mib (the process's so far), start_up_ms (from the process's start to the first result) and first_call_ms (of that, the first call, which
compiles). A workload that the library lacks gives one line with the key skipped. With --follow it says when it is ready,
and measures once for each line that it reads, so that programs can be measured in turns without compiling again. Parts that
are not measured are in the key left_out, with the reason.
"""

import argparse
import dataclasses
import importlib
import json
import os
import sys
import time

from . import harness, workloads

LIBRARIES = sorted({*workloads.LIBRARIES, *(library for those in workloads.BY_NAME.values() for library in those)})

# Whoever starts this program may say when, in seconds since the epoch: the interpreter's own start counts then too.
START = float(os.environ.get("PEERS_STARTED", time.time()))


def limit(threads):
    """Keeps this process to `threads` cores and threads. Runs before the libraries are imported, which read it then."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    if not os.environ.get("PEERS_DEVICE"):  # Benchmarks/device measures on a GPU where there is one.
        os.environ["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"


def main():
    """Runs the program."""
    parser = argparse.ArgumentParser(prog="peers", description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--workload", choices=[*workloads.ALL, "scale"], required=True)
    for name, value in [("dimension", 16), ("depth", 8), ("hidden", 64)]:
        parser.add_argument(f"--{name}", type=int, default=value, help="scale: as in the benchmarks' program")
    parser.add_argument("--kind", choices=workloads.KINDS, default="affine", help="scale: the kind of layer")
    parser.add_argument("--rows", type=int, help="the batch; without it the workload's own, 512 for scale")
    parser.add_argument("--what", choices=["all", "step", "logPDF", "sample"], default="all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the most time for the repetitions of one thing")
    parser.add_argument("--least", type=int, default=3, help="repetitions that --seconds does not cut off")
    parser.add_argument(
        "--limit", type=float, default=float("inf"), help="leave out a masked flow's draws if D densities take more seconds"
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile, for the libraries on PyTorch")
    parser.add_argument("--follow", action="store_true", help="measure for each line of standard input")
    options = parser.parse_args()

    limit(options.threads)
    if options.compile:
        os.environ["PEERS_COMPILE"] = os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    scale = workloads.scale(options.kind, options.dimension, options.depth, options.hidden, 512)
    workload = workloads.ALL.get(options.workload, scale)
    if options.rows:
        workload = dataclasses.replace(workload, batch=options.rows)
    about = {
        "library": options.library,
        "workload": workload.name,
        "threads": options.threads,
        "batch": workload.batch,
    }
    try:
        if options.library not in workloads.BY_NAME.get(workload.name, workloads.LIBRARIES):
            raise workloads.Missing("it has no such flow")
        model = importlib.import_module(f"{__package__}.{options.library}").model(workload)
    except workloads.Missing as reason:
        print(json.dumps({**about, "skipped": str(reason)}), flush=True)
        return
    start = harness.started(model, workload, options.what, lambda: 1e3 * (time.time() - START), options.limit)
    if options.follow:
        ready = {"params": model.params, "ready": True, "parts": len(start), "left_out": model.left_out}
        print(json.dumps({**about, **ready}), flush=True)
    for _ in sys.stdin if options.follow else [None]:
        harness.measure(model, start, about, options.repetitions, options.seconds, options.least)


main()
