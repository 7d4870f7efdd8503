"""The common part of the libraries on PyTorch: the training step, and evaluation without a tape."""

import os

import numpy as np
import torch
from torch import nn

from . import fields
from .harness import Model

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.manual_seed(0)


class MLP(nn.Sequential):
    """A dense network with relu, called as the libraries call their networks: with a context that it ignores."""

    def __init__(self, inputs, hidden, outputs):
        sizes = [inputs, *hidden, outputs]
        layers = [part for pair in zip(sizes, sizes[1:]) for part in (nn.Linear(*pair), nn.ReLU())]
        super().__init__(*layers[:-1])
        self.hidden_features = hidden[-1]  # by which the spline couplings scale the network's outputs

    def forward(self, x, context=None):
        return super().forward(x)


def fill(layers, workload, time_first=False):
    """Gives dense layers the weights of `fields`, whose inputs are the position and the features of the time."""
    for i, (layer, (weight, bias)) in enumerate(zip(layers, fields.network(workload))):
        if i == 0 and time_first:
            weight = np.concatenate([weight[workload.dimension :], weight[: workload.dimension]])
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight.T))
            layer.bias.copy_(torch.tensor(bias))


def model(workload, flow, log_pdf, sample, about=None, x=None, loss=None):
    """A model of the module `flow` with `log_pdf(x)` and `sample(count)`, or with a `loss(x)` of its own."""
    count = sum(leaf.numel() for leaf in flow.parameters())
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-4, fused=True)
    x = torch.randn(workload.batch, *workload.shape) if x is None else x
    mean = loss or (lambda x: -log_pdf(x).mean())
    if os.environ.get("PEERS_COMPILE"):
        mean = torch.compile(mean)
        log_pdf, sample = (torch.compile(body) if body else None for body in (log_pdf, sample))

    def step():
        flow.train()
        optimizer.zero_grad()
        loss = mean(x)
        loss.backward()
        optimizer.step()
        return loss.detach()

    # A continuous flow differentiates its field in a density, which inference mode forbids.
    @torch.no_grad() if workload.is_continuous else torch.inference_mode()
    def density():
        flow.eval()
        return log_pdf(x)

    @torch.inference_mode()
    def draws():
        flow.eval()
        return sample(workload.batch)

    return Model(count, step, density if log_pdf else None, draws if sample else None, about or {})
