"""Networks by name, built from a generator, saved and loaded.

Families: small ones of our own, `timm/<name>`, and U-Nets: `unet_small`, `unet_resnet18`, `unet/<encoder>`.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from pt4al.errors import InputError, did_you_mean
from pt4al.training.networks import from_timm, small, unet
from pt4al.training.networks.network import Network
from pt4al.training.networks.pretrained import load_pretrained

__all__ = ["NETWORKS", "Network", "build", "copy_trunk", "known", "load", "load_pretrained", "save"]

OWN = (*small.TRUNKS, unet.SMALL)
NETWORKS = sorted([*OWN, *unet.ALIASES])  # those that have a name of their own
LONGEST_HINT = 300  # characters


def known(name: str) -> str:
    """Return the name of a network; InputError if there is none of that name."""
    if name.startswith(from_timm.PREFIX):
        import timm

        where, names, word = "timm", timm.list_models(), name.removeprefix(from_timm.PREFIX).split(".")[0]
    elif name.startswith(unet.PREFIX):
        where, names, word = "segmentation_models_pytorch", unet.encoders(), name.removeprefix(unet.PREFIX)
    else:
        where, names, word = "the project", NETWORKS, name
    if word not in names:
        hint = did_you_mean(word, names)
        hint = hint if len(hint) < LONGEST_HINT else f"its documentation lists all {len(names)}"
        raise InputError(f"{where} has no network {word!r}: {hint}")
    return name


def build(
    name: str, outputs: int, mean: list[float], std: list[float], generator: torch.Generator, dense: bool = False
) -> Network:
    """Return a network whose weights are drawn from `generator`.

    Those of our own are drawn as in He et al. 2015; libraries draw theirs their own way.

    Raises
    ------
    InputError
        If no network has this name, or it can't be dense.
    """
    seed = 0 if known(name) in OWN else int(torch.randint(2**62, (1,), generator=generator))
    network = Network(name, outputs, mean, std, dense, seed)
    for module in network.modules() if network.drawn else [network.head]:
        if isinstance(module, nn.Linear) or module is network.head:
            bound = module.weight[0].numel() ** -0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    return network


def copy_trunk(source: Network, target: Network) -> None:
    """Start `target` from the trunk of `source`, dense or not; its neck and head stay as they are."""
    if source.name != target.name:
        raise InputError(f"the trunk of a {source.name} does not fit a {target.name}")
    target.trunk.load_state_dict(source.trunk.state_dict())


def save(network: Network, path: Path) -> None:
    """Write a network as safetensors; what rebuilds it stands in the file's header."""
    facts = {"name": network.name, "outputs": network.outputs, "channels": network.mean.numel(), "dense": network.dense}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={"network": json.dumps(facts)})


def load(path: Path) -> Network:
    """Read a network that `save` wrote."""
    with safe_open(path, framework="pt") as opened:
        facts = json.loads(opened.metadata()["network"])
        blank = [0.0] * facts["channels"]
        network = Network(facts["name"], facts["outputs"], blank, blank, facts["dense"])
        network.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118
    return network
