"""Glow in JAX, which none of the libraries has: levels of a squeeze and steps, with standard normal priors.

A step is ActNorm, a linear map of the channels by the factors P L U, and an affine coupling with the scale sigmoid(s + 2),
whose convolutions have windows 3, 1 and 3. Images are [height, width, channels]. `python -m peers.check` checks it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import lu, solve_triangular

from . import on_jax


def convolution(x, weight, bias):
    """A convolution; one of a single pixel is a product."""
    if weight.shape[:2] == (1, 1):
        return x @ weight[0, 0] + bias
    return jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias


def network(params, x):
    """Convolutions with relu between them: shifts and raw scales."""
    for weight, bias in params[:-1]:
        x = jax.nn.relu(convolution(x, weight, bias))
    return jnp.split(convolution(x, *params[-1]), 2, -1)


def factors(params, fixed):
    """P, L and U of a linear map."""
    packed, (order, sign) = params["linear"], fixed
    size = len(packed)
    lower = jnp.tril(packed, -1) + jnp.eye(size)
    upper = jnp.triu(packed, 1) + jnp.diag(sign * jnp.exp(jnp.diag(packed)))
    return order, lower, upper


def forward(params, fixed, x):
    """A step from data to latent, and its log-determinant."""
    log_scale = params["log_scale"]
    x = (x - params["shift"]) * jnp.exp(log_scale)
    order, lower, upper = factors(params, fixed)
    x = x @ (lower @ upper)[order]
    kept, moved = jnp.split(x, 2, -1)
    shift, raw = network(params["network"], kept)
    x = jnp.concatenate([kept, moved * jax.nn.sigmoid(raw + 2) + shift], -1)
    each = x.shape[1] * x.shape[2] * (log_scale.sum() + jnp.diag(params["linear"]).sum())
    return x, jax.nn.log_sigmoid(raw + 2).sum((1, 2, 3)) + each


def inverse(params, fixed, y):
    """A step from latent to data."""
    kept, moved = jnp.split(y, 2, -1)
    shift, raw = network(params["network"], kept)
    y = jnp.concatenate([kept, (moved - shift) / jax.nn.sigmoid(raw + 2)], -1)
    order, lower, upper = factors(params, fixed)
    # The inverse of the small matrix costs less than a solution for each pixel.
    matrix = solve_triangular(upper, solve_triangular(lower, jnp.eye(len(order)), lower=True, unit_diagonal=True))
    x = y @ matrix[:, order]
    return x * jnp.exp(-params["log_scale"]) + params["shift"]


def squeeze(x):
    """Squares of 2x2 pixels as channels."""
    rows, height, width, channels = x.shape
    x = x.reshape(rows, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(rows, height // 2, width // 2, 4 * channels)


def expand(x):
    """The inverse of `squeeze`."""
    rows, height, width, channels = x.shape
    x = x.reshape(rows, height, width, channels // 4, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(rows, 2 * height, 2 * width, channels // 4)


def initial(key, channels, hidden):
    """Initial parameters of a step, and what is not learned: the order of P, and the signs of U's diagonal."""
    permutation, lower, upper = map(np.asarray, lu(jax.random.orthogonal(key, channels)))
    diagonal = np.diag(upper)
    sizes, windows = [channels // 2, *hidden, channels], [3] + [1] * (len(hidden) - 1) + [3]
    network = []
    for i, (inputs, outputs, window) in enumerate(zip(sizes, sizes[1:], windows)):
        scale = 0.01 if i == len(hidden) else (inputs * window**2) ** -0.5
        shape = (window, window, inputs, outputs)
        network.append((scale * jax.random.normal(jax.random.fold_in(key, i), shape), jnp.zeros(outputs)))
    packed = jnp.asarray(np.tril(lower, -1) + np.triu(upper, 1) + np.diag(np.log(np.abs(diagonal))))
    params = {"shift": jnp.zeros(channels), "log_scale": jnp.zeros(channels), "linear": packed, "network": network}
    return params, (jnp.asarray(permutation.argmax(1)), jnp.asarray(np.sign(diagonal)))


def functions(workload):
    """Initial parameters, the map to the latents of each level with its log-determinants, and the map back."""
    height, width, channels = workload.image
    pairs = [
        [initial(jax.random.fold_in(jax.random.key(level), i), channels * 2 ** (level + 1), workload.hidden)
         for i in range(workload.layers)]
        for level in range(1, workload.levels + 1)
    ]
    params = [[step for step, _ in level] for level in pairs]
    fixed = [[rest for _, rest in level] for level in pairs]

    def latents(params, x):
        out, log_det = [], jnp.zeros(len(x))
        for level in range(workload.levels):
            x = squeeze(x)
            for step, rest in zip(params[level], fixed[level]):
                x, change = forward(step, rest, x)
                log_det = log_det + change
            if level < workload.levels - 1:
                x, part = jnp.split(x, 2, -1)
                out.append(part)
        return [*out, x], log_det

    def images(params, z):
        x = z[-1]
        for level in reversed(range(workload.levels)):
            if level < workload.levels - 1:
                x = jnp.concatenate([x, z[level]], -1)
            for step, rest in zip(reversed(params[level]), reversed(fixed[level])):
                x = inverse(step, rest, x)
            x = expand(x)
        return x

    def shapes():
        """The shapes of the latents."""
        side = lambda level: (height >> level, width >> level)
        parts = [(*side(level), channels * 2**level) for level in range(1, workload.levels)]
        return [*parts, (*side(workload.levels), channels * 2 ** (workload.levels + 1))]

    return params, latents, images, shapes()


def model(workload):
    """The model of a workload."""
    params, latents, images, shapes = functions(workload)

    def log_pdf(params, x):
        z, log_det = latents(params, x)
        return log_det - sum((part**2 / 2 + jnp.log(2 * jnp.pi) / 2).sum((1, 2, 3)) for part in z)

    def sample(key, params, count):
        keys = jax.random.split(key, len(shapes))
        return images(params, [jax.random.normal(k, (count, *shape)) for k, shape in zip(keys, shapes)])

    return on_jax.model(workload, params, log_pdf, sample)
