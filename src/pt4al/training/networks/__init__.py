"""Networks by name, built from a generator, saved and loaded.

Families: small ones of our own, `timm/<name>`, `open_clip/<name>`, and U-Nets: `unet_small`,
`unet_resnet18`, `unet/<encoder>`.
"""

import copy
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import skip_init

from pt4al.errors import InputError, did_you_mean
from pt4al.training.networks import from_open_clip, from_timm, probe, small, unet
from pt4al.training.networks.heads import widened
from pt4al.training.networks.network import Moments, Network
from pt4al.training.networks.pretrained import load_pretrained

__all__ = [
    "NETWORKS",
    "Network",
    "add_loss_head",
    "assemble",
    "blank_probe",
    "build",
    "build_probe",
    "copy_trunk",
    "load",
    "load_pretrained",
    "redrawn",
    "restart",
    "save",
    "validated_name",
    "widened",
]

OWN = (*small.TRUNKS, unet.SMALL)
NETWORKS = sorted([*OWN, *unet.ALIASES])  # those that have a name of their own
LONGEST_HINT = 300  # characters
LOSS_WIDTH = 128  # of the hidden layer that guesses losses


def validated_name(name: str) -> str:
    """Return the name of a network; InputError if there is none of that name."""
    if name.startswith(from_open_clip.PREFIX):
        return from_open_clip.validated_name(name)
    if name.startswith(from_timm.PREFIX):
        import timm

        where = "timm"
        names = timm.list_models()
        word = name.removeprefix(from_timm.PREFIX).split(".")[0]
    elif name.startswith(unet.PREFIX):
        where = "segmentation_models_pytorch"
        names = unet.encoders()
        word = name.removeprefix(unet.PREFIX)
    else:
        where = "the project"
        names = NETWORKS
        word = name
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
    moments: Moments,
    generator: torch.Generator,
    dense: bool = False,
    head: str = "linear",
    size: tuple[int, int] | None = None,
) -> Network:
    """Return a network whose weights are drawn from `generator`; see `Network`.

    Those of our own are drawn as in He et al. 2015; libraries draw theirs their own way.

    Raises
    ------
    InputError
        If no network has this name, or it can't be dense, or can't take images of this size.
    """
    seed = (
        0 if validated_name(name) in OWN else int(torch.randint(2**62, (1,), generator=generator))
    )
    network = Network(name, outputs, moments, dense, seed, head, size)
    for module in (network if network.drawn else network.head).modules():
        if isinstance(module, nn.Linear) or (dense and module is network.head):
            _draw(module, generator)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(
                module.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
    return network


def build_probe(outputs: int, moments: Moments, generator: torch.Generator) -> Network:
    """Return a linear layer on features that are given, normalised by the moments of each."""
    network = Network(probe.NAME, outputs, moments)
    _draw(network.head, generator)
    return network


def blank_probe(width: int, outputs: int) -> Network:
    """Return a linear layer of zeros on features (B, width) as they are: to be fitted."""
    network = Network(probe.NAME, outputs, ([0.0] * width, [1.0] * width))
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)
    return network


def restart(trained: Network, outputs: int, generator: torch.Generator) -> Network:
    """Return a copy of a trained network with a head for other outputs, whose weights are drawn."""
    network = copy.deepcopy(trained)
    network.head = skip_init(nn.Linear, trained.head.in_features, outputs)
    network.outputs = outputs
    network.kind = "linear"
    _draw(network.head, generator)
    return network


def redrawn(network: Network, generator: torch.Generator) -> Network:
    """Return a network of the same shape that has learnt nothing."""
    moments = network.mean.flatten().tolist(), network.std.flatten().tolist()
    if network.drawn:
        return build(network.name, network.outputs, moments, generator, network.dense, network.kind)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return Network(
        network.name, network.outputs, moments, network.dense, seed, network.kind, network.size
    )


def assemble(backbone: Network, head: Network) -> Network:
    """Return the network that answers to images what a probe answers to their features.

    Parameters
    ----------
    backbone
        What the features were computed with; it is left as it is.
    head
        A network of `build_probe`.
    """
    whole = restart(backbone, head.outputs, torch.Generator())
    with torch.no_grad():
        weight = head.head.weight / head.std.flatten()
        whole.head.weight.copy_(weight)
        whole.head.bias.copy_(head.head.bias - weight @ head.mean.flatten())
    return whole


def add_loss_head(network: Network, generator: torch.Generator) -> None:
    """Add a head that guesses the loss; its weights are drawn after, and beside, all others."""
    network.loss_head = _loss_head(network)
    for module in network.loss_head[::2]:
        _draw(module, generator)


def copy_trunk(source: Network, target: Network) -> None:
    """Start `target` from the trunk of `source`, dense or not; neck and head stay."""
    if source.name != target.name:
        raise InputError(f"the trunk of a {source.name} does not fit a {target.name}")
    try:
        target.trunk.load_state_dict(source.trunk.state_dict())
    except RuntimeError as error:
        if source.size == target.size:
            raise
        raise InputError(
            f"the trunk of a {source.name} for images of {_told(source.size)} does not fit one "
            f"for {_told(target.size)}"
        ) from error


def save(network: Network, path: Path) -> None:
    """Write a network as safetensors; what rebuilds it stands in the file's header."""
    facts = {
        "name": network.name,
        "outputs": network.outputs,
        "channels": network.mean.numel(),
        "dense": network.dense,
    }
    if network.loss_head is not None:
        facts["loss_head"] = True
    # Files of linear heads are what they were before there were others, to the byte.
    if network.kind != "linear":
        facts["head"] = network.kind
    if network.size is not None:
        facts["size"] = list(network.size)
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
    }
    save_file(tensors, path, metadata={"network": json.dumps(facts)})


def load(path: Path) -> Network:
    """Read a network that `save` wrote."""
    with safe_open(path, framework="pt") as opened:
        facts = json.loads(opened.metadata()["network"])
        blank = [0.0] * facts["channels"]
        kind = facts.get("head", "linear")
        size = tuple(facts["size"]) if "size" in facts else None
        network = Network(
            facts["name"], facts["outputs"], (blank, blank), facts["dense"], head=kind, size=size
        )
        if facts.get("loss_head"):
            network.loss_head = _loss_head(network)
        network.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118
    return network


def _told(size: tuple[int, int] | None) -> str:
    return "its usual size" if size is None else f"{size[0]} x {size[1]} pixels"


def _loss_head(network: Network) -> nn.Sequential:
    """One hidden layer on the features (Yoo and Kweon 2019); nothing is drawn."""
    width = network.head.in_features
    return nn.Sequential(
        skip_init(nn.Linear, width, LOSS_WIDTH), nn.ReLU(), skip_init(nn.Linear, LOSS_WIDTH, 1)
    )


def _draw(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    bound = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
