"""A network with a size of its own takes images of any other, grey ones too, and is the same when it is loaded."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from pt4al.errors import InputError
from pt4al.randomness import stream, torch_generator
from pt4al.training import networks
from pt4al.training.networks import Network

NAME = "timm/mobilenetv3_small_050"


def build(name: str = NAME, size: tuple[int, int] | None = (64, 48), **more: object) -> Network:
    return networks.build(name, 4, ([120.0] * 3, [70.0] * 3), torch_generator(stream(0, "network")), size=size, **more)


def images(channels: int, height: int, width: int) -> torch.Tensor:
    shape = 2, channels, height, width
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, np.uint8))


def test_images_are_scaled_to_the_networks_size():
    network = build().eval()
    given = images(3, 28, 28)
    scaled = interpolate(given.float(), (64, 48), mode="bilinear", align_corners=False, antialias=True)
    with torch.inference_mode():
        torch.testing.assert_close(network(given), network(scaled))
        torch.testing.assert_close(network.features(given), network.features(scaled))


def test_images_of_its_size_are_taken_as_they_are():
    given = images(3, 64, 48)
    with torch.inference_mode():
        torch.testing.assert_close(build().eval()(given), build(size=None).eval()(given))


def test_grey_images_get_three_channels():
    network, grey = build().eval(), images(1, 28, 28)
    with torch.inference_mode():
        torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1)))


def test_gradients_flow_on_grey_images_of_another_size():
    network = build()
    network(images(1, 28, 28)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize("name", [NAME, "timm/vit_tiny_patch16_224"])
@pytest.mark.parametrize("size", [None, (32, 48)])
def test_size_is_saved_with_the_network(tmp_path, name, size):
    network = build(name, size).eval()
    networks.save(network, tmp_path / "network.safetensors")
    loaded = networks.load(tmp_path / "network.safetensors").eval()
    given = images(3, *(size or (224, 224)))
    assert loaded.size == size
    with torch.inference_mode():
        torch.testing.assert_close(loaded(given), network(given))


def test_file_of_a_network_without_a_size_is_what_it_was(tmp_path):
    networks.save(build(size=None), tmp_path / "network.safetensors")
    assert b"size" not in (tmp_path / "network.safetensors").read_bytes()[:400]


@pytest.mark.parametrize("name, more", [("resnet8_w16", {}), ("unet_small", {}), (NAME, {"dense": True})])
def test_networks_that_take_images_as_they_are_have_no_size(name, more):
    with pytest.raises(InputError, match=f"{name} takes images as they are"):
        build(name, **more)


def test_trunk_of_one_size_starts_a_network_of_the_same(tmp_path):
    source, target = build("timm/vit_tiny_patch16_224", (32, 32)), build("timm/vit_tiny_patch16_224", (32, 32))
    torch.nn.init.ones_(source.trunk.model.pos_embed)
    networks.copy_trunk(source, target)
    assert torch.equal(target.trunk.model.pos_embed, source.trunk.model.pos_embed)


def test_trunk_of_another_size_is_refused_where_it_does_not_fit():
    source, target = build("timm/vit_tiny_patch16_224", (32, 32)), build("timm/vit_tiny_patch16_224", (64, 64))
    with pytest.raises(InputError, match=r"for images of 32 x 32 pixels does not fit one for 64 x 64"):
        networks.copy_trunk(source, target)


@pytest.mark.slow  # daily: tests/pipelines/test_features.py exports one with a probe on it
def test_network_with_a_size_can_be_exported():
    from pt4al.training import onnx

    pytest.importorskip("onnxruntime")
    exported = onnx.export(build(), images(1, 28, 28), list("abcd"), {})  # compares what both answer
    assert len(exported) > 1000
