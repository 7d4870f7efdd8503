"""The common part of the libraries on PyTorch: the training step, and evaluation without a tape."""

import os

import torch
from torch import nn

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


def model(workload, flow, log_pdf, sample):
    """A model of the module `flow` with `log_pdf(x)` and `sample(count)`."""
    count = sum(leaf.numel() for leaf in flow.parameters())
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-4, fused=True)
    x = torch.randn(workload.batch, workload.dimension)

    def step():
        flow.train()
        optimizer.zero_grad()
        loss = -log_pdf(x).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    @torch.inference_mode()
    def density():
        flow.eval()
        return log_pdf(x)

    @torch.inference_mode()
    def draws():
        flow.eval()
        return sample(workload.batch)

    return Model(count, step, density, draws)
