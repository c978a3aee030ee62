"""Networks where the library of U-Nets is not installed: it is needed by nothing else."""

import sys

import pytest

from pt4al.errors import InputError
from pt4al.training import networks


@pytest.fixture(autouse=True)
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)


@pytest.mark.parametrize("name", ["unet_small", "unet_resnet18", "unet/resnet34"])
def test_a_u_net_says_which_package_it_needs(name) -> None:
    with pytest.raises(InputError, match="U-Nets need the package segmentation_models_pytorch, which is not installed"):
        networks.validated_name(name)


def test_a_u_net_that_was_saved_says_so_too(make_network, tmp_path, monkeypatch) -> None:
    monkeypatch.undo()
    networks.save(make_network(name="unet_small", dense=True), tmp_path / "network.safetensors")
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(InputError, match="U-Nets need the package"):
        networks.load(tmp_path / "network.safetensors")


@pytest.mark.parametrize("name", ["resnet8_w16", "timm/test_vit"])
def test_other_networks_do_without_it(make_network, name) -> None:
    assert make_network(name=networks.validated_name(name)).name == name
