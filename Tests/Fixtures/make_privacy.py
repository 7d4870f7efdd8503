"""Writes reference numbers for Tests/PrivacyTests.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-privacy.txt
    /tmp/venv/bin/python Tests/Fixtures/make_privacy.py       # in the repository's root; a minute

It writes Tests/PrivacyTests/Fixtures/privacy.json. mpmath 1.4.1 integrates the moments and the δ of single steps to 40
digits. dp-accounting 0.6.0 composes privacy loss distributions, rounded both ways. scipy 1.17.1 gives the quantiles
of beta distributions.
"""

import json
import pathlib

import mpmath as mp
import versions
from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.stats import beta

versions.check("mpmath", "dp-accounting", "numpy", "scipy", requirements="requirements-privacy.txt")
mp.mp.dps = 40


def log_moment(rate, noise, order):
    q, s, a = mp.mpf(rate), mp.mpf(noise), mp.mpf(order)
    turn = s * mp.log(1 / q - 1) + 1 / (2 * s)
    points = [-30, -8, -3, 0, 3, turn - 3 * s, turn, turn + 3 * s, a / s - 6, a / s, a / s + 6]
    points += [max(a / s, turn, 0) + 30, min(a / s, 0) - 10, min(a / s, 0) - 30]

    def integrand(u):
        return mp.npdf(u) * ((1 - q) + q * mp.e ** (u / s - 1 / (2 * s * s))) ** a

    return float(mp.log(mp.quad(integrand, sorted(set(map(mp.mpf, points))), maxdegree=10)))


def delta_of_step(rate, noise, epsilon):
    """The hockey-stick divergences at ε, when the row is removed and when it is added."""
    q, s, e = mp.mpf(rate), mp.mpf(noise), mp.mpf(epsilon)
    edge = s * mp.log(1 + mp.expm1(e) / q) + 1 / (2 * s)
    remove = (1 - q) * mp.ncdf(-edge) + q * mp.ncdf(1 / s - edge) - mp.exp(e) * mp.ncdf(-edge)
    add = mp.mpf(0)
    if mp.expm1(-e) / q > -1:
        edge = s * mp.log(1 + mp.expm1(-e) / q) + 1 / (2 * s)
        add = mp.ncdf(edge) - mp.exp(e) * ((1 - q) * mp.ncdf(edge) + q * mp.ncdf(edge - 1 / s))
    return {"remove": float(remove), "add": float(add)}


def composed(parts, delta):
    """ε of several mechanisms (rate, noise, steps), rounded down and up."""
    bounds = []
    for pessimistic in (False, True):
        whole = None
        for rate, noise, steps in parts:
            one = pld.from_gaussian_mechanism(
                noise, pessimistic_estimate=pessimistic, value_discretization_interval=1e-4, sampling_prob=rate,
                use_connect_dots=pessimistic)
            many = one.self_compose(steps)
            whole = many if whole is None else whole.compose(many)
        bounds.append(float(whole.get_epsilon_for_delta(delta)))
    return {"parts": parts, "delta": delta, "lower": bounds[0], "upper": bounds[1]}


moments = [
    (1e-6, 0.3, 1.1), (0.01, 0.1, 1.7), (0.01, 0.06, 3.3), (0.5, 0.3, 0.5), (0.01, 1, -3.5), (0.3, 0.5, -20.5),
    (1e-3, 50, 1.1), (0.999, 0.7, 10.9), (0.01, 2, 200.5), (0.01, 1, 0.3), (0.01, 0.4, 64), (0.9, 0.3, -40.25),
    (0.2, 3, 1.5), (0.05, 1, 2), (0.004, 1.1, 1024), (0.02, 5, 7),
]
deltas = [
    (0.01, 1, 0.5), (0.01, 1, 3), (0.2, 0.5, 2), (0.2, 0.5, 0), (0.9, 2, 0.3), (1e-4, 0.7, 1), (0.5, 1, 20), (1, 2, 1),
    (0.999, 0.3, 4), (0.3, 10, 0.01),
]
mixtures = [
    ([(0.02, 1.5, 300), (1, 20, 30)], 1e-6), ([(0.01, 1, 100), (0.05, 2, 100), (0.2, 4, 10)], 1e-5),
    ([(1, 3, 1), (0.1, 2, 20)], 1e-4), ([(0.3, 0.8, 3)], 0.01), ([(0.01, 0.7, 500)], 1e-8), ([(0.002, 0.9, 20000)], 1e-6),
]
intervals = [
    (0, 10, 0.975), (10, 10, 0.975), (3, 17, 0.95), (500, 1000, 0.975), (1, 20000, 0.99), (37, 20000, 0.975),
    (19990, 20000, 0.975), (123456, 1000000, 0.9999),
]
fixture = {
    "moments": [{"rate": q, "noise": s, "order": a, "value": log_moment(q, s, a)} for q, s, a in moments],
    "deltas": [{"rate": q, "noise": s, "epsilon": e, **delta_of_step(q, s, e)} for q, s, e in deltas],
    "composed": [composed(parts, delta) for parts, delta in mixtures],
    "intervals": [
        {"successes": k, "trials": n, "confidence": c,
         "lower": 0.0 if k == 0 else float(beta.ppf(1 - c, k, n - k + 1)),
         "upper": 1.0 if k == n else float(beta.ppf(c, k + 1, n - k))}
        for k, n, c in intervals
    ],
}
path = pathlib.Path("Tests/PrivacyTests/Fixtures/privacy.json")
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(fixture) + "\n")
print(path, path.stat().st_size)
