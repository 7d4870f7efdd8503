"""Measures a model's step, logPDF and sample, and prints one JSON object a line."""

import json
import resource
import statistics
import time
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np


@dataclass
class Model:
    """The functions to measure. Each computes, waits for the result and returns it."""

    params: int
    step: Callable[[], Any]
    log_pdf: Callable[[], Any] | None = None
    sample: Callable[[], Any] | None = None
    # What is printed besides, such as the error of a solver.
    about: dict = field(default_factory=dict)
    # Parts that are not measured, with the reasons.
    left_out: dict = field(default_factory=dict)

    def parts(self, only):
        """The functions under their names in the output; one of them if `only` names it."""
        every = {"step": self.step, "logPDF": self.log_pdf, "sample": self.sample}
        return {
            what: body for what, body in every.items() if body and only in (what, "all") and what not in self.left_out
        }


def timed(body):
    """The milliseconds that `body` takes, and its result."""
    start = time.perf_counter()
    result = body()
    return 1e3 * (time.perf_counter() - start), result


def check(result, shape):
    """Ends the program when a result has another shape, another type or a value that is not finite."""
    array = np.asarray(result)
    if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"not finite float32 numbers of shape {shape}: {array.dtype} {array.shape} {array}")


def repeated(body, repetitions, seconds, least, warm_up=2):
    """Times of up to `repetitions` calls, in order of size: fewer when they take more than `seconds`, but `least`.

    With a `least` of 1, the warm-up ends too with a call that takes longer.
    """
    for _ in range(warm_up):
        elapsed, result = timed(body)
        if least == 1 and elapsed > 1e3 * seconds:
            break
    shape = np.shape(result)
    times, end = [], time.perf_counter() + seconds
    while len(times) < repetitions and (len(times) < least or time.perf_counter() < end):
        elapsed, result = timed(body)
        times.append(elapsed)
    check(result, shape)
    return sorted(times)


def started(model, workload, only, clock, limit):
    """The first call of each function: its time alone, and with what came before the model was there.

    `clock` tells the milliseconds since the process started. A function's start-up counts no other function's compilation.
    Draws of a masked flow take a pass per dimension. They are left out if as many densities take more than `limit` seconds.
    """
    built, start = clock(), {}
    shapes = {"step": (), "logPDF": (workload.batch,), "sample": (workload.batch, *workload.shape)}
    for what, body in model.parts(only).items():
        if what == "sample" and workload.kind == "masked" and "logPDF" in start:
            seconds = 1e-3 * workload.dimension * timed(model.log_pdf)[0]
            if seconds > limit:
                model.left_out[what] = f"{workload.dimension} densities would take {seconds:.0f} s"
                continue
        elapsed, result = timed(body)
        check(result, shapes[what])
        start[what] = {"start_up_ms": built + elapsed, "first_call_ms": elapsed}
    return start


def measure(model, start, about, repetitions, seconds, least):
    """Measures every function of `start` and prints a line for each; `about` and `start` are printed with them."""
    for what in start:
        times = repeated(model.parts(what)[what], repetitions, seconds, least)
        line = {
            **about,
            **model.about,
            "what": what,
            "params": model.params,
            "median_ms": statistics.median(times),
            "min_ms": times[0],
            "max_ms": times[-1],
            "repetitions": len(times),
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            **start[what],
        }
        print(json.dumps(line), flush=True)
