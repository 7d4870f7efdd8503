"""Writes Tests/CKernelsTests/Reference.swift: arguments and correctly rounded results of the double functions (mpmath),
and erfinv as Giles' formula gives it, which starts from the rounded square of its argument as XLA's does.

python3 Tests/Fixtures/make_kernels.py > Tests/CKernelsTests/Reference.swift
"""
import random
import struct

from mpmath import mp, mpf, exp, expm1, log, log1p, tanh, erf, sin, cos, atan, sqrt, power

mp.dps = 60
random.seed(7)
INFINITE = [float("inf"), float("-inf")]


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def rounded(y):  # to the nearest double, subnormal numbers included
    if mp.isnan(y) or mp.isinf(y):
        return float(y)
    if abs(y) < mpf(2) ** -1022:
        return float(int(mp.nint(y * mpf(2) ** 1074))) * 5e-324
    if abs(y) >= mpf(2) ** 1024:
        return INFINITE[0] if y > 0 else INFINITE[1]
    return float(y)


def sigmoid(x):
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))


def softplus(x):
    return (x if x > 0 else mpf(0)) + log1p(exp(-abs(x)))


def arguments(low, high, count=60, tiny=True):
    points = [random.uniform(low, high) for _ in range(count)]
    if tiny:
        points += [random.uniform(-1, 1) * 2.0 ** -random.randint(1, 60) for _ in range(count // 2)]
        points += [2.0**-1000, -(2.0**-1000), 5e-324, -5e-324, 2.0**-1023]
    return [p for p in points if low <= p <= high and p != 0]


def positive(count=60):
    return [2.0 ** random.uniform(-1070, 1020) for _ in range(count)] + [random.uniform(0.5, 2) for _ in range(count)] + [5e-324]


def large(count=40):
    return [random.choice([-1, 1]) * 2.0 ** random.uniform(0, 1020) for _ in range(count)] + [
        float.fromhex("0x1.6ac5b262ca1ffp+849"), 1e22, 2.0**30, 2.0**31]  # the first is nearest to a multiple of pi/2


cases = {
    "exp": (exp, arguments(-745, 709.7)),
    "expm1": (expm1, arguments(-40, 709) + arguments(-1, 1)),
    "log": (log, positive()),
    "log1p": (log1p, arguments(-0.999, 5) + [2.0 ** random.uniform(0, 1000) for _ in range(20)]),
    "tanh": (tanh, arguments(-1, 1) + arguments(-20, 20)),
    "sigmoid": (sigmoid, arguments(-740, 40) + arguments(-5, 5)),
    "softplus": (softplus, arguments(-740, 40) + arguments(-5, 5)),
    "erf": (erf, arguments(-1, 1) + arguments(-6, 6)),
    "sin": (sin, arguments(-10, 10) + arguments(-1e6, 1e6) + large()),
    "cos": (cos, arguments(-10, 10) + arguments(-1e6, 1e6) + large()),
    "atan": (atan, arguments(-3, 3) + large()),
}

print("// Made by Tests/Fixtures/make_kernels.py. Bits of an argument and of the right result, in turn.\n")
print("// swift-format-ignore-file\n")


def show(name, values):
    lines = [", ".join(f"0x{v:x}" for v in values[i : i + 5]) for i in range(0, len(values), 5)]
    print(f"let {name}Reference: [UInt64] = [\n  " + ",\n  ".join(lines) + ",\n]\n")


for name, (f, points) in cases.items():
    show(name, [v for x in points for v in (bits(x), bits(rounded(f(mpf(x)))))])

pairs = [(2.0 ** random.uniform(-300, 300), random.uniform(-3, 3)) for _ in range(60)]
pairs += [(random.uniform(0.5, 2), random.uniform(-1000, 1000)) for _ in range(60)]
pairs += [(random.uniform(1 - 1e-9, 1 + 1e-9), random.uniform(-1e11, 1e11)) for _ in range(20)]
pairs += [(-3.0, 5.0), (-3.0, 4.0), (5e-324, 0.5), (10.0, -320.0), (2.0, -1074.0)]
show("pow", [v for x, y in pairs for v in (bits(x), bits(y), bits(rounded(power(mpf(x), mpf(y)))))])

GILES = {
    "single": [
        (5, lambda w: w - 2.5, "2.81022636e-08 3.43273939e-07 -3.5233877e-06 -4.39150654e-06 0.00021858087 -0.00125372503 -0.00417768164 0.246640727 1.50140941"),
        (1e9, lambda w: sqrt(w) - 3, "-0.000200214257 0.000100950558 0.00134934322 -0.00367342844 0.00573950773 -0.0076224613 0.00943887047 1.00167406 2.83297682"),
    ],
    "double": [
        (6.25, lambda w: w - 3.125, "-3.6444120640178196996e-21 -1.685059138182016589e-19 1.2858480715256400167e-18 1.115787767802518096e-17 -1.333171662854620906e-16 2.0972767875968561637e-17 6.6376381343583238325e-15 -4.0545662729752068639e-14 -8.1519341976054721522e-14 2.6335093153082322977e-12 -1.2975133253453532498e-11 -5.4154120542946279317e-11 1.051212273321532285e-09 -4.1126339803469836976e-09 -2.9070369957882005086e-08 4.2347877827932403518e-07 -1.3654692000834678645e-06 -1.3882523362786468719e-05 0.0001867342080340571352 -0.00074070253416626697512 -0.0060336708714301490533 0.24015818242558961693 1.6536545626831027356"),
        (16, lambda w: sqrt(w) - 3.25, "2.2137376921775787049e-09 9.0756561938885390979e-08 -2.7517406297064545428e-07 1.8239629214389227755e-08 1.5027403968909827627e-06 -4.013867526981545969e-06 2.9234449089955446044e-06 1.2475304481671778723e-05 -4.7318229009055733981e-05 6.8284851459573175448e-05 2.4031110387097893999e-05 -0.0003550375203628474796 0.00095328937973738049703 -0.0016882755560235047313 0.0024914420961078508066 -0.0037512085075692412107 0.005370914553590063617 1.0052589676941592334 3.0838856104922207635"),
        (1e9, lambda w: sqrt(w) - 5, "-2.7109920616438573243e-11 -2.5556418169965252055e-10 1.5076572693500548083e-09 -3.7894654401267369937e-09 7.6157012080783393804e-09 -1.4960026627149240478e-08 2.9147953450901080826e-08 -6.7711997758452339498e-08 2.2900482228026654717e-07 -9.9298272942317002539e-07 4.5260625972231537039e-06 -1.9681778105531670567e-05 7.5995277030017761139e-05 -0.00021503011930044477347 -0.00013871931833623122026 1.0103004648645343977 4.8499064014085844221"),
    ],
}


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def erfinv(x, precision):
    square = single(x * x) if precision == "single" else x * x
    w = -log1p(-mpf(square))
    for limit, centred, coefficients in GILES[precision]:
        if w < limit:
            u, p = centred(w), mpf(0)
            for c in coefficients.split():
                p = p * u + (mpf(single(float(c))) if precision == "single" else mpf(float(c)))
            return p * mpf(x)


points = [random.uniform(-1, 1) for _ in range(80)] + [1 - 2.0 ** -random.uniform(3, 23) for _ in range(60)] + [1e-30, -1e-5]
show("erfinvSingle", [v for x in map(single, points) if abs(x) < 1
                      for v in (bits(x), bits(single(float(erfinv(x, "single")))))])
points += [1 - 2.0 ** -random.uniform(20, 52) for _ in range(60)] + [1e-300]
show("erfinvDouble", [v for x in points if abs(x) < 1 for v in (bits(x), bits(float(erfinv(x, "double"))))])
# How far the formula itself is from erfinv, at the centre of the domain: a check of the coefficients.
for precision in GILES:
    worst = max(abs(erfinv(x, precision) / mp.erfinv(mpf(x)) - 1) for x in [i / 37 for i in range(1, 37)])
    print(f"// {precision} precision: the formula is within {float(worst):.1e} of erfinv.")
