"""Networks of our own for small images: residual networks that answer with one map."""

from collections.abc import Callable

from torch import nn
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock, conv1x1

from pt4al.training.networks.parts import Parts, Pool


def stem(channels: int, width: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution, its batch norm and ReLU."""
    return [
        nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]


def block(inputs: int, outputs: int, stride: int) -> BasicBlock:
    """Return a residual block of two 3x3 convolutions (He et al. 2016)."""
    shortcut = (
        nn.Sequential(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))
        if stride > 1
        else None
    )
    return BasicBlock(inputs, outputs, stride, shortcut)


def _resnet8(width: int) -> Callable[[int], tuple[nn.Module, int]]:
    """Three stages of one block: 78 thousand parameters at width 16 (He et al. 2016)."""

    def make(channels: int) -> tuple[nn.Module, int]:
        blocks = [
            block(width, width, 1),
            block(width, 2 * width, 2),
            block(2 * width, 4 * width, 2),
        ]
        return nn.Sequential(*stem(channels, width), *blocks), 4 * width

    return make


def _resnet18(channels: int) -> tuple[nn.Module, int]:
    """torchvision's with a 3x3 stem of stride 1, no max-pool (PT4AL's CIFAR-10 network)."""
    whole = resnet18(weights=None)
    layers = [whole.layer1, whole.layer2, whole.layer3, whole.layer4]
    return nn.Sequential(stem(channels, 64)[0], whole.bn1, whole.relu, *layers), 512


TRUNKS: dict[str, Callable[[int], tuple[nn.Module, int]]] = {
    "resnet8_w16": _resnet8(16),
    "resnet8_w24": _resnet8(24),
    "resnet8_w32": _resnet8(32),
    "resnet18": _resnet18,
}


def make(name: str, channels: int, dense: bool) -> Parts:
    """Return the parts of a small network; dense: fully convolutional (Long et al. 2015)."""
    trunk, width = TRUNKS[name](channels)
    return Parts(trunk, nn.Identity() if dense else Pool(), width)
