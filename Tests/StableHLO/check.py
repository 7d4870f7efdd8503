"""Compiles the programs of a folder with jaxlib and compares their results with the library's.

    SWIFT_FLOWS_PROGRAMS=FOLDER swift test --filter "TracedRowTests|ExportedModelTests|DrawProgramTests"
    python3 Tests/StableHLO/check.py FOLDER [--part 20]

Folders are exported models, read by swift_flows. A file NAME.mlir has its arguments (in0, in1, ...) and expected results (out0, ...) in NAME.safetensors. Results agree
within the tolerance of their dtype, relative to the largest number of a result; integers to the bit. Needs jax 0.10 and numpy.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Sources" / "Python"))
import swift_flows
from swift_flows.files import tensors

TOLERANCES = {np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-9, np.dtype(np.int32): 1e-300}


def listed(arrays, prefix):
    return [arrays[f"{prefix}{i}"] for i in range(sum(name.startswith(prefix) for name in arrays))]


def run(backend, devices, text, inputs):
    executable = backend.compile_and_load(text, devices)
    buffers = [jax.device_put(x) for x in inputs]
    results = executable.execute_sharded(buffers).disassemble_into_single_device_arrays()
    return [np.asarray(parts[0]) for parts in results]


def check_model(folder):
    """The errors of log-densities and draws, and of their pullbacks against differences of the programs."""
    model, expected = swift_flows.load(folder), tensors(folder / "expected.safetensors")
    x, context = expected["draws"], expected.get("context")
    errors = [error(expected["log_prob"], np.asarray(model.log_prob(x, context)))]
    if model._refusal is None:
        errors.append(error(x, np.asarray(model.sample(jax.random.key(5), len(x), context))))

    def density(x):
        return jax.jit(model.log_prob)(x, context).sum()

    errors.append(slope_error(density, x))
    # The pullback of a long program, a root search within an autoregressive inverse, compiles for minutes.
    if model._refusal is None and model.params and (folder / "sample_vjp.mlir").stat().st_size < 400_000:
        weights = np.random.default_rng(0).normal(size=x.shape).astype(x.dtype)
        draws = jax.jit(lambda params: (weights * model.sample(jax.random.key(5), len(x), context, params=params)).sum())
        # Draws jump where a component's weight changes, and their derivative by weights is 0.
        fixed = {path: value for path, value in model.params.items() if path.endswith("logWeights")}
        moved = {path: value for path, value in model.params.items() if path not in fixed}
        errors.append(slope_error(lambda params: draws({**params, **fixed}), moved))
    return errors


def check_use(folder):
    """Wrong arguments are refused in one line, parameters of another dtype are taken, and vmap gives the rows."""
    model, x = swift_flows.load(folder), tensors(folder / "expected.safetensors")["draws"][:3]
    keys = jax.random.split(jax.random.key(0), 2)
    broken = {path: value.reshape(-1)[:1] for path, value in model.params.items()}
    for text, call in [
        ("expected n from 0 on, got -1", lambda: model.sample(0, -1)),
        ("words of shape (2, 2)", lambda: model.sample(keys, 1)),
        ("words of shape (4,)", lambda: model.sample(jax.random.key(0, impl="rbg"), 1)),
        ("expected the parameter", lambda: model.log_prob(x, params=broken)),
        ("expected the parameters", lambda: model.sample(0, 1, params={})),
    ]:
        try:
            call()
        except ValueError as problem:
            assert text in str(problem) and "\n" not in str(problem), problem
        else:
            raise AssertionError(f"no error: {text}")
    with tempfile.TemporaryDirectory() as copy:
        for name, content in [("manifest.json", b"{"), ("manifest.json", b"{}"), ("parameters.safetensors", b"\1")]:
            shutil.copytree(folder, copy, dirs_exist_ok=True)
            (pathlib.Path(copy) / name).write_bytes(content)
            try:
                swift_flows.load(copy)
            except ValueError as problem:
                assert "is damaged" in str(problem) and "\n" not in str(problem), problem
            else:
                raise AssertionError(f"no error: a damaged {name}")
    wide = {path: np.asarray(value, np.float64) for path, value in model.params.items()}
    samples = jax.vmap(lambda key: model.sample(key, 5))(keys)
    return [
        error(model.log_prob(x), model.log_prob(x, params=wide)),
        error(model.log_prob(x), jax.vmap(model.log_prob)(x)),
        error(model.sample(keys[1], 5), samples[1]),
    ]


def slope_error(function, x):
    """0 if the gradient of a function gives its difference along the signs of the gradient, else infinity.

    A step of 1e-3 in many parameters at once may bend, and one of 1e-4 may round, so one of them has to agree.
    """
    slopes = jax.grad(function)(x)

    def moved(by):
        return jax.tree.map(lambda x, slope: x + by * np.sign(slope), x, slopes)

    slope = sum(float(np.abs(leaf).sum()) for leaf in jax.tree.leaves(slopes))
    for step in (1e-3, 1e-4):
        difference = float(function(moved(step)) - function(moved(-step))) / (2 * step)
        if abs(difference - slope) <= 0.05 * max(1, slope):
            return 0.0
    return np.inf


def error(ours, theirs):
    """The largest difference, relative to the largest finite number; infinite if other numbers are not finite."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    both = np.isfinite(ours) & np.isfinite(theirs)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if not np.all(both | same):
        return np.inf
    if not both.any():
        return 0.0
    scale = max(1, np.abs(ours[both]).max())
    return float(np.abs(ours[both] - theirs[both]).max() / scale)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--part", type=int, default=1, help="take every n-th program")
    options = parser.parse_args()
    from jax._src.lib import xla_client

    backend = jax.extend.backend.get_backend("cpu")
    devices = xla_client.DeviceList(tuple(backend.local_devices()[:1]))
    failed, worst = 0, 0.0
    paths = sorted(options.folder.glob("*.mlir"))
    paths += sorted(path.parent for path in options.folder.glob("*/manifest.json"))
    paths = [path for i, path in enumerate(paths) if i % options.part == 0 or path.stem.startswith("words") or path.stem == "realNVP"]
    for path in paths:
        try:
            if path.is_dir():
                errors, tolerance = check_model(path), TOLERANCES[np.dtype(np.float32)]
                errors += check_use(path) if path.stem == "realNVP" else []
            else:
                arrays = tensors(path.with_suffix(".safetensors"))
                ours = listed(arrays, "out")
                theirs = run(backend, devices, path.read_text(), listed(arrays, "in"))
                errors = [error(a, b) for a, b in zip(ours, theirs, strict=True)]
                # Steep maps multiply rounding.
                tolerance = TOLERANCES[ours[0].dtype] * (10 if "large_parameters" in path.stem else 1)
                # Where rounding of the arguments moves our own result more, float32 does not determine it.
                twin = path.with_name(path.stem.replace("float32", "float64") + ".safetensors")
                if path.stem.endswith("float32") and twin.exists():
                    exact = listed(tensors(twin), "out")
                    tolerance = max([tolerance] + [error(a, b) for a, b in zip(ours, exact)])
            largest = max(errors, default=0.0)
        except Exception as problem:  # noqa: BLE001
            print(f"FAILED {path.stem}: {str(problem)[:300]}")
            failed += 1
            continue
        if largest > tolerance:
            print(f"DIFFERS {path.stem}: {errors}")
            failed += 1
        else:
            worst = max(worst, largest / tolerance)
    print(f"{len(paths)} programs, {failed} wrong, the largest error {worst:.3g} of its tolerance")
    sys.exit(1 if failed or not paths else 0)


if __name__ == "__main__":
    import jax.extend.backend

    main()
