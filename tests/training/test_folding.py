"""Folding batch norms changes no answer, and leaves the network that is folded as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from pt4al.randomness import stream, torch_generator
from pt4al.training.folding import folded
from pt4al.training.networks import build

# unet/mit_b0 and timm/swin branch on the size of their input: torch can't trace the first.
NAMES = ["resnet8_w24", "resnet18", "unet_small", "unet/mit_b0", "timm/mobilenetv3_small_050"]


def images() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 40, 32), np.uint8))


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_network_can_be_folded(name, dense):
    network = build(name, 4, ([120.0] * 3, [70.0] * 3), torch_generator(stream(0, "network")), dense=dense)
    network(images())  # so that the batch norms hold something
    scored = folded(network)
    assert all(module.training for module in network.modules())
    with torch.inference_mode():
        for ask in (lambda asked: asked(images()), lambda asked: asked.features(images())):
            expected = ask(network.eval())
            torch.testing.assert_close(ask(scored), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["resnet18", "unet_small"])
def test_folded_network_has_no_batch_norms_in_trunk_and_decoder(name):
    network = build(name, 4, ([0.0], [1.0]), torch_generator(stream(0, "network")), dense=True)
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded(network).modules())
