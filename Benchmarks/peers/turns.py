"""Programs that are measured in turns: the benchmarks' program, and other libraries' that compile once.

`Benchmarks/compare` and `Benchmarks/map` import this. PEERS_VENV is the other libraries' environment, as for `setup`.
"""

import contextlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
OURS = "swift-flows"
PARTS = ["step", "logPDF", "sample"]
COMPILED = "+compile"


def say(text):
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def cores(count):
    """Processors on `count` different cores where there are that many; none where processes cannot be kept to some."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    first_of_core, others = {}, []
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = siblings.read_text() if siblings.exists() else cpu
        if first_of_core.setdefault(core, cpu) != cpu:
            others.append(cpu)
    return (list(first_of_core.values()) + others)[:count]


def kept_to(threads):
    """Binds a new process to the processors that all programs of a comparison share."""
    chosen = cores(threads)
    return (lambda: os.sched_setaffinity(0, chosen)) if chosen else None


def lines_of(text):
    """The JSON objects in a program's output."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def built():
    """The benchmarks' program, built in release."""
    build = ["swift", "build", "--package-path", str(HERE.parent), "-c", "release"]
    say(shlex.join(build + ["--product", "benchmarks"]))
    subprocess.run(build + ["--product", "benchmarks"], check=True, stdout=sys.stderr)
    folder = subprocess.run(build + ["--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return Path(folder) / "benchmarks"


class Ours:
    """The benchmarks' program, run anew for each round. `arguments` name the workload; `starts` are timed first."""

    def __init__(self, program, arguments, threads, options, starts=3):
        self.library = OURS
        self.skipped = None
        self.threads = threads
        self.command = [str(program), *arguments, "--threads", str(threads), "--json", "--repetitions"]
        self.repetitions = options.repetitions
        times = [self._first_line() for _ in range(starts)]
        self.start = {"start_up_ms": statistics.median(times)} if times else {}

    def _first_line(self):
        """Milliseconds to the first line of the shortest run: an upper bound of the time to the first result."""
        start = time.perf_counter()
        with self._process(1) as process:
            process.stdout.readline()
            elapsed = 1e3 * (time.perf_counter() - start)
            process.stdout.read()
        return elapsed

    def _process(self, repetitions):
        command = self.command + [str(repetitions)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=kept_to(self.threads))

    def measured(self):
        """One line for each thing measured, and none for a workload that the program does not have."""
        with self._process(self.repetitions) as process:
            lines = lines_of(process.stdout.read())
        if process.returncode != 0:
            say(f"{shlex.join(process.args)} ended with {process.returncode}")
        return [{**self.start, **line, "library": OURS} for line in lines if line["what"] in PARTS]

    def close(self):
        """Nothing runs between rounds."""


class Peer:
    """A library's program, which compiles once and measures when it is told to.

    `patience` is the most seconds until it is ready, and again for each round: then it is ended. A library's name may
    end in +compile, for torch.compile.
    """

    def __init__(self, library, arguments, threads, options, patience=None):
        self.library = library
        self.skipped = None
        self.patience = patience
        self.errors = tempfile.TemporaryFile(mode="w+")
        command = [python(), "-m", "peers", library.removesuffix(COMPILED), *arguments, "--threads", str(threads), "--follow"]
        command += ["--repetitions", str(options.repetitions), "--seconds", str(options.seconds)]
        command += ["--compile"] if library.endswith(COMPILED) else []
        self.process = subprocess.Popen(
            command,
            cwd=HERE,
            env={**os.environ, "PEERS_STARTED": repr(time.time()), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            preexec_fn=kept_to(threads),
        )
        [ready] = self._lines(1)
        self.skipped, self.parts, self.left_out = ready.get("skipped"), ready.get("parts"), ready.get("left_out", {})

    def _lines(self, count):
        """The next lines, or those until one that says why it ended."""
        late = threading.Event()
        timer = threading.Timer(self.patience or 0, lambda: (late.set(), self.process.kill()))
        if self.patience:
            timer.start()
        lines = []
        while len(lines) < count and not (lines and "skipped" in lines[-1]):
            lines.append(self._line(late))
        timer.cancel()
        return lines

    def _line(self, late):
        for text in self.process.stdout:
            if text.startswith("{"):
                return json.loads(text)
        if late.is_set():
            return {"skipped": f"it takes more than {self.patience:.0f} s"}
        self.errors.seek(0)
        last = self.errors.read().strip().splitlines()[-1:] or ["it ended without a word"]
        return {"skipped": "failed: " + last[0]}

    def measured(self):
        """One line for each thing measured."""
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        lines = self._lines(self.parts)
        self.skipped = lines[-1].get("skipped")
        return [{**line, "library": self.library} for line in lines if "skipped" not in line]

    def close(self):
        """Ends the program."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def python():
    """The interpreter of the other libraries."""
    path = Path(os.environ.get("PEERS_VENV", HERE / "peers" / ".venv")) / "bin" / "python"
    if not path.exists():
        sys.exit(f"no {path}: run Benchmarks/peers/setup first")
    return str(path)


def table(header, rows):
    """A Markdown table; the columns after the first are aligned to the right."""
    cells = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    aligned = [
        "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([aligned[0], rule, *aligned[1:]])


def number(value):
    """Milliseconds with three digits that count."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def processor():
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    return names[0] if names else "unknown"


def instruction_set():
    """The instructions that our kernels use: what SWIFT_FLOWS_ISA names, or the most that the processor has."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    best = "v4, AVX-512" if "avx512vl" in flags else "v3, AVX2" if "avx2" in flags else "baseline"
    return os.environ.get("SWIFT_FLOWS_ISA", best)
