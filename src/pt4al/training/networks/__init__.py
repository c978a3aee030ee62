"""Networks by name, built from a generator, saved and loaded.

Families: small ones of our own, `timm/<name>`, and U-Nets: `unet_small`, `unet_resnet18`, `unet/<encoder>`.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import skip_init

from pt4al.errors import InputError, did_you_mean
from pt4al.training.networks import from_timm, small, unet
from pt4al.training.networks.heads import widen
from pt4al.training.networks.network import Network
from pt4al.training.networks.pretrained import load_pretrained

__all__ = [
    "NETWORKS",
    "Network",
    "add_loss_head",
    "build",
    "copy_trunk",
    "known",
    "load",
    "load_pretrained",
    "save",
    "widen",
]

OWN = (*small.TRUNKS, unet.SMALL)
NETWORKS = sorted([*OWN, *unet.ALIASES])  # those that have a name of their own
LONGEST_HINT = 300  # characters
LOSS_WIDTH = 128  # of the hidden layer that guesses losses


def known(name: str) -> str:
    """Return the name of a network; InputError if there is none of that name."""
    if name.startswith(from_timm.PREFIX):
        import timm

        where, names, word = "timm", timm.list_models(), name.removeprefix(from_timm.PREFIX).split(".")[0]
    elif name.startswith(unet.PREFIX):
        where, names, word = "segmentation_models_pytorch", unet.encoders(), name.removeprefix(unet.PREFIX)
    else:
        where, names, word = "the project", NETWORKS, name
        if name == unet.SMALL or name in unet.ALIASES:
            unet.check_library()
    if word not in names:
        hint = did_you_mean(word, names)
        hint = hint if len(hint) < LONGEST_HINT else f"its documentation lists all {len(names)}"
        raise InputError(f"{where} has no network {word!r}: {hint}")
    return name


def build(
    name: str,
    outputs: int,
    mean: list[float],
    std: list[float],
    generator: torch.Generator,
    dense: bool = False,
    head: str = "linear",
) -> Network:
    """Return a network whose weights are drawn from `generator`; `head` is one of `heads.HEADS`.

    Those of our own are drawn as in He et al. 2015; libraries draw theirs their own way.

    Raises
    ------
    InputError
        If no network has this name, or it can't be dense.
    """
    seed = 0 if known(name) in OWN else int(torch.randint(2**62, (1,), generator=generator))
    network = Network(name, outputs, mean, std, dense, seed, head)
    for module in (network if network.drawn else network.head).modules():
        if isinstance(module, nn.Linear) or (dense and module is network.head):
            _draw(module, generator)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    return network


def add_loss_head(network: Network, generator: torch.Generator) -> None:
    """Add what guesses the network's own loss: its weights are drawn after, and beside, all others."""
    network.loss_head = _loss_head(network)
    for module in network.loss_head[::2]:
        _draw(module, generator)


def copy_trunk(source: Network, target: Network) -> None:
    """Start `target` from the trunk of `source`, dense or not; its neck and head stay as they are."""
    if source.name != target.name:
        raise InputError(f"the trunk of a {source.name} does not fit a {target.name}")
    target.trunk.load_state_dict(source.trunk.state_dict())


def save(network: Network, path: Path) -> None:
    """Write a network as safetensors; what rebuilds it stands in the file's header."""
    facts = {"name": network.name, "outputs": network.outputs, "channels": network.mean.numel(), "dense": network.dense}
    if network.loss_head is not None:
        facts["loss_head"] = True
    if network.kind != "linear":  # else files are what they were before there were others, to the byte
        facts["head"] = network.kind
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={"network": json.dumps(facts)})


def load(path: Path) -> Network:
    """Read a network that `save` wrote."""
    with safe_open(path, framework="pt") as opened:
        facts = json.loads(opened.metadata()["network"])
        blank = [0.0] * facts["channels"]
        kind = facts.get("head", "linear")
        network = Network(facts["name"], facts["outputs"], blank, blank, facts["dense"], head=kind)
        if facts.get("loss_head"):
            network.loss_head = _loss_head(network)
        network.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118
    return network


def _loss_head(network: Network) -> nn.Sequential:
    """One hidden layer on the features, as Yoo and Kweon 2019 have it on each layer's; nothing is drawn."""
    width = network.head.in_features
    return nn.Sequential(skip_init(nn.Linear, width, LOSS_WIDTH), nn.ReLU(), skip_init(nn.Linear, LOSS_WIDTH, 1))


def _draw(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    bound = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
