"""The workloads in zuko."""

from functools import partial

import torch
from zuko.distributions import DiagNormal
from zuko.flows import GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import Flow, LazyComposedTransform, UnconditionalDistribution, UnconditionalTransform
from zuko.transforms import LULinearTransform, MonotonicAffineTransform, MonotonicRQSTransform, PermutationTransform

from . import on_torch
from .workloads import with_reversals


def layer(workload):
    """One layer, from data to latent."""
    size = workload.dimension
    if workload.kind == "linear":
        return LazyComposedTransform(
            UnconditionalTransform(MonotonicAffineTransform, torch.zeros(size), torch.zeros(size)),
            UnconditionalTransform(LULinearTransform, torch.eye(size) + 0.01 * torch.randn(size, size)),
        )
    if workload.kind == "masked":
        return MaskedAutoregressiveTransform(size, hidden_features=workload.hidden)
    mask = torch.arange(size) < workload.kept
    if workload.kind == "affine":
        return GeneralCouplingTransform(size, mask=mask, hidden_features=workload.hidden)
    return GeneralCouplingTransform(
        size,
        mask=mask,
        univariate=partial(MonotonicRQSTransform, bound=workload.bound),
        shapes=[(workload.bins,), (workload.bins,), (workload.bins - 1,)],
        hidden_features=workload.hidden,
    )


def model(workload):
    """The model of a workload."""
    size = workload.dimension
    layers = [layer(workload) for _ in range(workload.layers)]
    if workload.kind != "linear":
        order = torch.arange(size).flip(0)
        layers = with_reversals(layers, lambda: UnconditionalTransform(PermutationTransform, order, buffer=True))
    base = UnconditionalDistribution(DiagNormal, torch.zeros(size), torch.ones(size), buffer=True)
    flow = Flow(layers, base)
    return on_torch.model(workload, flow, lambda x: flow().log_prob(x), lambda count: flow().sample((count,)))
