"""Sources `download_...` fetch what is missing, nothing that is there, and say so if they can't."""

import gzip
import pickle

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image

from pt4al.errors import InputError
from pt4al.images.sources import downloads

NAMES = {
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
    "fashion_mnist": "FashionMNIST",
    "caltech101": "Caltech101",
}


def write(kind, root):
    """Write two pictures a split where torchvision would."""
    if kind == "caltech101":
        for name in ("BACKGROUND_Google", "ant", "barrel"):
            folder = root / "caltech101" / "101_ObjectCategories" / name
            folder.mkdir(parents=True)
            Image.new("RGB", (8, 8)).save(folder / "image_0001.jpg")
    elif kind == "fashion_mnist":
        folder = root / "FashionMNIST" / "raw"
        folder.mkdir(parents=True)
        for split in ("train", "t10k"):
            images, labels = bytes([0, 0, 8, 3]), bytes([0, 0, 8, 1])
            images += np.array([1, 2, 2], ">i4").tobytes() + bytes(4)
            labels += np.array([1], ">i4").tobytes() + bytes([9])
            (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
            (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    else:
        ten = kind == "cifar10"
        folder = root / ("cifar-10-batches-py" if ten else "cifar-100-python")
        folder.mkdir(parents=True)
        fine = "" if ten else "fine_"
        batches = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"] if ten else ["train", "test"]
        for name in batches:
            entries = {"data": np.zeros((1, 3072), np.uint8), f"{fine}labels": [0]}
            (folder / name).write_bytes(pickle.dumps(entries, protocol=2))
        (folder / ("batches.meta" if ten else "meta")).write_bytes(pickle.dumps({f"{fine}label_names": ["one"]}))


def offline(*arguments, **settings):
    raise RuntimeError("no network")


@pytest.mark.parametrize("kind", NAMES)
def test_what_is_there_is_not_downloaded(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, NAMES[kind], offline)
    write(kind, tmp_path)
    assert len(getattr(downloads, kind)(str(tmp_path))) in {2, 6}


@pytest.mark.parametrize("kind", NAMES)
def test_what_is_missing_is_downloaded_to_the_path(kind, tmp_path, monkeypatch):
    def fetch(root, download):
        assert download
        write(kind, tmp_path / "new")
        assert str(root) == str(tmp_path / "new")

    monkeypatch.setattr(torchvision.datasets, NAMES[kind], fetch)
    assert len(getattr(downloads, kind)(str(tmp_path / "new"))) in {2, 6}


@pytest.mark.parametrize("kind", NAMES)
def test_failed_download_is_one_message(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, NAMES[kind], offline)
    with pytest.raises(InputError, match=rf"pool\.source\.path.*does not hold {NAMES[kind]}.*no network"):
        getattr(downloads, kind)(str(tmp_path))


def test_the_other_cifar_in_the_same_folder_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CIFAR100", offline)
    write("cifar10", tmp_path)
    with pytest.raises(InputError, match="does not hold CIFAR100"):
        downloads.cifar100(str(tmp_path))
