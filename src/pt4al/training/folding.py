"""Fold batch norms into the convolutions before them, for networks that only score."""

import contextlib
import copy
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from torch import fx, nn
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pt4al.training.networks import Network


def folded(network: Network) -> Network:
    """Return a copy in evaluation mode whose batch norms are folded, as far as that can be."""
    scored = copy.deepcopy(network).eval()
    # Trunks that branch on their input's size can't be traced; timm's and the library's do here and
    # there.
    with contextlib.suppress(TraceError, TypeError):
        for first, second in list(_followed(scored.trunk)):
            _fold(scored.trunk, first, second)
    for module in list(scored.modules()):  # what has not been traced, decoders above all
        if type(module).forward is nn.Sequential.forward:
            for (first, _), (second, _) in pairwise(list(module.named_children())):
                _fold(module, first, second)
    return scored


class _Tracer(fx.Tracer):
    """Treats layers as leaves: timm's branch on their input's size, its batch norms hold a ReLU."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(
            module, name
        )


def _followed(trunk: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield pairs of layers called once, the second with the first's output and nobody else."""
    graph = _Tracer().trace(trunk)
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    for node in graph.nodes:
        before = node.args[0] if node.op == "call_module" and len(node.args) == 1 else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        if calls[before.target] == calls[node.target] == 1:
            yield before.target, node.target


def _fold(within: nn.Module, first: str, second: str) -> None:
    """Fold the second layer into the first, if they are a convolution and a batch norm."""
    convolution = within.get_submodule(first)
    norm = within.get_submodule(second)
    if (
        not isinstance(convolution, nn.Conv2d)
        or not isinstance(norm, nn.BatchNorm2d)
        or not norm.track_running_stats
    ):
        return
    if type(norm) is nn.BatchNorm2d:
        rest = nn.Identity()
    elif {name for name, _ in norm.named_children()} == {"drop", "act"}:  # timm's BatchNormAct2d
        rest = nn.Sequential(norm.drop, norm.act)
    else:
        return
    within.set_submodule(first, fuse_conv_bn_eval(convolution, norm))
    within.set_submodule(second, rest)
