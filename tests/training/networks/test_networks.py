"""Networks are built from a generator, take raw images, and survive their file to the byte."""

import hashlib
import json

import numpy as np
import pytest
import torch
from torch.nn import BatchNorm2d, Sequential
from torchvision.models.resnet import BasicBlock, conv1x1

from pt4al.errors import InputError
from pt4al.randomness import stream, torch_generator
from pt4al.training.networks import NETWORKS, add_loss_head, build, copy_trunk, load, save, validated_name
from pt4al.training.networks.small import Block


def images(channels: int = 1, count: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, channels, 32, 32), np.uint8))


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


NAMES = [*NETWORKS, "timm/mobilenetv3_small_050", "timm/convnext_atto", "unet/mobilenet_v2"]
LIBRARIES = ["unet_resnet18", "timm/mobilenetv3_small_050"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_network_takes_raw_images_and_answers_in_full_precision(name, channels):
    network = build(name, 7, ([120.0] * channels, [70.0] * channels), torch_generator(stream(0, "network"))).eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        outputs, features = network(images(channels)), network.features(images(channels))
    assert outputs.shape == (3, 7)
    assert features.shape == (3, network.head.in_features)
    assert outputs.dtype == features.dtype == torch.float32
    assert outputs.isfinite().all()


@pytest.mark.parametrize("size", [(33, 50), (64, 32)])
@pytest.mark.parametrize("name", NAMES)
def test_dense_network_answers_for_every_pixel_in_full_precision(make_network, name, size):
    network = make_network(3, name=name, dense=True).eval()
    raw = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 1, *size), np.uint8))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        outputs, features = network(raw), network.features(raw)
    assert outputs.shape == (2, 3, *size)
    assert features.ndim == 2
    assert outputs.dtype == features.dtype == torch.float32
    assert outputs.isfinite().all()


def test_network_without_maps_can_not_be_dense(make_network):
    with pytest.raises(InputError, match="timm/vit_tiny_patch16_224 has no maps to segment by"):
        make_network(name="timm/vit_tiny_patch16_224", dense=True)


@pytest.mark.parametrize("name", ["timm/swin_tiny_patch4_window7_224"])
def test_maps_whose_channels_come_last_are_turned(make_network, name):
    network = make_network(2, name=name, dense=True, channels=3).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 224, 224, dtype=torch.uint8)).shape == (1, 2, 224, 224)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet9", "the project has no network 'resnet9': did you mean 'resnet18'"),
        ("timm/resnet19", "timm has no network 'resnet19': did you mean 'resnet18'"),
        ("unet/resnet19", "segmentation_models_pytorch has no network 'resnet19': did you mean 'resnet18'"),
        ("timm/qqqqqqqqq", r"its documentation lists all \d+$"),
    ],
)
def test_unknown_name_gets_the_nearest_of_its_family(name, message):
    with pytest.raises(InputError, match=message):
        validated_name(name)


@pytest.mark.parametrize("name", [*NAMES, "timm/resnet18.a1_in1k"])
def test_known_names_are_given_back(name):
    assert validated_name(name) == name


def test_default_network_has_78_thousand_parameters(make_network):
    assert sum(weight.numel() for weight in make_network().parameters()) == pytest.approx(78_000, rel=0.01)


def test_weights_of_a_seed_are_those_that_published_runs_started_from(make_network):
    digest = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in make_network().state_dict().values()))
    assert digest.hexdigest()[:16] == "a0adca4a919be52d"


@pytest.mark.parametrize("stride", [1, 2])
def test_a_residual_block_is_torchvisions(stride):
    shortcut = Sequential(conv1x1(3, 4, 2), BatchNorm2d(4)) if stride > 1 else None
    theirs = BasicBlock(3, 3 + (stride > 1), stride, shortcut)
    ours = Block(3, 3 + (stride > 1), stride)
    ours.load_state_dict(theirs.state_dict())
    maps = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(maps), theirs(maps))


def test_normalisation_is_part_of_the_network():
    make = lambda mean, std: build("resnet8_w16", 4, (mean, std), torch_generator(stream(0, "network"))).eval()  # noqa: E731
    raw = images()
    with torch.inference_mode():
        expected = make([0.0], [1.0])((raw - 50.0) / 25.0)
        assert torch.allclose(make([50.0], [25.0])(raw), expected, atol=1e-5)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", ["resnet8_w16", "unet_small", *LIBRARIES])
def test_equal_generators_build_equal_networks(make_network, name, dense):
    first, again, other = (make_network(seed=seed, name=name, dense=dense) for seed in (1, 1, 2))
    assert equal(first.state_dict(), again.state_dict())
    assert not torch.equal(first.head.weight, other.head.weight)
    assert not torch.equal(next(first.trunk.parameters()), next(other.trunk.parameters()))


@pytest.mark.parametrize("name", ["resnet8_w16", "unet_small", *LIBRARIES])
def test_building_and_loading_leave_the_global_generators_alone(make_network, tmp_path, name):
    before, numpys = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    save(make_network(name=name), tmp_path / "network.safetensors")
    load(tmp_path / "network.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys[1])  # noqa: NPY002


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", ["resnet8_w24", "resnet18", "unet_small", *LIBRARIES])
def test_loaded_network_is_the_saved_one_to_the_byte(make_network, tmp_path, name, dense):
    network = make_network(outputs=5, name=name, dense=dense).to(memory_format=torch.channels_last)
    network(images())  # so that the batch norms hold something
    save(network, tmp_path / "network.safetensors")
    loaded = load(tmp_path / "network.safetensors")
    assert (loaded.name, loaded.dense, loaded.outputs) == (name, dense, 5)
    assert equal(network.state_dict(), loaded.state_dict())
    with torch.inference_mode():
        # In one memory format: each has convolutions of its own, which round differently.
        loaded = loaded.to(memory_format=torch.channels_last)
        assert torch.equal(network.eval()(images()), loaded.eval()(images()))


def test_file_is_safetensors_and_holds_no_pickle(make_network, tmp_path):
    save(make_network(), tmp_path / "network.safetensors")
    raw = (tmp_path / "network.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    facts = json.loads(header.pop("__metadata__")["network"])
    assert facts == {"name": "resnet8_w16", "outputs": 10, "channels": 1, "dense": False}
    # Nothing but the header and the tensors' numbers.
    assert 8 + length + max(end for _, end in (tensor["data_offsets"] for tensor in header.values())) == len(raw)


@pytest.mark.parametrize("dense", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("name", ["resnet8_w16", "unet_small", *LIBRARIES])
def test_copied_trunk_is_equal_and_the_head_stays(make_network, name, dense):
    source = make_network(4, seed=1, name=name, dense=dense[0])
    target = make_network(10, seed=2, name=name, dense=dense[1])
    head = {name: tensor.clone() for name, tensor in target.head.state_dict().items()}
    copy_trunk(source, target)
    assert equal(target.trunk.state_dict(), source.trunk.state_dict())
    assert equal(target.head.state_dict(), head)


def test_copied_trunk_is_a_copy(make_network):
    source, target = make_network(seed=1), make_network(seed=2)
    copy_trunk(source, target)
    with torch.no_grad():
        target.trunk[0].weight.zero_()
    assert source.trunk[0].weight.abs().sum() > 0


def test_trunk_of_another_network_is_refused_by_name(make_network):
    with pytest.raises(InputError, match="the trunk of a resnet8_w24 does not fit a resnet8_w16"):
        copy_trunk(make_network(name="resnet8_w24"), make_network())


def test_head_that_guesses_losses_is_saved_with_its_network(make_network, tmp_path):
    network = make_network()
    answers = network.state_dict()
    add_loss_head(network, torch_generator(stream(0, "loss head")))
    save(network, tmp_path / "network.safetensors")
    loaded = load(tmp_path / "network.safetensors")
    assert equal(network.state_dict(), loaded.state_dict())
    assert len(loaded.state_dict()) == len(answers) + 4


def test_head_that_guesses_losses_is_drawn_from_its_generator_alone(make_network):
    heads = []
    for seed in (1, 1, 2):
        network = make_network()
        before = torch.get_rng_state()
        add_loss_head(network, torch_generator(stream(seed, "loss head")))
        assert torch.equal(torch.get_rng_state(), before)
        heads.append(network.loss_head.state_dict())
    assert equal(heads[0], heads[1])
    assert not equal(heads[0], heads[2])


@pytest.mark.parametrize("dense", [False, True])
def test_dropout_changes_answers_in_training_alone(make_network, dense):
    network, raw = make_network(dense=dense), images()
    network.trunk.eval()
    sober = network(raw)
    network.dropout = 0.5
    assert not torch.equal(network(raw), sober)
    network.eval()
    assert torch.equal(network(raw), sober)
