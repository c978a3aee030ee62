"""Networks by name: a trunk that gives features, and a linear head."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock, conv1x1

from pt4al.errors import InputError


class Network(nn.Module):
    """Raw uint8 images in, outputs out: the pool's normalisation is part of the network."""

    def __init__(self, name: str, outputs: int, mean: list[float], std: list[float]):
        super().__init__()
        self.name = name
        # torch draws every new layer's weights from its global generator, which is not ours to move.
        with torch.random.fork_rng(devices=[]):
            self.trunk, width = NETWORKS[name](len(mean))
            self.head = nn.Linear(width, outputs)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, width), float32, of images (B, C, H, W) in grey levels."""
        images = images.to(torch.float32, memory_format=torch.channels_last)
        return self.trunk((images - self.mean) / self.std).float()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images)
        # In full precision: rounded outputs would tie losses that differ.
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features)


def build(name: str, outputs: int, mean: list[float], std: list[float], generator: torch.Generator) -> Network:
    """Return a network whose weights are drawn from `generator` (He et al. 2015)."""
    network = Network(name, outputs, mean, std)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.zeros_(module.bias)
    return network


def copy_trunk(source: Network, target: Network) -> None:
    """Start `target` from the trunk of `source`; its head stays as it is."""
    if source.name != target.name:
        raise InputError(f"the trunk of a {source.name} does not fit a {target.name}")
    target.trunk.load_state_dict(source.trunk.state_dict())


def save(network: Network, path: Path) -> None:
    """Write a network as safetensors; what rebuilds it stands in the file's header."""
    facts = {"name": network.name, "outputs": network.head.out_features, "channels": network.mean.numel()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={"network": json.dumps(facts)})


def load(path: Path) -> Network:
    """Read a network that `save` wrote."""
    with safe_open(path, framework="pt") as opened:
        facts = json.loads(opened.metadata()["network"])
        blank = [0.0] * facts["channels"]
        network = Network(facts["name"], facts["outputs"], blank, blank)
        network.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118
    return network


def _stem(channels: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


def _block(inputs: int, outputs: int, stride: int) -> BasicBlock:
    shortcut = nn.Sequential(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs)) if stride > 1 else None
    return BasicBlock(inputs, outputs, stride, shortcut)


def _resnet8(width: int) -> Callable[[int], tuple[nn.Module, int]]:
    """Three stages of one block: 78 thousand parameters at width 16 (He et al. 2016, section 4.2)."""

    def make(channels: int) -> tuple[nn.Module, int]:
        blocks = [_block(width, width, 1), _block(width, 2 * width, 2), _block(2 * width, 4 * width, 2)]
        trunk = nn.Sequential(*_stem(channels, width), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return trunk, 4 * width

    return make


def _resnet18(channels: int) -> tuple[nn.Module, int]:
    """torchvision's, for small images: 3x3 stem of stride 1, no max-pool (PT4AL's CIFAR-10 network)."""
    trunk = resnet18(weights=None)
    trunk.conv1, trunk.maxpool, trunk.fc = _stem(channels, 64)[0], nn.Identity(), nn.Identity()
    return trunk, 512


NETWORKS: dict[str, Callable[[int], tuple[nn.Module, int]]] = {
    "resnet8_w16": _resnet8(16),
    "resnet8_w24": _resnet8(24),
    "resnet8_w32": _resnet8(32),
    "resnet18": _resnet18,
}
