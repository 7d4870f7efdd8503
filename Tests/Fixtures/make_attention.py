"""Writes what PyTorch's transformer computes, for Tests/BijectionsTests/TokenReferenceTests.swift.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r Tests/Fixtures/requirements-torch.txt
    /tmp/venv/bin/python Tests/Fixtures/make_attention.py

run from the repository root, writes Tests/BijectionsTests/Fixtures/attention.json. Everything is float64. The layers are
torch.nn.TransformerEncoderLayer with norm_first and gelu, whose parameters are drawn anew.

- TarFlow: a projection with positions, layers with a causal mask, a projection whose outputs are shifted by one token, and
  z = (x - mu) exp(-a), in the order of the tokens or backwards. log|det| is that of the Jacobian that PyTorch computes.
- gated: the network of Flow++, of PyTorch's convolution, gated linear unit, attention and layer normalization.
- ViT: the same network without the mask and the shift, and with a last layer normalization.
"""

import json
import pathlib

import numpy as np
import torch

from versions import check

check("torch", "numpy")
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(11)


def drawn(*shape, scale=0.3, shift=0.0):
    return torch.tensor(np.round(shift + scale * rng.normal(size=shape), 4))


def array(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


class Network:
    def __init__(self, tokens, inputs, outputs, width, layers, heads, expansion, causal, contexts=0):
        self.p = {
            "first/weight": drawn(inputs, width), "first/bias": drawn(width), "position": drawn(tokens, width),
            "last/weight": drawn(width, outputs), "last/bias": drawn(outputs),
        }
        if contexts:
            self.p["context"] = drawn(contexts, width)
        if not causal:
            self.p |= {"norm/gain": drawn(width, shift=1), "norm/bias": drawn(width)}
        self.mask = torch.nn.Transformer.generate_square_subsequent_mask(tokens) if causal else None
        self.width, self.layers = width, []
        for i in range(layers):
            layer = torch.nn.TransformerEncoderLayer(
                width, heads, expansion * width, dropout=0.0, activation=torch.nn.functional.gelu, batch_first=True,
                norm_first=True)
            names = {
                "norm_0/gain": layer.norm1.weight, "norm_0/bias": layer.norm1.bias,
                "attention/qkv/weight": layer.self_attn.in_proj_weight, "attention/qkv/bias": layer.self_attn.in_proj_bias,
                "attention/out/weight": layer.self_attn.out_proj.weight, "attention/out/bias": layer.self_attn.out_proj.bias,
                "norm_1/gain": layer.norm2.weight, "norm_1/bias": layer.norm2.bias,
                "dense_0/weight": layer.linear1.weight, "dense_0/bias": layer.linear1.bias,
                "dense_1/weight": layer.linear2.weight, "dense_1/bias": layer.linear2.bias,
            }
            for name, theirs in names.items():
                own = drawn(*reversed(theirs.shape), shift=1.0 if name.endswith("gain") else 0.0)
                self.p[f"layer_{i}/{name}"] = own  # [in, out]; PyTorch's is the transpose
                theirs.data = (own.T if own.ndim == 2 else own).clone()
            self.layers.append(layer.train())  # without dropout; training mode takes no fast path

    def __call__(self, x, context=None):
        h = x @ self.p["first/weight"] + self.p["first/bias"] + self.p["position"]
        if context is not None:
            h = h + (context @ self.p["context"])[:, None]
        for layer in self.layers:
            h = layer(h, src_mask=self.mask)
        if self.mask is None:
            h = torch.nn.functional.layer_norm(h, [self.width], self.p["norm/gain"], self.p["norm/bias"])
        return h @ self.p["last/weight"] + self.p["last/bias"]


def tarflow(shape, heads, layers=2, reverse=False, contexts=0, width=6):
    tokens, channels = int(np.prod(shape[:-1])), shape[-1]
    net = Network(tokens - 1, channels, 2 * channels, width, layers, heads, 4, True, contexts)
    context = drawn(3, contexts, scale=1) if contexts else None

    def f(x, context):
        list_ = x.reshape(len(x), tokens, channels)
        list_ = list_.flip(1) if reverse else list_
        out = net(list_[:, :-1], context)
        a, mu = torch.cat([torch.zeros_like(out[:, :1]), out], 1).chunk(2, -1)
        z = (list_ - mu) * torch.exp(-a)
        return (z.flip(1) if reverse else z).reshape(x.shape)

    x = drawn(3, *shape, scale=1)
    size = int(np.prod(shape))
    log_det = []
    for i in range(3):
        c = None if context is None else context[i:i + 1]
        jacobian = torch.autograd.functional.jacobian(lambda row: f(row, c), x[i:i + 1]).reshape(size, size)
        log_det.append(float(torch.linalg.slogdet(jacobian)[1]))
    return {
        "heads": heads, "layers": layers, "width": width, "isReversed": reverse,
        "params": {f"net/{name}": array(value) for name, value in net.p.items()},
        "x": array(x), "context": None if context is None else array(context), "y": array(f(x, context)), "logDet": log_det,
    }


def vit(shape, outputs, heads, layers=2, width=6):
    tokens = int(np.prod(shape[:-1]))
    net = Network(tokens, shape[-1], outputs, width, layers, heads, 4, False)
    x = drawn(2, *shape, scale=1)
    y = net(x.reshape(2, tokens, shape[-1])).reshape(2, *shape[:-1], outputs)
    return {
        "heads": heads, "layers": layers, "width": width, "isReversed": False,
        "params": {name: array(value) for name, value in net.p.items()}, "x": array(x), "context": None, "y": array(y),
        "logDet": [],
    }


def gated(shape, outputs, heads, blocks=2, hidden=4):
    """Flow++'s network by PyTorch's functions, on images [rows, height, width, channels]."""
    height, width, channels = shape
    tokens, functional = height * width, torch.nn.functional
    p = {"position": drawn(height, width, hidden)}

    def conv(name, x):
        weight = p[f"{name}/weight"].permute(3, 2, 0, 1)  # ours is [window, window, in, out]
        return functional.conv2d(x.permute(0, 3, 1, 2), weight, p[f"{name}/bias"], padding=1).permute(0, 2, 3, 1)

    def dense(name, x):
        return functional.linear(x, p[f"{name}/weight"].T, p[f"{name}/bias"])

    def norm(name, x):
        return functional.layer_norm(x, [hidden], p[f"{name}/gain"], p[f"{name}/bias"])

    def both(x):
        return functional.elu(torch.cat([x, -x], -1))

    def layer(name, *weight):
        p[f"{name}/weight"], p[f"{name}/bias"] = drawn(*weight), drawn(weight[-1])

    layer("first", 3, 3, channels, hidden)
    layer("last", 3, 3, hidden, outputs)
    for i in range(blocks):
        layer(f"block_{i}/conv", 3, 3, 2 * hidden, hidden)
        layer(f"block_{i}/gate_0", 2 * hidden, 2 * hidden)
        layer(f"block_{i}/attention/qkv", hidden, 3 * hidden)
        layer(f"block_{i}/attention/out", hidden, 2 * hidden)
        for j in range(2):
            p[f"block_{i}/norm_{j}/gain"], p[f"block_{i}/norm_{j}/bias"] = drawn(hidden, shift=1), drawn(hidden)

    x = drawn(2, *shape, scale=1)
    h = conv("first", x)
    for i in range(blocks):
        b = f"block_{i}"
        h = norm(f"{b}/norm_0", h + functional.glu(dense(f"{b}/gate_0", both(conv(f"{b}/conv", both(h)))), -1))
        q, k, v = (
            part.reshape(2, tokens, heads, hidden // heads).transpose(1, 2)
            for part in dense(f"{b}/attention/qkv", h + p["position"]).chunk(3, -1))
        seen = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(h.shape)
        h = norm(f"{b}/norm_1", h + functional.glu(dense(f"{b}/attention/out", seen), -1))
    return {
        "heads": heads, "layers": blocks, "width": hidden, "isReversed": False,
        "params": {name: array(value) for name, value in p.items()}, "x": array(x), "context": None,
        "y": array(conv("last", h)), "logDet": [],
    }


fixture = {
    "tarflow": [
        tarflow((4, 2), 1), tarflow((2, 3, 2), 2, reverse=True), tarflow((5, 1), 3, layers=1, contexts=2),
        tarflow((2, 3), 2, layers=0),
    ],
    "vit": [vit((2, 3, 2), 3, 1), vit((4, 1), 2, 3, layers=1)],
    "gated": [gated((2, 3, 2), 3, 2)],
}
path = pathlib.Path("Tests/BijectionsTests/Fixtures/attention.json")
path.write_text(json.dumps(fixture) + "\n")
