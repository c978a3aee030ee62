"""Pretrained weights come from a safetensors file or a library; what does not fit is one message."""

import pytest
import torch
from safetensors.torch import save_file

from pt4al.errors import InputError
from pt4al.training.networks import load_pretrained


def kept(tensors: dict[str, torch.Tensor], path) -> str:
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}, path)
    return str(path)


@pytest.fixture
def timm_file(tmp_path) -> str:
    """The state dict of a whole timm network, classifier included."""
    import timm

    model = timm.create_model("resnet18", num_classes=1000, in_chans=3)
    return kept(model.state_dict(), tmp_path / "resnet18.safetensors")


@pytest.mark.parametrize("dense", [False, True])
def test_file_of_timm_becomes_the_trunk_and_the_head_stays(make_network, timm_file, dense):
    from safetensors.torch import load_file

    network = make_network(name="timm/resnet18", channels=3, dense=dense)
    head = network.head.weight.clone()
    load_pretrained(network, timm_file)
    expected = load_file(timm_file)
    assert all(torch.equal(weight, expected[name]) for name, weight in network.trunk.model.state_dict().items())
    assert torch.equal(network.head.weight, head)


def test_first_convolution_of_timm_is_summed_for_grey_images(make_network, timm_file):
    from safetensors.torch import load_file

    network = make_network(name="timm/resnet18", channels=1)
    load_pretrained(network, timm_file)
    expected = load_file(timm_file)["conv1.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(network.trunk.model.conv1.weight.detach(), expected)


def test_file_of_an_encoder_becomes_the_trunk_of_its_unet(make_network, tmp_path):
    source = make_network(name="unet_resnet18", channels=3, seed=1)
    target = make_network(name="unet_resnet18", channels=3, seed=2, dense=True)
    load_pretrained(target, kept(source.trunk.state_dict(), tmp_path / "encoder.safetensors"))
    assert all(
        torch.equal(weight, source.trunk.state_dict()[name]) for name, weight in target.trunk.state_dict().items()
    )


@pytest.mark.parametrize("name", ["timm/resnet18", "unet_resnet18"])
def test_file_that_lacks_weights_is_refused_and_the_network_stays(make_network, tmp_path, name):
    network = make_network(name=name, channels=3)
    before = {key: weight.clone() for key, weight in network.state_dict().items()}
    half = dict(list(make_network(name="unet_resnet18", channels=3).trunk.state_dict().items())[:40])
    with pytest.raises(InputError, match=rf"half\.safetensors does not fit {name}: "):
        load_pretrained(network, kept(half, tmp_path / "half.safetensors"))
    assert all(torch.equal(weight, before[key]) for key, weight in network.state_dict().items())


@pytest.mark.parametrize("name", ["timm/resnet18", "unet_resnet18"])
def test_file_that_only_looks_like_safetensors_is_refused(make_network, tmp_path, name):
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(InputError, match="does not fit"):
        load_pretrained(make_network(name=name, channels=3), str(tmp_path / "text.safetensors"))


def test_pickles_are_refused_unopened(make_network, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(InputError, match=r"must be a \.safetensors file"):
        load_pretrained(make_network(name="timm/resnet18", channels=3), str(tmp_path / "weights.pth"))


def test_missing_file_is_named(make_network, tmp_path):
    with pytest.raises(InputError, match=r"none\.safetensors: there is no such file"):
        load_pretrained(make_network(name="timm/resnet18", channels=3), str(tmp_path / "none.safetensors"))


@pytest.mark.parametrize("name", ["resnet8_w16", "unet_small"])
def test_networks_of_our_own_have_no_pretrained_weights(make_network, name):
    with pytest.raises(InputError, match=f"nobody offers pretrained weights for {name}"):
        load_pretrained(make_network(name=name), None)


@pytest.mark.parametrize(
    ("name", "downloads"),
    [("timm/resnet18", "timm.create_model"), ("unet_resnet18", "segmentation_models_pytorch.encoders.get_encoder")],
)
def test_failed_download_is_one_message(make_network, monkeypatch, name, downloads):
    network = make_network(name=name, channels=3)

    def fail(*arguments, **kwargs):
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr(downloads, fail)
    with pytest.raises(InputError, match=f"no pretrained weights for {name}: no route to the hub"):
        load_pretrained(network, None)


def test_global_generator_is_left_alone(make_network, timm_file):
    network, before = make_network(name="timm/resnet18", channels=3), torch.get_rng_state()
    load_pretrained(network, timm_file)
    assert torch.equal(torch.get_rng_state(), before)
