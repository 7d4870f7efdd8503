"""The workloads in normflows.

Its MADE has no relu after the first layer (equal parameters). Its linear layers keep L and U as two full matrices of
which half is used: 2 D^2 + D parameters where others have D^2. Images are [channels, height, width].
"""

import torch
from normflows import MultiscaleFlow, NormalizingFlow
from normflows.distributions import DiagGaussian
from normflows.flows import ActNorm, AffineCouplingBlock, GlowBlock, InvertibleAffine, MaskedAffineAutoregressive, Merge
from normflows.flows import Permute, Reverse, Squeeze
from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling

from . import on_torch
from .workloads import with_reversals


def reversal(size):
    """A permutation that reverses the channels."""
    permutation = Permute(size)
    for order in (permutation.perm, permutation.inv_perm):
        order.copy_(torch.arange(size).flip(0))
    return permutation


def layers_of(workload):
    """The layers of one step, from latent to data; `Reverse` gives the density the direction that takes one pass."""
    size = workload.dimension
    network = lambda inputs, outputs: on_torch.MLP(inputs, workload.hidden, outputs)
    if workload.kind == "linear":
        return [InvertibleAffine(size), ActNorm((size,))]
    if workload.kind == "masked":
        return [
            Reverse(
                MaskedAffineAutoregressive(
                    size, workload.hidden[0], num_blocks=len(workload.hidden) - 1, use_residual_blocks=False
                )
            )
        ]
    if workload.kind == "affine":
        # Of an odd number of channels the first part is the larger; it is the one transformed.
        return [AffineCouplingBlock(network(workload.kept, 2 * workload.moved), split_mode="channel_inv")]
    mask = torch.tensor([0] * workload.kept + [1] * workload.moved)
    spline = PiecewiseRationalQuadraticCoupling(
        mask, network, num_bins=workload.bins, tails="linear", tail_bound=workload.bound
    )
    return [Reverse(spline)]


def glow(workload):
    """Glow with standard normal priors: normflows starts at the latents, so its first level is the last one here."""
    height, width, channels = workload.image
    priors, merges, flows = [], [], []
    for level in range(workload.levels, 0, -1):
        size = channels * 2 ** (level + 1)
        steps = [GlowBlock(size, workload.hidden[0], init_zeros=False) for _ in range(workload.layers)]
        flows.append([*steps, Squeeze()])
        latent = size if level == workload.levels else size // 2
        priors.append(DiagGaussian((latent, height >> level, width >> level), trainable=False))
        if level < workload.levels:
            merges.append(Merge())
    flow = MultiscaleFlow(priors, flows, merges, class_cond=False)
    x = torch.randn(workload.batch, channels, height, width)
    with torch.no_grad():
        flow.log_prob(x, None)  # ActNorm starts from the first batch, and cannot do so in inference mode
    sample = lambda count: flow.sample(count)[0].movedim(1, -1)
    return on_torch.model(workload, flow, lambda x: flow.log_prob(x, None), sample, x=x)


def model(workload):
    """The model of a workload."""
    if workload.kind == "glow":
        return glow(workload)
    steps = [layers_of(workload) for _ in range(workload.layers)]
    if workload.kind != "linear":
        steps = with_reversals(steps, lambda: [reversal(workload.dimension)])
    base = DiagGaussian(workload.dimension, trainable=False)
    flow = NormalizingFlow(base, [part for step in steps for part in step])
    return on_torch.model(workload, flow, flow.log_prob, lambda count: flow.sample(count)[0])
