"""Writes what jax.random draws, for the tests of Sources/Randomness.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    /tmp/venv/bin/python Tests/Fixtures/make_random.py

run from the repository root, writes Tests/RandomnessTests/Fixtures/random.json. Made with jax 0.10.2, jaxlib 0.10.2,
numpy 2.4.6, scipy 1.17.1 (requirements.txt), on the CPU backend, with jax_threefry_partitionable and jax_enable_x64.

Numbers are bit patterns: 32-bit ones as unsigned integers, 64-bit ones as 16 hexadecimal digits. A key is its two words.
"""

import json
import pathlib

import jax
import jax.extend
import numpy as np
import scipy.stats

assert jax.__version__ == "0.10.2", jax.__version__
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_threefry_partitionable", True)
assert not jax.config.jax_high_dynamic_range_gumbel

random = jax.random
DTYPES = {"float32": np.float32, "float64": np.float64}


def words(key):
    return [int(word) for word in np.asarray(random.key_data(key)).ravel()]


def patterns(array):
    """The bit patterns of an array, flattened in row-major order."""
    array = np.asarray(array).ravel()
    if array.dtype.itemsize == 4:
        return [int(pattern) for pattern in array.view(np.uint32)]
    return [f"{int(pattern):016x}" for pattern in array.view(np.uint64)]


def bound(value):
    """JSON has no infinity: an absent bound is null."""
    return float(value) if np.isfinite(value) else None


def sample(array, head, extremes):
    """The first values of a big draw, and its largest and smallest magnitudes wherever they stand."""
    array = np.asarray(array).ravel()
    order = np.argsort(np.abs(array), kind="stable")
    chosen = [*range(head), *order[:extremes], *order[-extremes:]]
    chosen = sorted({int(i) for i in chosen})
    return {"indices": chosen[head:], "head": head, "patterns": patterns(array[np.array(chosen)])}


def keys():
    seeds = [0, 1, 2, 42, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**63 - 1, -1, -42, -(2**40), -(2**63)]
    return [{"seed": str(seed), "words": words(random.key(seed))} for seed in seeds]


def blocks():
    """The hash itself, at 64-bit counters that no draw of a test could reach."""
    rows = []
    for seed in (0, 42, 2**40 + 7):
        key = random.key_data(random.key(seed))
        for counter in (0, 1, 2**32 - 1, 2**32, 2**32 + 1, 2**40 + 12345, 2**63, 2**64 - 1):
            block = np.array([counter >> 32, counter & 0xFFFFFFFF], np.uint32)
            out = jax.extend.random.threefry_2x32(key, block)
            rows.append({"key": [int(w) for w in key], "counter": f"{counter:016x}", "words": patterns(out)})
    return rows


def children():
    rows = []
    for seed in (0, 42, -7):
        key = random.key(seed)
        folds = [0, 1, 2, 5, 1000, 2**31 - 1, 2**31, 2**32 - 1]
        rows.append({
            "seed": seed,
            "split": [words(child) for child in random.split(key, 7)],
            "split2": [words(child) for child in random.split(key)],
            "folds": [{"data": data, "words": words(random.fold_in(key, data))} for data in folds],
            "grandchild": words(random.fold_in(random.split(key, 3)[2], 9)),
        })
    return rows


def bits():
    rows = []
    for seed in (0, 42, 2**40 + 7):
        for shape in ([1], [7], [3, 5], [2, 3, 4]):
            key = random.key(seed)
            rows.append({
                "seed": seed, "shape": shape,
                "bits32": patterns(random.bits(key, shape, np.uint32)),
                "bits64": patterns(random.bits(key, shape, np.uint64)),
            })
    return rows


def uniforms():
    rows = []
    for name, dtype in DTYPES.items():
        for seed, shape, low, high in [
            (0, [], 0, 1), (0, [7], 0, 1), (42, [3, 5], 0, 1), (1, [101], -2.5, 7.3), (2, [33], 0.1, 0.3),
            (3, [33], -1e-3, 1e4), (4, [17], 1e6, 1e6 + 1), (5, [17], -1 / 3, 0),
        ]:
            values = random.uniform(random.key(seed), shape, dtype, low, high)
            rows.append({
                "seed": seed, "shape": shape, "dtype": name, "low": float(low), "high": float(high),
                "patterns": patterns(values),
            })
        # A long draw, every element of which is in the exclusive-or: not one bit may differ.
        for low, high in [(0, 1), (-2.5, 7.3)]:
            values = np.asarray(random.uniform(random.key(9), [100_000], dtype, low, high))
            unsigned = values.view(np.uint32 if name == "float32" else np.uint64)
            rows.append({
                "seed": 9, "shape": [100_000], "dtype": name, "low": float(low), "high": float(high),
                "xor": patterns(np.bitwise_xor.reduce(unsigned))[0],
            })
    return rows


def normals():
    rows = []
    for name, dtype in DTYPES.items():
        for seed, shape, head, extremes in [(0, [], 1, 0), (1, [5], 5, 0), (42, [31, 32], 992, 0), (7, [200_000], 8, 150)]:
            values = random.normal(random.key(seed), shape, dtype)
            rows.append({"seed": seed, "shape": shape, "dtype": name, **sample(values, head, extremes)})
    return rows


def transformed():
    """Draws that are one uniform pushed through a function."""
    functions = {
        "gumbel": random.gumbel, "exponential": random.exponential, "laplace": random.laplace,
        "logistic": random.logistic, "cauchy": random.cauchy,
    }
    rows = []
    for distribution, function in functions.items():
        for name, dtype in DTYPES.items():
            for seed, shape, head, extremes in [(0, [3, 5], 15, 0), (11, [100_000], 40, 40)]:
                values = function(random.key(seed), shape, dtype)
                rows.append({
                    "distribution": distribution, "seed": seed, "shape": shape, "dtype": name,
                    **sample(values, head, extremes),
                })
    return rows


def truncated_normals():
    rows = []
    for name, dtype in DTYPES.items():
        for low, high in [(-2, 2), (-1, 0.5), (0.25, 1.75), (-2, -1), (0, np.inf), (-np.inf, 1), (-1, np.inf), (-3, 3), (1, 4)]:
            values = random.truncated_normal(random.key(3), low, high, [60], dtype)
            rows.append({
                "seed": 3, "shape": [60], "dtype": name, "low": bound(low), "high": bound(high),
                "patterns": patterns(values),
            })
    return rows


def normal_sections():
    """Truncated normals in tails where JAX's formula has no digits left: scipy's quantiles at the midpoints of JAX's uniforms."""
    rows = []
    middles = np.asarray(random.uniform(random.key(4), [12], np.float64)) + 2.0**-53
    for low, high in [
        (5, 6), (8, np.inf), (-np.inf, -10), (30, 31), (-1, np.inf), (-np.inf, 1), (-3, 3), (-9, -8.5), (1.5, 2.5),
        (40, np.inf), (0, 2.5), (-0.001, 7),
    ]:
        values = scipy.stats.truncnorm.ppf(middles, low, high)
        rows.append({"seed": 4, "shape": [12], "low": bound(low), "high": bound(high), "patterns": patterns(values)})
    return rows


def integers():
    rows = []
    for seed, low, high in [
        (0, 0, 10), (1, 0, 2), (2, 0, 256), (3, -5, 6), (4, 0, 1), (5, 0, 65_537), (6, 0, 100_000), (7, -1_000_000, 3),
        (8, 0, 2**31 - 1), (9, 0, 2**31), (10, -(2**31), 2**31), (11, -(2**31), 2**31 - 1), (12, -(2**31), 0), (13, 7, 7 + 3**19),
    ]:
        values = np.asarray(random.randint(random.key(seed), [5, 7], low, high, np.int32))
        rows.append({"seed": seed, "shape": [5, 7], "low": low, "high": high, "values": values.ravel().tolist()})
    return rows


def permutations():
    rows = []
    for seed, n in [(0, 0), (0, 1), (1, 2), (2, 5), (42, 10), (3, 100), (4, 1625), (5, 1626), (6, 2000)]:
        rows.append({"seed": seed, "n": n, "values": np.asarray(random.permutation(random.key(seed), n)).tolist()})
    # Long ones: the head, and a checksum in which every position counts.
    for seed, n in [(7, 60_000), (8, 2_700_000)]:
        values = np.asarray(random.permutation(random.key(seed), n)).astype(np.uint64)
        checksum = int(np.bitwise_xor.reduce(values * np.arange(1, n + 1, dtype=np.uint64)))
        rows.append({"seed": seed, "n": n, "values": values[:50].tolist(), "checksum": checksum})
    return rows


def choices():
    rows = []
    for seed, n, count in [(0, 5, 5), (1, 100, 10), (2, 2000, 16), (3, 10, 1)]:
        values = random.choice(random.key(seed), n, [count], replace=False)
        rows.append({"seed": seed, "n": n, "count": count, "values": np.asarray(values).tolist()})
    return rows


def categoricals():
    rows = []
    for name, dtype in DTYPES.items():
        generator = np.random.default_rng(0)
        for seed, logits, prefix in [
            (0, np.log([0.1, 0.2, 0.7]), [200]), (1, generator.normal(size=[4, 5]).round(3), []),
            (2, generator.normal(size=[2, 3, 4]).round(3), [6]), (3, np.zeros(2), [64]), (4, np.array([1.5]), [3]),
            (5, np.array([0.0, -np.inf, 1.0, -60.0]), [100]),
        ]:
            logits = logits.astype(dtype)
            shape = [*prefix, *logits.shape[:-1]]
            drawn = random.categorical(random.key(seed), logits, shape=shape)
            # How far the best perturbed logit is ahead of the second.
            perturbed = random.gumbel(random.key(seed), [*prefix, *logits.shape], dtype) + logits
            ordered = np.sort(np.asarray(perturbed), axis=-1)
            margin = ordered[..., -1] - ordered[..., -2] if logits.shape[-1] > 1 else np.ones(shape)
            assert (margin > 1e-5).all()
            rows.append({
                "seed": seed, "dtype": name, "logitsShape": list(logits.shape), "logits": patterns(logits),
                "count": prefix[0] if prefix else None, "shape": shape, "values": np.asarray(drawn).ravel().tolist(),
            })
    return rows


def bernoullis():
    rows = []
    for name, dtype in DTYPES.items():
        for seed, p, shape in [(0, 0.5, [50]), (1, 0.3, [7, 7]), (2, 0.0, [9]), (3, 1.0, [9]), (4, 0.999, [40])]:
            values = random.bernoulli(random.key(seed), dtype(p), shape)
            rows.append({
                "seed": seed, "dtype": name, "p": p, "shape": shape, "values": np.asarray(values).ravel().astype(int).tolist(),
            })
    return rows


def main():
    document = {
        "about": {
            "script": "Tests/Fixtures/make_random.py", "jax": jax.__version__, "jaxlib": jax.lib.__version__,
            "numpy": np.__version__, "scipy": scipy.__version__, "flags": "jax_threefry_partitionable=True jax_enable_x64=True",
        },
        "keys": keys(), "blocks": blocks(), "children": children(), "bits": bits(), "uniforms": uniforms(),
        "normals": normals(), "transformed": transformed(), "truncatedNormals": truncated_normals(),
        "normalSections": normal_sections(), "integers": integers(), "permutations": permutations(), "choices": choices(), "categoricals": categoricals(),
        "bernoullis": bernoullis(),
    }
    path = pathlib.Path(__file__).parents[1] / "RandomnessTests" / "Fixtures" / "random.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # One line a case: a change of one case is a change of one line.
    sections = []
    for name, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(row, separators=(",", ":"), allow_nan=False) for row in value)
            sections.append(f'"{name}": [\n{rows}\n]')
        else:
            sections.append(f'"{name}": {json.dumps(value)}')
    path.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    print(path, path.stat().st_size, "bytes")


main()
