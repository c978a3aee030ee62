"""A network without a trunk: a head on features that were computed before."""

from torch import nn

from pt4al.training.networks.parts import Parts, Pool

NAME = "probe"


def make(width: int) -> Parts:
    """Return the parts of a network that takes features (B, width) where others take images."""
    return Parts(nn.Identity(), Pool(), width)
