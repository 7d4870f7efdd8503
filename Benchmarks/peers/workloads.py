"""The architectures and batches that every library is measured on."""

from dataclasses import dataclass


class Missing(Exception):
    """A workload that a library cannot express, with the reason."""


@dataclass(frozen=True)
class Workload:
    """A flow of `layers` equal layers with a reversal between them; networks are MLPs with relu."""

    name: str
    # affine, masked, spline: what a layer is; linear: ActNorm and an invertible matrix, no reversal. Continuous flows:
    # cnf: a field of a network, solved with a tolerance; ot-flow: `layers` Runge-Kutta steps along OT-Flow's potential of
    # the width `hidden`; matching: the step of flow matching with optimal pairs. Images: glow: `levels` of a squeeze and
    # `layers` steps with convolutions of `hidden` channels; tarflow: `layers` blocks of patches of 2x2 pixels, with a
    # transformer layer for each width in `hidden`. fine-tune: the step of a fit of simulated histories' weights.
    kind: str
    dimension: int
    layers: int
    hidden: tuple
    batch: int
    bins: int = 8
    bound: float = 3.0
    frequencies: int = 3
    image: tuple = ()  # height, width, channels
    levels: int = 1

    @property
    def shape(self):
        """The shape of a sample."""
        return self.image or (self.dimension,)

    @property
    def kept(self):
        """The channels that a coupling passes on; the rest is transformed."""
        return self.dimension // 2

    @property
    def moved(self):
        """The channels that a coupling transforms."""
        return self.dimension - self.kept

    @property
    def is_continuous(self):
        """Whether it is a continuous flow, which libraries of layers have not."""
        return self.kind in ("cnf", "ot-flow", "matching")


ALL = {
    w.name: w
    for w in [
        Workload("realnvp-2d", "affine", 2, 8, (64, 64), 256),
        Workload("realnvp-63d", "affine", 63, 10, (512, 512), 512),
        Workload("maf-43d", "masked", 43, 5, (512, 512), 512),
        Workload("nsf-8d", "spline", 8, 10, (128, 128), 512),
        Workload("actnorm-linear-64d", "linear", 64, 32, (), 1024),
        Workload("ot-flow-43d", "ot-flow", 43, 6, (256,), 256),
        Workload("cnf-8d", "cnf", 8, 1, (64, 64), 256),
        Workload("matching-8d", "matching", 8, 1, (64, 64), 256),
        Workload("glow", "glow", 32 * 32 * 3, 8, (128, 128), 16, image=(32, 32, 3), levels=2),
        Workload("glow-64", "glow", 64 * 64 * 3, 8, (128, 128), 8, image=(64, 64, 3), levels=2),
        Workload("tarflow-8x8", "tarflow", 64, 4, (64, 64), 128, image=(8, 8, 1)),
        Workload("fine-tune", "fine-tune", 1, 1, (24, 24), 19_000, bound=5.0),
    ]
}

# The libraries of layers.
LIBRARIES = ["flowjax", "distrax", "jax_flows", "nflows", "zuko", "normflows"]

# The workloads that run by name only, and the libraries that have them. Those named jax_ and torch_ are written here
# in full, but for jax_flows.
BY_NAME = {
    "ot-flow-43d": ["torchdiffeq", "diffrax"],
    "cnf-8d": ["zuko", "torchdiffeq", "diffrax"],
    "matching-8d": ["torchcfm"],
    "glow": ["normflows", "jax_glow"],
    "glow-64": ["normflows", "jax_glow"],
    "tarflow-8x8": ["torch_tarflow", "jax_tarflow"],
    "fine-tune": ["jax_fine_tune"],
}


KINDS = ["affine", "masked", "spline", "linear"]


def scale(kind, dimension, layers, hidden, batch):
    """Layers of a kind whose numbers `Benchmarks/map` varies."""
    return Workload("scale", kind, dimension, layers, () if kind == "linear" else (hidden, hidden), batch)


def with_reversals(layers, reversal):
    """The layers with `reversal()` between each two of them."""
    return [part for layer in layers for part in (reversal(), layer)][1:]
