"""Networks of the library timm as trunks; imported where it is used: that takes a second."""

import copy
from functools import partial
from typing import Any

import torch
from torch import nn

from pt4al.errors import InputError
from pt4al.training.networks.parts import Parts, Pool

PREFIX = "timm/"


class Trunk(nn.Module):
    """A timm network without its classifier: the last map where `maps`, else pooled features."""

    def __init__(self, model: nn.Module, maps: bool):
        super().__init__()
        self.model = model
        self.maps = maps
        self.channels_last = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return features (B, D), or maps (B, D, H, W)."""
        if not self.maps:
            return self.model(images)
        maps = self.model.forward_features(images)
        return maps.permute(0, 3, 1, 2) if self.channels_last else maps


def make(name: str, channels: int, dense: bool, size: tuple[int, int] | None = None) -> Parts:
    """Return the parts of a timm network; a dense one is fully convolutional (Long et al. 2015).

    Raises
    ------
    InputError
        If a dense network has no maps, or the network can't take images of `size` (height, width).
    """
    trunk = Trunk(_sized(name, channels, size), dense)
    try:
        shape = _answer(trunk, channels, size)
    except (RuntimeError, AssertionError, ValueError) as error:
        if size is None:
            raise
        raise InputError(misfit(name, size, f"{error}".partition("\n")[0])) from error
    if not dense:
        return Parts(trunk, Pool(), shape[1], drawn=False)
    if len(shape) != 4:
        raise InputError(
            f"network {name} has no maps to segment by: choose a convolutional one, or a U-Net "
            "(unet/...)"
        )
    trunk.channels_last = shape[1] != trunk.model.num_features
    return Parts(trunk, nn.Identity(), trunk.model.num_features, drawn=False)


def create(name: str, channels: int, size: tuple[int, int] | None, **options: Any) -> nn.Module:
    """Return timm's network without its classifier, for images of `size` where one is needed."""
    import timm

    make_model = partial(
        timm.create_model, name.removeprefix(PREFIX), num_classes=0, in_chans=channels, **options
    )
    if size is None:
        return make_model()
    try:
        return make_model(img_size=size)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        return make_model()  # a convolutional one, which takes any size


def _sized(name: str, channels: int, size: tuple[int, int] | None) -> nn.Module:
    try:
        model = create(name, channels, size, pretrained=False)
    except (RuntimeError, AssertionError, ValueError, ZeroDivisionError) as error:
        if size is None:
            raise
        raise InputError(misfit(name, size, f"{error}".partition("\n")[0])) from error
    check_patches(name, size, getattr(getattr(model, "patch_embed", None), "patch_size", None))
    return model


def check_patches(
    name: str, size: tuple[int, int] | None, patch: int | tuple[int, int] | None
) -> None:
    """Raise InputError if patches don't fill an image: the rest would be left out."""
    if size is None or patch is None:
        return
    patch = (patch, patch) if isinstance(patch, int) else patch
    if all(side % of == 0 for side, of in zip(size, patch, strict=True)):
        return
    below = size[0] // patch[0] * patch[0]
    above = -(-size[0] // patch[0]) * patch[0]
    nearest = f"{above}" if below == 0 else f"{below} or {above}"
    raise InputError(
        misfit(name, size, f"its patches have {patch[0]} pixels a side: the nearest are {nearest}")
    )


def misfit(name: str, size: tuple[int, int], why: str) -> str:
    """Say that a network can't take images of a size (height, width)."""
    return f"network {name} can't take images of {size[0]} x {size[1]} pixels: {why}"


def _answer(trunk: Trunk, channels: int, size: tuple[int, int] | None) -> torch.Size:
    """Return the shape of what a trunk answers to an image of its size, without computing it."""
    size = size or trunk.model.pretrained_cfg["input_size"][1:]
    with torch.inference_mode():
        return (
            copy.deepcopy(trunk)
            .eval()
            .to("meta")(torch.empty(1, channels, *size, device="meta"))
            .shape
        )
