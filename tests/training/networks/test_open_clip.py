"""Image towers of open_clip, where that library is installed; one sentence where it is not."""

import importlib.util

import pytest
import torch
from safetensors.torch import save_file

from pt4al.errors import InputError
from pt4al.features.backbones import load, validated_name
from pt4al.training import networks

ABSENT = importlib.util.find_spec("open_clip") is None
NAME = "open_clip/ViT-B-32"


@pytest.mark.skipif(not ABSENT, reason="open_clip is installed")
def test_absent_library_is_told_with_how_to_install_it():
    with pytest.raises(InputError, match=r"need the package open-clip-torch: pip install 'pt4al\[open_clip\]'"):
        validated_name(NAME)


@pytest.fixture(scope="module")
def library():
    return pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def weights(library, tmp_path_factory) -> str:
    """The state dict of a whole model, that reads texts too."""
    file = tmp_path_factory.mktemp("weights") / "clip.safetensors"
    save_file({name: tensor.clone() for name, tensor in library.create_model("ViT-B-32").state_dict().items()}, file)
    return str(file)


def test_tower_of_a_file_gives_the_librarys_features(library, weights, tmp_path):
    backbone = load(NAME, weights)
    model = library.create_model("ViT-B-32", pretrained=weights).eval()
    mean, std = (torch.tensor(levels).view(1, 3, 1, 1) for levels in (model.visual.image_mean, model.visual.image_std))
    images = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model.encode_image((images / 255 - mean) / std)
        torch.testing.assert_close(backbone.network.features(images), expected, rtol=1e-3, atol=1e-3)
    networks.save(backbone.network, tmp_path / "network.safetensors")
    with torch.inference_mode():
        loaded = networks.load(tmp_path / "network.safetensors").eval()
        torch.testing.assert_close(loaded.features(images), expected, rtol=1e-3, atol=1e-3)


def test_tower_takes_other_sizes(weights):
    assert load(NAME, weights, 64).frame.height == 64
    with pytest.raises(InputError, match="the nearest are 96 or 128"):
        load(NAME, weights, 100)


def test_names_are_checked(library):
    assert validated_name(f"{NAME}/openai") == f"{NAME}/openai"
    with pytest.raises(InputError, match="did you mean 'ViT-B-32'"):
        validated_name("open_clip/ViT-B-33")
    with pytest.raises(InputError, match="open_clip has no weights 'openia' of ViT-B-32: did you mean 'openai'"):
        validated_name(f"{NAME}/openia")


def test_one_of_several_weights_must_be_said(library):
    with pytest.raises(InputError, match=r"has several weights: say open_clip/ViT-B-32/<weights>, of openai, "):
        load(NAME, None, 64)
