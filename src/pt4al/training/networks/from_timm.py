"""Networks of the library timm as trunks; it is imported where it is used, since that takes a second."""

import copy

import torch
from torch import nn

from pt4al.errors import InputError
from pt4al.training.networks.parts import Parts, Pool

PREFIX = "timm/"


class Trunk(nn.Module):
    """A timm network without its classifier: the last map where `maps`, else pooled features."""

    def __init__(self, model: nn.Module, maps: bool):
        super().__init__()
        self.model, self.maps, self.channels_last = model, maps, False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if not self.maps:
            return self.model(images)
        found = self.model.forward_features(images)
        return found.permute(0, 3, 1, 2) if self.channels_last else found


def make(name: str, channels: int, dense: bool) -> Parts:
    """Return the parts of a timm network; a dense one is fully convolutional (Long et al. 2015)."""
    import timm

    model = timm.create_model(name.removeprefix(PREFIX), pretrained=False, num_classes=0, in_chans=channels)
    trunk = Trunk(model, dense)
    shape = _answer(trunk, channels)
    if not dense:
        return Parts(trunk, Pool(), shape[1], drawn=False)
    if len(shape) != 4:
        raise InputError(f"network {name} has no maps to segment by: choose a convolutional one, or a U-Net (unet/...)")
    trunk.channels_last = shape[1] != model.num_features
    return Parts(trunk, nn.Identity(), model.num_features, drawn=False)


def _answer(trunk: Trunk, channels: int) -> torch.Size:
    """Return the shape of what a trunk answers to an image of its usual size, without computing it."""
    size = trunk.model.pretrained_cfg["input_size"][1:]
    with torch.inference_mode():
        return copy.deepcopy(trunk).eval().to("meta")(torch.empty(1, channels, *size, device="meta")).shape
