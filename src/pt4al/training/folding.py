"""Fold batch norms into the convolutions before them: a network that is only to be scored needs no others."""

import contextlib
import copy
from itertools import pairwise

from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pt4al.training.networks import Network


def folded(network: Network) -> Network:
    """Return a copy in evaluation mode whose batch norms are folded, as far as that can be."""
    scored = copy.deepcopy(network).eval()
    # Trunks that branch on their input's size can't be traced; timm's and the library's do here and there.
    with contextlib.suppress(TraceError, TypeError):
        scored.trunk = fuse(scored.trunk)
    for module in list(scored.modules()):  # what has not been traced, decoders above all
        if type(module).forward is nn.Sequential.forward:
            _fold_neighbours(module)
    return scored


def _fold_neighbours(layers: nn.Sequential) -> None:
    for (name, first), (following, second) in pairwise(list(layers.named_children())):
        if type(first) is nn.Conv2d and type(second) is nn.BatchNorm2d:
            setattr(layers, name, fuse_conv_bn_eval(first, second))
            setattr(layers, following, nn.Identity())
