"""The continuous workloads by torchdiffeq's solvers, with gradients through the steps."""

import torch
from torch import nn
from torchdiffeq import odeint

from . import fields, on_torch
from .workloads import Missing


class Network(nn.Module):
    """A network of the position and of cosines and sines of the time."""

    def __init__(self, workload):
        super().__init__()
        sizes = [workload.dimension + 2 * workload.frequencies, *workload.hidden, workload.dimension]
        layers = [part for pair in zip(sizes, sizes[1:]) for part in (nn.Linear(*pair), nn.ELU())]
        self.layers = nn.Sequential(*layers[:-1])
        self.register_buffer("rates", torch.pi * torch.arange(1, workload.frequencies + 1))
        on_torch.fill([part for part in layers if isinstance(part, nn.Linear)], workload)

    def forward(self, t, x):
        angle = self.rates * t
        features = torch.cat([angle.cos(), angle.sin()], -1).expand(*x.shape[:-1], -1)
        return self.layers(torch.cat([x, features], -1))

    def traced(self, t, x):
        """The velocity and its exact trace."""
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            v = self(t, x)
            units = torch.eye(x.shape[-1]).expand(*x.shape, x.shape[-1]).movedim(-2, 0)
            columns = torch.autograd.grad(v, x, units, create_graph=self.training, is_grads_batched=True)[0]
        trace = torch.einsum("i...i", columns)
        return (v, trace) if self.training else (v.detach(), trace.detach())


class Potential(nn.Module):
    """OT-Flow's potential with two layers: its gradient, trace and slope in time, by the paper's formulas."""

    def __init__(self, size, width):
        super().__init__()
        self.size = size
        self.first, self.second = nn.Linear(size + 1, width), nn.Linear(width, width)
        self.scale, self.linear = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(size + 1))
        self.matrix = nn.Parameter(nn.init.xavier_uniform_(torch.empty(min(10, size + 1), size + 1)))

    def forward(self, t, x, traced=True):
        s = torch.cat([x, torch.ones_like(x[:, :1]) * t], 1)
        opening = self.first(s)
        slope = torch.tanh(opening)
        u = opening.abs() + torch.log1p(torch.exp(-2 * opening.abs()))
        second = torch.tanh(self.second(u))
        z = self.scale + (second * self.scale) @ self.second.weight
        gradient = (slope * z) @ self.first.weight + (s @ self.matrix.T) @ self.matrix + self.linear
        if not traced:
            return gradient[:, : self.size]
        inputs = self.first.weight[:, : self.size]
        trace = ((1 - slope**2) * z) @ (inputs**2).sum(1)
        moved = self.second.weight @ (slope[:, :, None] * inputs)
        trace = trace + ((1 - second**2) * self.scale * (moved**2).sum(2)).sum(1)
        return gradient, trace + (self.matrix[:, : self.size] ** 2).sum()


def cnf(workload):
    """The continuous flow by Dormand and Prince's method, with one step for the whole batch."""
    network = Network(workload)
    x = torch.tensor(fields.rows(workload), dtype=torch.float32)
    times = torch.tensor([0.0, 1.0])

    def log_pdf(x, tolerance):
        start = (x, torch.zeros(len(x)))
        z, change = odeint(lambda t, s: network.traced(t, s[0]), start, times, rtol=tolerance, atol=tolerance)
        return change[-1] - (z[-1] ** 2 / 2 + torch.log(torch.tensor(2 * torch.pi)) / 2).sum(1)

    network.eval()
    chosen, error = fields.tolerance(workload, lambda tolerance: log_pdf(x, tolerance).detach().double().numpy())

    def sample(count):
        z = torch.randn(count, workload.dimension)
        return odeint(network, z, times.flip(0), rtol=chosen, atol=chosen)[-1]

    return on_torch.model(workload, network, lambda x: log_pdf(x, chosen), sample, {"error": error}, x)


def ot_flow(workload):
    """OT-Flow by equal Runge-Kutta steps, with its own loss."""
    potential = Potential(workload.dimension, workload.hidden[0])
    h = 1 / workload.layers

    def slope(t, s):
        gradient, trace = potential(t, s[0])
        own = gradient[:, : workload.dimension]
        transport = (own**2).sum(1) / 2
        return -own, -trace, transport, (gradient[:, -1] - transport).abs()

    def solved(x):
        times = torch.linspace(0, 1, workload.layers + 1)
        zero = torch.zeros(len(x))
        return [part[-1] for part in odeint(slope, (x, zero, zero, zero), times, method="rk4", options={"step_size": h})]

    def density(z, change):
        return change - (z**2 / 2 + torch.log(torch.tensor(2 * torch.pi)) / 2).sum(1)

    def loss(x):
        z, change, transport, optimality = solved(x)
        return (-density(z, change) + transport / 100 + 15 / 100 * optimality).mean()

    def sample(count):
        times = torch.linspace(1, 0, workload.layers + 1)
        z = torch.randn(count, workload.dimension)
        return odeint(lambda t, x: -potential(t, x, traced=False), z, times, method="rk4", options={"step_size": h})[-1]

    return on_torch.model(workload, potential, lambda x: density(*solved(x)[:2]), sample, loss=loss)


def model(workload):
    """The model of a workload."""
    if workload.kind == "matching":
        raise Missing("it solves equations")
    return {"cnf": cnf, "ot-flow": ot_flow}[workload.kind](workload)
