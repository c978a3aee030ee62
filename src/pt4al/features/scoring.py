"""Compute the features of images in memory, fast."""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import torch

from pt4al.errors import InputError
from pt4al.training.folding import folded
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.repeatable import repeatable

# Of the images that are computed at once. On a processor the activations of more leave its cache:
# EfficientNet-Lite0 is a fifth slower with twice as many in fp32.
PIXELS = {"cpu": 2**18, "cuda": 2**24}
MOST = {"cpu": 256, "cuda": 2048}  # images

Views = Callable[[torch.Tensor], torch.Tensor]


class Scorer:
    """Turns images (B, C, H, W), uint8, into features (B, width), or (B, views, width), float32.

    Attributes
    ----------
    size
        Images computed at once; halved when a GPU's memory has no room for so many.
    """

    def __init__(
        self, network: Network, hardware: Hardware, pixels: int, views: Views | None = None
    ):
        self._network = folded(network).to(hardware.device, memory_format=torch.channels_last)
        self._device = hardware.device
        self._views = views
        self.size = images_at_once(hardware.device, pixels)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        features = []
        first = 0
        while first < len(images):
            part = torch.from_numpy(images[first : first + self.size])
            try:
                features.append(self._features(part))
            except torch.OutOfMemoryError:
                self._halve()
                continue
            first += len(part)
        return np.concatenate(features)

    def _features(self, images: torch.Tensor) -> np.ndarray:
        if self._device == "cuda":
            images = images.pin_memory().cuda(non_blocking=True)
        if self._views is None:
            return self._network.features(images).cpu().numpy()
        views = self._views(images)
        features = [self._network.features(views[:, number]) for number in range(views.shape[1])]
        return torch.stack(features, 1).cpu().numpy()

    def _halve(self) -> None:
        if self.size == 1:
            raise InputError(
                "features: the GPU's memory has no room for one image: lower `features.size`"
            )
        self.size //= 2


def images_at_once(device: str, pixels: int) -> int:
    """Return how many images of so many pixels are computed at once."""
    return min(MOST[device], max(1, PIXELS[device] // pixels))


@contextlib.contextmanager
def scoring(
    network: Network, hardware: Hardware, pixels: int, views: Views | None = None
) -> Iterator[Scorer]:
    """Yield a scorer of images of so many pixels, in evaluation mode; the network is not changed.

    Parameters
    ----------
    views
        Makes V images of each: (B, C, H, W) -> (B, V, C, H, W), uint8.
    """
    with computing(hardware):
        yield Scorer(network, hardware, pixels, views)


@contextlib.contextmanager
def computing(hardware: Hardware) -> Iterator[None]:
    """Let networks compute as all features are computed."""
    with torch.inference_mode(), hardware.autocast(), repeatable(hardware):
        yield
