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
    # the width `hidden`; matching: the step of flow matching with optimal pairs.
    kind: str
    dimension: int
    layers: int
    hidden: tuple
    batch: int
    bins: int = 8
    bound: float = 3.0
    frequencies: int = 3

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
    ]
}


KINDS = ["affine", "masked", "spline", "linear"]


def scale(kind, dimension, layers, hidden, batch):
    """Layers of a kind whose numbers `Benchmarks/map` varies."""
    return Workload("scale", kind, dimension, layers, () if kind == "linear" else (hidden, hidden), batch)


def with_reversals(layers, reversal):
    """The layers with `reversal()` between each two of them."""
    return [part for layer in layers for part in (reversal(), layer)][1:]
