"""Start a network's trunk from weights that others have trained."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from pt4al.errors import InputError
from pt4al.training.networks import from_open_clip, from_timm, unet
from pt4al.training.networks.network import Network


def load_pretrained(network: Network, weights: str | None) -> None:
    """Load pretrained weights into the trunk; neck and head stay as they are.

    Parameters
    ----------
    weights
        A .safetensors file of the library's state dict. None downloads the library's own: timm's
        default for the name, or segmentation_models_pytorch's for ImageNet.

    Raises
    ------
    InputError
        If the network is one of our own, the file doesn't fit, or the download failed.
    """
    if network.drawn:
        raise InputError(
            f"nobody offers pretrained weights for {network.name}: choose a network timm/... "
            "or unet/..."
        )
    if weights is not None and Path(weights).suffix != ".safetensors":
        raise InputError(
            f"{weights}: pretrained weights must be a .safetensors file, which holds no code"
        )
    if weights is not None and not Path(weights).is_file():
        raise InputError(f"{weights}: there is no such file of pretrained weights")
    load = _unet
    if network.name.startswith(from_timm.PREFIX):
        load = _timm
    if network.name.startswith(from_open_clip.PREFIX):
        load = from_open_clip.load
    try:
        # The libraries draw weights before they replace them.
        with torch.random.fork_rng(devices=[]):
            load(network, weights)
    # The libraries raise what theirs raise: of the network, the hub, the file, its keys, the
    # shapes.
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, AssertionError, SafetensorError) as error:
        what = (
            f"{weights} does not fit {network.name}"
            if weights
            else f"no pretrained weights for {network.name}"
        )
        raise InputError(f"{what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, SafetensorError):
        return f"it is damaged or cut short ({error})"
    lines = str(error).splitlines() or [type(error).__name__]
    message = (
        lines[1]
        if lines[0].startswith("Error(s) in loading state_dict") and len(lines) > 1
        else lines[0]
    )
    return message.strip().rstrip(".:")


def _timm(network: Network, weights: str | None) -> None:
    overlay = None
    if weights is not None:
        _check_complete(network.trunk.model, weights)
        overlay = {"file": weights, "custom_load": False}
    channels = network.mean.numel()
    trained = from_timm.create(
        network.name, channels, network.size, pretrained=True, pretrained_cfg_overlay=overlay
    )
    network.trunk.model.load_state_dict(trained.state_dict())


def _check_complete(model: nn.Module, weights: str) -> None:
    """Check what timm loaded: it says nothing of weights that a file lacks."""
    with safe_open(weights, framework="pt") as opened:
        keys = set(opened.keys())
    classifier = model.pretrained_cfg.get("classifier") or ()
    classifier = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    missing = model.state_dict().keys() - keys
    strange = {
        key for key in keys - model.state_dict().keys() if key.endswith((".weight", ".bias"))
    }
    strange = sorted(
        key for key in strange if not key.startswith(tuple(f"{name}." for name in classifier))
    )
    missing = sorted(name for name in missing if not name.endswith("num_batches_tracked"))
    if missing:
        raise ValueError(f"it lacks {missing[0]!r} and {len(missing) - 1} more")
    if strange:
        raise ValueError(
            f"it holds {strange[0]!r} and {len(strange) - 1} more, which are another network's"
        )


def _unet(network: Network, weights: str | None) -> None:
    from segmentation_models_pytorch.encoders import get_encoder

    if weights is not None:
        network.trunk.load_state_dict(load_file(weights))
        return
    trained = get_encoder(unet.encoder_name(network.name), network.mean.numel(), weights="imagenet")
    network.trunk.load_state_dict(trained.state_dict())
