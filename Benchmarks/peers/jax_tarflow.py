"""TarFlow in JAX, as `torch_tarflow` has it. Draws are a loop with keys and values of all places, of which later ones are
masked. `python -m peers.check` checks it."""

import jax
import jax.numpy as jnp

from . import on_jax
from .jax_glow import expand, squeeze


def norm(params, h):
    """A layer normalization."""
    h = h - h.mean(-1, keepdims=True)
    return h * jax.lax.rsqrt((h**2).mean(-1, keepdims=True) + 1e-5) * params[0] + params[1]


def dense(params, h):
    """An affine map."""
    return h @ params[0] + params[1]


def attention(q, k, v, is_seen):
    """Attention of one head to the places that are seen."""
    scores = jnp.einsum("...qc,...kc->...qk", q, k) * q.shape[-1] ** -0.5
    return jax.nn.softmax(jnp.where(is_seen, scores, -jnp.inf)) @ v


def after(params, h, seen):
    """What follows the attention in a layer."""
    h = h + dense(params["out"], seen)
    return h + dense(params["outer"], jax.nn.gelu(dense(params["inner"], norm(params["norms"][1], h)), approximate=False))


def keys(params, h):
    """Queries, keys and values."""
    return jnp.split(dense(params["qkv"], norm(params["norms"][0], h)), 3, -1)


def forward(params, x):
    """A block's latent tokens and log-determinants."""
    h = dense(params["first"], x[:, :-1]) + params["position"]
    for layer in params["layers"]:
        h = after(layer, h, attention(*keys(layer, h), jnp.tri(h.shape[1], dtype=bool)))
    raw, mu = jnp.split(jnp.pad(dense(params["last"], h), ((0, 0), (1, 0), (0, 0))), 2, -1)
    a = 4 * jnp.tanh(raw / 4)
    return (x - mu) * jnp.exp(-a), -a.sum((1, 2))


def inverse(params, z):
    """A block's tokens, one after the other."""
    places, width = params["position"].shape
    empty = jnp.zeros((len(z), places, width))

    def next(state, step):
        x, caches = state
        i, position, latent = step
        h, grown = dense(params["first"], x) + position, []
        for layer, cache in zip(params["layers"], caches):
            q, *new = (part[:, None] for part in keys(layer, h))
            cache = [jax.lax.dynamic_update_slice_in_dim(old, own, i, 1) for old, own in zip(cache, new)]
            h = after(layer, h, attention(q, *cache, jnp.arange(places) <= i)[:, 0])
            grown.append(cache)
        raw, mu = jnp.split(dense(params["last"], h), 2, -1)
        x = latent * jnp.exp(4 * jnp.tanh(raw / 4)) + mu
        return (x, grown), x

    steps = (jnp.arange(places), params["position"], z[:, 1:].swapaxes(0, 1))
    _, rest = jax.lax.scan(next, (z[:, 0], [[empty, empty] for _ in params["layers"]]), steps)
    return jnp.concatenate([z[:, :1], rest.swapaxes(0, 1)], 1)


def initial(key, tokens, channels, widths):
    """Initial parameters of a block."""
    numbers = iter(jax.random.split(key, 2 + 4 * len(widths) + 1))
    width = widths[0]

    def weights(inputs, outputs, scale=1.0):
        return scale * inputs**-0.5 * jax.random.normal(next(numbers), (inputs, outputs)), jnp.zeros(outputs)

    layers = [
        {
            "norms": [(jnp.ones(width), jnp.zeros(width)) for _ in range(2)],
            "qkv": weights(width, 3 * width),
            "out": weights(width, width),
            "inner": weights(width, 4 * width),
            "outer": weights(4 * width, width),
        }
        for _ in widths
    ]
    position = 0.01 * jax.random.normal(next(numbers), (tokens - 1, width))
    first, last = weights(channels, width), weights(width, 2 * channels, 0.1)
    return {"first": first, "position": position, "layers": layers, "last": last}


def functions(workload):
    """Initial parameters, the map to latent tokens with its log-determinants, and the map back."""
    height, width, channels = workload.image
    tokens = (height * width // 4, 4 * channels)
    params = [initial(key, *tokens, workload.hidden) for key in jax.random.split(jax.random.key(0), workload.layers)]
    order = lambda i, x: x[:, ::-1] if i % 2 else x

    def latents(params, x):
        x, log_det = squeeze(x).reshape(len(x), *tokens), 0
        for i, block in enumerate(params):
            z, change = forward(block, order(i, x))
            x, log_det = order(i, z), log_det + change
        return x, log_det

    def images(params, z):
        for i, block in reversed(list(enumerate(params))):
            z = order(i, inverse(block, order(i, z)))
        return expand(z.reshape(len(z), height // 2, width // 2, 4 * channels))

    return params, latents, images, tokens


def model(workload):
    """The model of a workload."""
    params, latents, images, tokens = functions(workload)

    def log_pdf(params, x):
        z, log_det = latents(params, x)
        return log_det - (z**2 / 2 + jnp.log(2 * jnp.pi) / 2).sum((1, 2))

    sample = lambda key, params, count: images(params, jax.random.normal(key, (count, *tokens)))
    return on_jax.model(workload, params, log_pdf, sample)
