"""The workloads in nflows. Its linear layers have a bias too: D parameters more a layer."""

import warnings

import torch
from nflows.distributions import StandardNormal
from nflows.flows import Flow
from nflows.transforms import (
    ActNorm,
    AffineCouplingTransform,
    CompositeTransform,
    LULinear,
    MaskedAffineAutoregressiveTransform,
    PiecewiseRationalQuadraticCouplingTransform,
    ReversePermutation,
)

from . import on_torch
from .workloads import with_reversals

warnings.filterwarnings("ignore", message=".*triangular_solve is deprecated.*")


def layer(workload):
    """One layer, from data to latent."""
    if workload.kind == "linear":
        return CompositeTransform([ActNorm(workload.dimension), LULinear(workload.dimension, identity_init=True)])
    if workload.kind == "masked":
        return MaskedAffineAutoregressiveTransform(
            workload.dimension, workload.hidden[0], num_blocks=len(workload.hidden) - 1, use_residual_blocks=False
        )
    mask = [0] * workload.kept + [1] * workload.moved
    network = lambda inputs, outputs: on_torch.MLP(inputs, workload.hidden, outputs)
    if workload.kind == "affine":
        return AffineCouplingTransform(mask, network)
    return PiecewiseRationalQuadraticCouplingTransform(
        mask, network, num_bins=workload.bins, tails="linear", tail_bound=workload.bound
    )


def model(workload):
    """The model of a workload."""
    layers = [layer(workload) for _ in range(workload.layers)]
    if workload.kind != "linear":
        layers = with_reversals(layers, lambda: ReversePermutation(workload.dimension))
    flow = Flow(CompositeTransform(layers), StandardNormal([workload.dimension]))
    return on_torch.model(workload, flow, flow.log_prob, flow.sample)
