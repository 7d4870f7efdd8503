"""TarFlow in PyTorch by its paper's formulas, which none of the libraries has.

A block maps the patches of 2x2 pixels by z = (x - mu) exp(-a), with mu and a of a causal transformer of the patches before,
and a = 4 tanh(r / 4). Every other block takes the patches backwards. Draws keep keys and values. `python -m peers.check`
checks it.
"""

import math

import torch
from torch import nn
from torch.nn.functional import gelu, pad, scaled_dot_product_attention

from . import on_torch


class Layer(nn.Module):
    """Attention of one head and a perceptron, each behind a normalization and beside a residual."""

    def __init__(self, width):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def after(self, h, seen):
        h = h + self.out(seen)
        return h + self.outer(gelu(self.inner(self.norms[1](h))))

    def forward(self, h):
        q, k, v = self.qkv(self.norms[0](h))[:, None].chunk(3, -1)
        return self.after(h, scaled_dot_product_attention(q, k, v, is_causal=True)[:, 0])

    def next(self, h, cache, i):
        """One token, whose key and value join those before it."""
        q, k, v = self.qkv(self.norms[0](h)).chunk(3, -1)
        cache[0][:, i : i + 1], cache[1][:, i : i + 1] = k, v
        seen = [part[:, None, : i + 1] for part in cache]
        return self.after(h, scaled_dot_product_attention(q[:, None], *seen)[:, 0])


class Block(nn.Module):
    """The autoregressive map of all tokens."""

    def __init__(self, tokens, channels, widths):
        super().__init__()
        width = widths[0]
        self.first, self.last = nn.Linear(channels, width), nn.Linear(width, 2 * channels)
        self.position = nn.Parameter(0.01 * torch.randn(tokens - 1, width))
        self.layers = nn.ModuleList([Layer(width) for _ in widths])
        nn.init.normal_(self.last.weight, std=0.01)

    def forward(self, x):
        h = self.first(x[:, :-1]) + self.position
        for layer in self.layers:
            h = layer(h)
        raw, mu = pad(self.last(h), (0, 0, 1, 0)).chunk(2, -1)
        a = 4 * torch.tanh(raw / 4)
        return (x - mu) * torch.exp(-a), -a.sum((1, 2))

    def inverse(self, z):
        """The tokens one after the other."""
        rows, tokens, _ = z.shape
        x, width = [z[:, :1]], len(self.first.bias)
        caches = [(z.new_empty(rows, tokens - 1, width), z.new_empty(rows, tokens - 1, width)) for _ in self.layers]
        for i in range(tokens - 1):
            h = self.first(x[-1]) + self.position[i]
            for layer, cache in zip(self.layers, caches):
                h = layer.next(h, cache, i)
            raw, mu = self.last(h).chunk(2, -1)
            x.append(z[:, i + 1 : i + 2] * torch.exp(4 * torch.tanh(raw / 4)) + mu)
        return torch.cat(x, 1)


class TarFlow(nn.Module):
    """Blocks of patches of images [height, width, channels]."""

    def __init__(self, workload):
        super().__init__()
        self.image = height, width, channels = workload.image
        self.blocks = nn.ModuleList(
            [Block(height * width // 4, 4 * channels, workload.hidden) for _ in range(workload.layers)]
        )

    def forward(self, x):
        """Latent tokens, and the log-determinants."""
        height, width, channels = self.image
        x = x.reshape(-1, height // 2, 2, width // 2, 2, channels).permute(0, 1, 3, 5, 2, 4)
        x = x.reshape(len(x), height * width // 4, 4 * channels)
        log_det = x.new_zeros(len(x))
        for i, block in enumerate(self.blocks):
            z, change = block(x.flip(1) if i % 2 else x)
            x, log_det = z.flip(1) if i % 2 else z, log_det + change
        return x, log_det

    def inverse(self, z):
        for i, block in reversed(list(enumerate(self.blocks))):
            x = block.inverse(z.flip(1) if i % 2 else z)
            z = x.flip(1) if i % 2 else x
        height, width, channels = self.image
        x = z.reshape(-1, height // 2, width // 2, channels, 2, 2).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(len(x), height, width, channels)

    def log_pdf(self, x):
        z, log_det = self(x)
        return log_det - (z**2 / 2 + math.log(2 * math.pi) / 2).sum((1, 2))

    def sample(self, count):
        height, width, channels = self.image
        return self.inverse(torch.randn(count, height * width // 4, 4 * channels))


def model(workload):
    """The model of a workload."""
    flow = TarFlow(workload)
    return on_torch.model(workload, flow, flow.log_pdf, flow.sample)
