"""The step of flow matching with optimal pairs, by torchcfm."""

import torch
from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher

from . import fields, on_torch
from .torchdiffeq import Network
from .workloads import Missing


def model(workload):
    """The model of a workload."""
    if workload.kind != "matching":
        raise Missing("it trains by flow matching")
    network = Network(workload)
    matcher = ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)

    def loss(x):
        t, at, velocity = matcher.sample_location_and_conditional_flow(torch.randn_like(x), x)
        return ((network(t[:, None], at) - velocity) ** 2).sum(1).mean()

    x = torch.tensor(fields.rows(workload), dtype=torch.float32)
    return on_torch.model(workload, network, None, None, x=x, loss=loss)
