"""Heads other than one linear layer."""

import numpy as np
import pytest
import torch

from pt4al.randomness import stream, torch_generator
from pt4al.training.networks import build, copy_trunk, load, save, widened


def build_one(name: str = "resnet8_w16", head: str = "simsiam", outputs: int = 64, seed: int = 0):
    return build(name, outputs, ([120.0], [70.0]), torch_generator(stream(seed, "network")), head=head)


def images(count: int = 4) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 1, 32, 32), np.uint8))


@pytest.mark.parametrize("name", ["resnet8_w16", "timm/mobilenetv3_small_050", "unet_small"])
def test_simsiam_answers_with_projections_and_their_predictions(name):
    network = build_one(name).eval()
    with torch.inference_mode():
        projected, predicted = network(images()).chunk(2, 1)
        assert torch.allclose(network.head.predictor(projected), predicted)
    assert projected.shape == (4, 32)


@pytest.mark.parametrize("name", ["resnet8_w16", "timm/mobilenetv3_small_050"])
def test_equal_generators_build_equal_heads(name):
    first, again, other = (build_one(name, seed=seed).head.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["projector.0.weight"], other["projector.0.weight"])


def test_loaded_network_has_the_head_it_was_saved_with(tmp_path):
    network = build_one()
    network(images())  # so that the batch norms hold something
    save(network, tmp_path / "network.safetensors")
    loaded = load(tmp_path / "network.safetensors")
    with torch.inference_mode():
        assert torch.equal(loaded.eval()(images()), network.eval()(images()))


def test_trunk_starts_a_network_with_another_head():
    source, target = build_one(seed=1), build_one(head="linear", outputs=10, seed=2)
    copy_trunk(source, target)
    with torch.inference_mode():
        assert torch.equal(source.eval().features(images()), target.eval().features(images()))


@pytest.mark.parametrize("dense", [False, True])
def test_a_class_added_later_is_held_for_impossible_and_the_rest_stays(dense: bool) -> None:
    name = "unet_small" if dense else "resnet8_w16"
    network = build(name, 3, ([0.0], [1.0]), torch.Generator().manual_seed(0), dense=dense).eval()
    images = torch.randint(0, 256, (2, 1, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        before = network(images).softmax(1)
        after = widened(network, 5)(images).softmax(1)
    torch.testing.assert_close(after[:, :3], before)
    assert after[:, 3:].max() < 1e-6
    assert network(images).shape[1] == 3
    assert widened(network, 3) is network
