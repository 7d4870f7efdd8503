"""The workloads in zuko."""

from functools import partial

import torch
from zuko.distributions import DiagNormal
from zuko.flows import CNF, GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import Flow, LazyComposedTransform, UnconditionalDistribution, UnconditionalTransform
from zuko.transforms import LULinearTransform, MonotonicAffineTransform, MonotonicRQSTransform, PermutationTransform

from . import fields, on_torch
from .workloads import Missing, with_reversals


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


def continuous(workload):
    """The continuous flow, with its exact trace and the gradient by the adjoint equation."""
    if workload.kind != "cnf":
        raise Missing(f"it has no {workload.kind}")
    flow = CNF(workload.dimension, freqs=workload.frequencies, hidden_features=workload.hidden)
    transform = flow.transform
    on_torch.fill([part for part in transform.ode if hasattr(part, "weight")], workload, time_first=True)
    x = torch.tensor(fields.rows(workload), dtype=torch.float32)

    def log_pdf(tolerance):
        transform.atol = transform.rtol = tolerance
        with torch.no_grad():
            return flow().log_prob(x).double().numpy()

    chosen, error = fields.tolerance(workload, log_pdf)
    transform.atol = transform.rtol = chosen
    return on_torch.model(
        workload, flow, lambda x: flow().log_prob(x), lambda count: flow().sample((count,)), {"error": error}, x
    )


def model(workload):
    """The model of a workload."""
    if workload.is_continuous:
        return continuous(workload)
    size = workload.dimension
    layers = [layer(workload) for _ in range(workload.layers)]
    if workload.kind != "linear":
        order = torch.arange(size).flip(0)
        layers = with_reversals(layers, lambda: UnconditionalTransform(PermutationTransform, order, buffer=True))
    base = UnconditionalDistribution(DiagNormal, torch.zeros(size), torch.ones(size), buffer=True)
    flow = Flow(layers, base)
    return on_torch.model(workload, flow, lambda x: flow().log_prob(x), lambda count: flow().sample((count,)))
