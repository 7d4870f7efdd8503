"""Compares what Python gets from the shared library with `flow score` and `flow sample`, to the bit.

    swift build --product flow && swift build --product FlowsC
    python3 Tests/Python/check.py "$(swift build --show-bin-path)"

Needs numpy alone. Without a folder of programs an installed wheel's library is taken: check.py FLOW.
"""

import copy
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import threading

import numpy as np

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
if PROGRAMS.is_dir():
    os.environ["SWIFT_FLOWS_LIBRARY"] = str(PROGRAMS / "libFlowsC.so")
    sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Sources" / "Python"))
    PROGRAMS = PROGRAMS / "flow"
import swift_flows

FITS = {
    "nsf": "--architecture nsf --layers 1 --hidden 8",
    "double": "--architecture realnvp --layers 2 --hidden 8 --dtype float64",
    "auto": "--folds 2",
    "given": "--architecture maf --layers 1 --hidden 8 --columns a,b --context c",
    "log": "--architecture nice --layers 1 --hidden 8 --log a",
}


def flow(*words):
    done = subprocess.run([PROGRAMS, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def refuses(kind, part, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        assert part in str(error), str(error)
    else:
        raise AssertionError(f"no error with: {part}")


def same(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape, (a.dtype, b.dtype, a.shape, b.shape)
    assert np.array_equal(a, b, equal_nan=True), np.abs(a - b).max()


def check(name, words, folder):
    path, scores, draws = (str(folder / f"{name}{end}") for end in (".safetensors", "-s.npy", "-d.npy"))
    flow("fit", str(folder / "data.csv"), "--epochs", "2", *words.split(), "--out", path)
    flow("score", path, str(folder / "data.csv"), "--out", scores)
    given = ["--given", "c=0.25"] if name == "given" else []
    flow("sample", path, "--count", "10020", "--seed", "-7", *given, "--out", draws)
    scores, draws = np.load(scores)[:, 0], np.load(draws)
    table = np.loadtxt(folder / "data.csv", delimiter=",", skiprows=1)
    model = swift_flows.open(pathlib.Path(path))
    x, context, one = (table[:, :2], table[:, 2:], [0.25]) if given else (table, None, None)
    assert model.columns == ["a", "b", "c"][: x.shape[1]] and model.dtype == str(scores.dtype)
    same(model.log_prob(x, context).astype(model.dtype), scores)
    same(model.log_prob(x.astype(np.float32), context), model.log_prob(
        x.astype(np.float32).astype(np.float64), context).astype(np.float32))
    # Other layouts, shapes and none.
    same(model.log_prob(np.asfortranarray(x), context), model.log_prob(x, context))
    same(model.log_prob(x[:6].reshape(2, 3, -1), None if context is None else context[:6].reshape(2, 3, 1)),
         model.log_prob(x[:6], None if context is None else context[:6]).reshape(2, 3))
    assert model.log_prob(x[:0], one).shape == (0,)
    same(model.sample(-7, 10020, one), draws.astype(np.float64))
    same(model.sample(-7, 30, one, first=9990), draws[9990:].astype(np.float64))
    same(model.sample((2**32 - 1, 2**32 - 7), 5, one, dtype="float32"), draws[:5].astype(np.float32))
    # NaN stays in its row.
    broken = x[:3].copy()
    broken[1, 0] = np.nan
    own = model.log_prob(broken, None if context is None else context[:3])
    assert np.isnan(own[1]) and np.isfinite(own[[0, 2]]).all()
    # Threads at once.
    results = [None] * 4

    def work(i):
        results[i] = model.log_prob(x, context)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        same(result, results[0])
    # A copy has a handle of its own, so its end does not close the model.
    for own in (copy.copy(model), pickle.loads(pickle.dumps(model))):
        same(own.log_prob(x, context), results[0])
        own.close()
    same(model.log_prob(x, context), results[0])
    refuses(ValueError, "expected x of shape", model.log_prob, x[:, :1], context)
    refuses(ValueError, "needs a context" if given else "takes no context",
            model.log_prob, x, None if given else [1.0])
    refuses(ValueError, "numbers", model.log_prob, x.astype(complex), context)
    refuses(ValueError, "expected n and first", model.sample, 0, -1, one)
    refuses(TypeError, "float", model.sample, 0.5, 1, one)
    with model:
        pass
    model.close()
    refuses(ValueError, "expected an open model, got a closed one", model.log_prob, x, context)
    refuses(ValueError, "expected an open model, got a closed one", model.sample, 0, 1, one)


def main():
    assert "jax" not in sys.modules
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        noise = np.random.default_rng(0).normal(size=(60, 3)) @ np.array([[3, 1, 0], [0, 0.5, 0.2], [0, 0, 1]])
        noise[:, 0] = np.exp(noise[:, 0] / 3)
        np.savetxt(folder / "data.csv", noise, delimiter=",", header="a,b,c", comments="")
        for fit, words in FITS.items():
            check(fit, words, folder)
        refuses(ValueError, "got nothing there", swift_flows.open, folder / "none")
        refuses(ValueError, "expected", swift_flows.open, folder / "data.csv")
        (folder / "mixed.csv").write_text("x,y\n" + "".join(f"{'ab'[i % 2]},{i * i % 7 + i / 3}\n" for i in range(40)))
        flow("fit", str(folder / "mixed.csv"), "--steps", "3", "--hidden", "8", "--architecture", "ordered-splines",
             "--out", str(folder / "mixed.safetensors"))
        refuses(ValueError, "mixed columns", swift_flows.open, folder / "mixed.safetensors")
    assert "jax" not in sys.modules
    print(f"{len(FITS)} models: log-densities and draws of Python are those of flow score and flow sample, to the bit")


main()
