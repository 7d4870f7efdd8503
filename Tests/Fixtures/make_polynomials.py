"""Derives the minimax polynomials of Sources/CKernels/polynomials.h: python3 make_polynomials.py > polynomials.h

Remez exchange on a dense grid with mpmath: minimises max |weight(x) (f(x) - p(x))| on [low, high].
Coefficients are printed from the highest degree down, as Horner's scheme takes them.
"""
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, expm1, log, log1p, sin, atan, tanh, erf, erfc, sqrt, fabs, nstr, ldexp
import struct
import textwrap

mp.dps = 50


def remez(f, low, high, degree, weight=lambda x: mpf(1), points=1200, rounds=12):
    low, high = mpf(low), mpf(high)
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / points) for i in range(points + 1)]
    values = [f(x) for x in grid]
    weights = [weight(x) for x in grid]
    picks = [round(i * points / (degree + 1)) for i in range(degree + 2)]
    for _ in range(rounds):
        system = matrix(degree + 2, degree + 2)
        right = matrix(degree + 2, 1)
        for row, at in enumerate(picks):
            for column in range(degree + 1):
                system[row, column] = grid[at] ** column
            system[row, degree + 1] = (-1) ** row / weights[at]
            right[row] = values[at]
        solution = lu_solve(system, right)
        coefficients = [solution[i] for i in range(degree, -1, -1)]
        errors = []
        for x, value, w in zip(grid, values, weights):
            p = mpf(0)
            for c in coefficients:
                p = p * x + c
            errors.append(w * (value - p))
        # The largest error of each run of one sign.
        runs = []
        for i, e in enumerate(errors):
            if runs and (errors[runs[-1]] > 0) == (e > 0):
                if fabs(e) > fabs(errors[runs[-1]]):
                    runs[-1] = i
            else:
                runs.append(i)
        while len(runs) > degree + 2:
            runs.pop(0 if fabs(errors[runs[0]]) < fabs(errors[runs[-1]]) else -1)
        if len(runs) < degree + 2 or runs == picks:
            break
        picks = runs
    return coefficients, max(fabs(e) for e in errors)


def show(name, type, *arguments, **options):
    coefficients, error = remez(*arguments, **options)
    print(f"// weighted error 2^{float(log(error, 2)):.1f}")
    if type == "f32":
        text = [nstr(mpf(struct.unpack("f", struct.pack("f", float(c)))[0]), 9) + "f" for c in coefficients]
    else:
        text = [nstr(mpf(float(c)), 17) for c in coefficients]
    lines = textwrap.wrap(", ".join(text), 105, break_on_hyphens=False)
    print(f"#define {name}_{type} \\\n  " + " \\\n  ".join(lines) + "\n", flush=True)


half_ln2 = log(2) / 2 * mpf("1.002")
quarter_pi = pi / 4 * mpf("1.01")
tiny = mpf(2) ** -40


def exp_tail(x):  # (e^x - 1 - x) / x^2
    return sum(x ** i / mp.factorial(i + 2) for i in range(30))


def log_tail(x):  # (log(1 + x) - x) / x^2
    return (log1p(x) - x) / x ** 2 if fabs(x) > tiny else mpf(-1) / 2 + x / 3


def atanh_tail(z, first):  # the series of log((1 + s) / (1 - s)) in z = s^2 from 2 / (2 first + 1) on
    return sum(2 * z ** i / (2 * (i + first) + 1) for i in range(60))


def sin_tail(z):  # (sin r - r) / r^3
    return sum((-1) ** (i + 1) * z ** i / mp.factorial(2 * i + 3) for i in range(25))


def cos_tail(z):  # (cos r - 1 + r^2 / 2) / r^4
    return sum((-1) ** i * z ** i / mp.factorial(2 * i + 4) for i in range(25))


def atan_tail(z):  # (atan t - t) / t^3
    t = sqrt(z)
    return (atan(t) - t) / t ** 3 if z > tiny else mpf(-1) / 3 + z / 5


def tanh_tail(z):  # (tanh t - t) / t^3
    t = sqrt(z)
    return (tanh(t) - t) / t ** 3 if z > tiny else mpf(-1) / 3 + 2 * z / 15


def erf_tail(z):  # erf(x) / x - 1
    x = sqrt(z)
    return erf(x) / x - 1 if z > tiny else 2 / sqrt(pi) * (1 - z / 3) - 1


def minus_log_erfc(u, centre):
    return -log(erfc(u + centre))


print("""// Polynomials from Tests/Fixtures/make_polynomials.py (Remez exchange), which names the functions that
// they approximate. The highest degree comes first.
#ifndef CK_POLYNOMIALS_H
#define CK_POLYNOMIALS_H
""")
for type, degrees in (("f32", (5, 8, 3, 3, 5, 6, 6, 4)), ("f64", (10, 6, 6, 6, 12, 11, 18, 10))):
    exp_degree, log_degree, sin_degree, cos_degree, atan_degree, erf_degree, erfc_degree, tanh_degree = degrees
    show("EXP_POLYNOMIAL", type, exp_tail, -half_ln2, half_ln2, exp_degree)
    if type == "f32":
        show("LOG_POLYNOMIAL", type, log_tail, sqrt(mpf(0.5)) - 1, sqrt(mpf(2)) - 1, log_degree, lambda x: fabs(x) + mpf("0.05"))
    else:
        show("LOG_POLYNOMIAL", type, lambda z: atanh_tail(z, 1), 0, mpf("0.02945"), log_degree)
        show("LOG_LONG_POLYNOMIAL", type, lambda z: atanh_tail(z, 2), 0, mpf("0.02945"), 9)
    show("SIN_POLYNOMIAL", type, sin_tail, 0, quarter_pi ** 2, sin_degree)
    show("COS_POLYNOMIAL", type, cos_tail, 0, quarter_pi ** 2, cos_degree)
    show("ATAN_POLYNOMIAL", type, atan_tail, 0, mpf("0.2501"), atan_degree)
    show("ERF_POLYNOMIAL", type, erf_tail, 0, mpf("0.9025"), erf_degree)
    show("TANH_POLYNOMIAL", type, tanh_tail, 0, mpf("0.3026"), tanh_degree)
    high = mpf("3.95") if type == "f32" else mpf("5.95")
    centre = mpf("1.25") if type == "f32" else mpf("2")
    show("ERFC_POLYNOMIAL", type, lambda u: minus_log_erfc(u, centre), mpf("0.95") - centre, high - centre, erfc_degree, lambda u: erfc(u + centre))

print("#endif")
