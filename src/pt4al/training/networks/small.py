"""Networks of our own for small images: residual networks that answer with one map."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from pt4al.training.networks.parts import Parts, Pool


class Block(nn.Module):
    """A residual block of two 3x3 convolutions (He et al. 2016).

    Its weights have the names of torchvision's `BasicBlock`, whose import takes a second.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps (B, outputs, H / stride, W / stride)."""
        inner = self.relu(self.bn1(self.conv1(maps)))
        answer = self.bn2(self.conv2(inner))
        # After the rest: the order decides in which gradients of `maps` are added, and so of bits.
        answer += maps if self.downsample is None else self.downsample(maps)
        return self.relu(answer)


def stem(channels: int, width: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution, its batch norm and ReLU."""
    return [
        nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]


def _resnet8(width: int) -> Callable[[int], tuple[nn.Module, int]]:
    """Three stages of one block: 78 thousand parameters at width 16 (He et al. 2016)."""

    def make(channels: int) -> tuple[nn.Module, int]:
        blocks = [
            Block(width, width, 1),
            Block(width, 2 * width, 2),
            Block(2 * width, 4 * width, 2),
        ]
        return nn.Sequential(*stem(channels, width), *blocks), 4 * width

    return make


def _resnet18(channels: int) -> tuple[nn.Module, int]:
    """ResNet-18 with a 3x3 stem of stride 1, no max-pool (PT4AL's CIFAR-10 network)."""
    widths = (64, 128, 256, 512)
    stages = [nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))]
    for inputs, outputs in pairwise(widths):
        stages.append(nn.Sequential(Block(inputs, outputs, 2), Block(outputs, outputs, 1)))
    return nn.Sequential(*stem(channels, 64), *stages), widths[-1]


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
