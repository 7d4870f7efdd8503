"""Writes reference numbers for the metrics in Tests/TablesTests.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-tables.txt
    /tmp/venv/bin/python Tests/Fixtures/make_table_metrics.py       # in the repository's root; seconds

It writes Tests/TablesTests/Fixtures/metrics.json: tables as texts, and what sdmetrics 0.32.0 computes from them.
"""

import io
import json
import pathlib
import unittest.mock
import warnings

import numpy as np
import pandas as pd
import versions
from sdmetrics.column_pairs import ContingencySimilarity
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.reports.single_table._properties import ColumnPairTrends
from sdmetrics.single_table.privacy import DCRBaselineProtection, DCROverfittingProtection
from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr

versions.check("numpy", "pandas", "scipy", "sdmetrics", requirements="requirements-tables.txt")
warnings.simplefilter("ignore")
random = np.random.default_rng(5)


def with_missing(values, share):
    values = list(values)
    return [None if random.random() < share else value for value in values]


def mixed(rows, shift):
    x = random.normal(shift, 1, rows)
    kind = np.where(x + random.normal(0, 0.5, rows) > 0, "high", "low")
    sizes = ["S", "M", "L"] if shift == 0 else ["M", "L", "XL"]
    return pd.DataFrame({
        "x": x, "y": 0.8 * x + random.normal(0, 0.6, rows), "count": random.poisson(4 + shift, rows),
        "kind": kind, "size": random.choice(sizes, rows), "flag": random.random(rows) < 0.3,
        "gap": with_missing(np.round(x, 1), 0.3), "label": with_missing(kind, 0.2),
        "maybe": with_missing(random.random(rows) < 0.5 + shift / 4, 0.1),
        "constant": 7, "word": "same",
        "day": [f"2024-0{1 + int(i)}-1{int(i) % 7}" for i in random.integers(0, 8, rows)],
    })


def large(rows):
    base = random.integers(0, 40, rows)
    return pd.DataFrame({
        "far": 1e12 + base, "tiny": 1e-9 * base + 1e-10 * random.random(rows),
        "tied": base % 3, "code": [f"c{i % 5}" for i in base],
    })


def pairs():
    yield "mixed", mixed(120, 0), mixed(90, 0.5), mixed(60, 0)
    yield "one row", mixed(40, 0)[:1], mixed(40, 0.5)[:1], mixed(40, 0)[:2]
    yield "one real row", mixed(40, 0)[:1], mixed(30, 0.5), mixed(40, 0)[:3]
    yield "one synthetic row", mixed(30, 0), mixed(40, 0.5)[:1], mixed(20, 0)
    yield "large and small", large(200), large(300), large(50)
    lost = pd.DataFrame({"a": [1.0, 2.0, 4.0, 3.0], "b": [None] * 4, "c": ["u", None, "v", "u"]})
    found = pd.DataFrame({"a": [1.0, 5.0, None], "b": [None] * 3, "c": [None, "u", "w"]})
    yield "missing column", lost, found, lost[:2]
    half = pd.DataFrame({"a": [1.0, 2.0, 4.0, 3.0], "b": [None] * 4, "c": ["u", None, "v", "u"]})
    whole = pd.DataFrame({"a": [1.0, 2.0, 9.0], "b": [3.0, 1.0, 2.0], "c": ["u", "u", "v"]})
    yield "missing in the real table", half, whole, half[1:]
    line = pd.DataFrame({"a": np.arange(11.0), "b": 3 - 2 * np.arange(11.0)})
    yield "lines", line, pd.DataFrame({"a": [0.0, 10.0, 5.0, 20.0], "b": [1.0, 2.0, 3.0, 4.0]}), line[::2]
    yield "two rows", line[:2], line[3:5], line[7:9]
    words = pd.DataFrame({"a": ["x", "y", "x", "y", None, "x"], "b": ["p", "q", "p", "q", "q", None]})
    yield "words", words, words[::-1][:4], words[:3]


def metadata(*tables):
    columns = {}
    for name in tables[0].columns:
        present = pd.concat([table[name] for table in tables]).dropna()
        if name == "day":
            columns[name] = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
        elif pd.api.types.is_numeric_dtype(present) and present.dtype != bool or present.empty:
            columns[name] = {"sdtype": "numerical"}
        else:
            columns[name] = {"sdtype": "categorical"}
    return {"columns": columns}


def number(value):
    return None if value is None or pd.isna(value) else float(value)


def details(table, thresholds):
    return [{
        "first": row["Column 1"], "second": row["Column 2"], "score": number(row["Score"]),
        "real": number(row["Real Correlation"] if row["Metric"] == "CorrelationSimilarity"
                       else row["Real Association"]),
        "synthetic": number(row["Synthetic Correlation"]),
        "isStrong": bool(row["Meets Threshold?"]) if thresholds and not pd.isna(row["Meets Threshold?"]) else None,
    } for _, row in table.iterrows()]


def table(text):
    return pd.read_csv(io.StringIO(text), float_precision="round_trip")


def case(name, *frames):
    # Both sides read the same texts.
    texts = [frame.to_csv(index=False) for frame in frames]
    real, synthetic, held_out = map(table, texts)
    about = metadata(real, synthetic, held_out)
    report = QualityReport()
    report.generate(real, synthetic, about, verbose=False)
    shapes = report.get_details("Column Shapes")
    trends = ColumnPairTrends()
    all_trends = trends.get_score(real.copy(), synthetic.copy(), about)

    kinds = {name: column["sdtype"] for name, column in about["columns"].items()}
    binned = []
    for i, a in enumerate(real.columns):
        for b in real.columns[i + 1:]:
            numbers = [c for c in (a, b) if kinds[c] == "numerical"]
            if len(numbers) == 1 and kinds[a] != "datetime" and kinds[b] != "datetime":
                score = ContingencySimilarity.compute(
                    real[[a, b]].copy(), synthetic[[a, b]].copy(), continuous_column_names=numbers)
                binned.append({"first": a, "second": b, "score": number(score)})

    np.random.seed(1)
    if real.isna().all().any():  # sdmetrics draws no random values for a column without any
        noise = held_out.copy()
    else:
        with unittest.mock.patch.object(DCRBaselineProtection, "_seed", 3):
            noise = DCRBaselineProtection._generate_random_data(
                real.assign(**{c: pd.to_datetime(real[c]) for c in real.columns if kinds[c] == "datetime"}),
                len(synthetic))
    for column in noise.columns:
        if kinds[column] == "datetime":  # whole days, as the other tables have them
            noise[column] = noise[column].dt.strftime("%Y-%m-%d")
    texts.append(noise.to_csv(index=False))
    noise = table(texts[-1])
    with unittest.mock.patch.object(DCRBaselineProtection, "_generate_random_data", lambda *_: noise.copy()):
        baseline = DCRBaselineProtection.compute_breakdown(real.copy(), synthetic.copy(), about, None)
    overfitting = DCROverfittingProtection.compute_breakdown(
        real.copy(), synthetic.copy(), held_out.copy(), about, None)
    return {
        "name": name, "real": texts[0], "synthetic": texts[1], "heldOut": texts[2], "random": texts[3],
        "columns": [{"name": row["Column"], "score": number(row["Score"])} for _, row in shapes.iterrows()],
        "pairs": details(report.get_details("Column Pair Trends"), True),
        "allPairs": details(trends.details, False), "binned": binned,
        "columnShapes": number(report.get_properties()["Score"][0]),
        "pairTrends": number(report.get_properties()["Score"][1]), "allPairTrends": number(all_trends),
        "quality": number(report.get_score()),
        "distances": [number(x) for x in calculate_dcr(synthetic.copy(), real.copy(), about)],
        "baseline": number(baseline["score"]),
        "closerToTraining": number(overfitting["synthetic_data_percentages"]["closer_to_training"]),
        "overfitting": number(overfitting["score"]),
    }


def main():
    out = pathlib.Path("Tests/TablesTests/Fixtures/metrics.json")
    cases = [case(*pair) for pair in pairs()]
    out.write_text(json.dumps(cases, allow_nan=False) + "\n")


main()
