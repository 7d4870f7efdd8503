"""The fields of the continuous workloads, and the error of a solver.

Their weights come from a formula, so that all libraries solve the same equation. A solver with a tolerance takes the
loosest one of TOLERANCES whose log-densities err by at most ALLOWED nats in the mean. The same tolerance means another
error in another library.
"""

import numpy as np

TOLERANCES = [10.0 ** (-k / 2) for k in range(2, 13)]
ALLOWED = 1e-3
FEW = 64


def noise(purpose, *shape):
    """Numbers between -1 and 1 by a formula."""
    x = np.sin(12.9898 * np.arange(np.prod(shape)) + 78.233 * purpose) * 43758.5453
    return (2 * (x - np.floor(x)) - 1).reshape(shape)


def network(workload):
    """Weights [inputs, outputs] and biases of a network of [x, cosines, sines] of the time."""
    sizes = [workload.dimension + 2 * workload.frequencies, *workload.hidden, workload.dimension]
    return [
        (2 * noise(2 * i, m, n) / np.sqrt(m), 0.5 * noise(2 * i + 1, n)) for i, (m, n) in enumerate(zip(sizes, sizes[1:]))
    ]


def rows(workload):
    """Rows of data."""
    return 1.5 * noise(100, workload.batch, workload.dimension)


def rate(layers, frequencies, x, t):
    """The velocity and its trace, in float64."""
    angle = np.pi * t * np.arange(1, frequencies + 1)
    features = np.concatenate([np.cos(angle), np.sin(angle)])
    u = np.concatenate([x, np.broadcast_to(features, (len(x), len(features)))], 1)
    jacobian = np.broadcast_to(np.eye(u.shape[1])[: x.shape[1]], (len(x), x.shape[1], u.shape[1]))
    for i, (weight, bias) in enumerate(layers):
        u, jacobian = u @ weight + bias, jacobian @ weight
        if i < len(layers) - 1:
            jacobian = jacobian * np.where(u > 0, 1, np.exp(np.minimum(u, 0)))[:, None]
            u = np.where(u > 0, u, np.expm1(np.minimum(u, 0)))
    return u, np.trace(jacobian, axis1=1, axis2=2)


def reference(workload, steps=128):
    """The log-densities of the first `rows`, by many Runge-Kutta steps in float64."""
    layers, x = network(workload), rows(workload)[:FEW]
    log_det, h = np.zeros(len(x)), 1 / steps
    for k in range(steps):
        def slope(state, t):
            return rate(layers, workload.frequencies, state, t)

        t = k * h
        a, la = slope(x, t)
        b, lb = slope(x + h / 2 * a, t + h / 2)
        c, lc = slope(x + h / 2 * b, t + h / 2)
        d, ld = slope(x + h * c, t + h)
        x, log_det = x + h / 6 * (a + 2 * b + 2 * c + d), log_det + h / 6 * (la + 2 * lb + 2 * lc + ld)
    return log_det - (x**2 / 2 + np.log(2 * np.pi) / 2).sum(1)


def tolerance(workload, log_pdf):
    """The tolerance for `log_pdf(tolerance)`, the log-densities of `rows`, and its error."""
    wanted = reference(workload)
    for candidate in TOLERANCES:
        error = float(np.abs(log_pdf(candidate)[:FEW] - wanted).mean())
        if error <= ALLOWED:
            return candidate, error
    raise ValueError(f"no tolerance gives log-densities with an error below {ALLOWED}")
