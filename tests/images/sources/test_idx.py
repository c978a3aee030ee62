"""Source `idx` reads the files of MNIST and its successors, gzipped or not."""

import gzip

import numpy as np
import pytest
import torchvision.datasets

from pt4al.errors import InputError
from pt4al.images.sources.idx import FASHION, FILES, read

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5), np.uint8)
LABELS = np.array([9, 0, 3, 3, 1, 7], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


@pytest.fixture
def write(tmp_path):
    """Write both files of a split; `spoil` changes the bytes of the images' file."""

    def make(images=IMAGES, labels=LABELS, split="train", zipped=True, folder=tmp_path, spoil=lambda raw: raw):
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(FILES[split], (images, labels), strict=True):
            raw = gzip.compress(idx(array)) if zipped else idx(array)
            (folder / f"{name}{'.gz' if zipped else ''}").write_bytes(spoil(raw) if array is images else raw)
        return tmp_path

    return make


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("zipped", [True, False])
def test_images_and_labels_are_those_written(write, zipped, split):
    collection = read(write(zipped=zipped, split=split), split)
    np.testing.assert_array_equal(list(collection.pictures(np.arange(6))), IMAGES)
    assert list(collection.index["label"]) == [FASHION[label] for label in LABELS]
    assert collection.classes == FASHION
    assert list(collection.index["id"])[:2] == [f"{split}/00000", f"{split}/00001"]


def test_pictures_are_those_of_the_asked_rows(write):
    np.testing.assert_array_equal(list(read(write(), "train").pictures(np.array([1, 4]))), IMAGES[[1, 4]])


def test_files_may_lie_where_torchvision_puts_them(write, tmp_path):
    assert len(read(write(folder=tmp_path / "FashionMNIST" / "raw"), "train")) == 6


@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_file_is_named(write, zipped):
    folder = write(zipped=zipped, spoil=lambda raw: raw[:-9])
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(folder, "train")


@pytest.mark.parametrize("zipped", [True, False])
def test_spoilt_file_is_named(write, zipped):
    folder = write(zipped=zipped, spoil=lambda raw: raw[:2] + bytes(byte ^ 255 for byte in raw[2:]))
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(folder, "train")


def test_spoilt_middle_of_a_gzipped_file_is_named(write):
    compressible = np.tile(IMAGES, (1, 9, 9))
    folder = write(images=compressible, spoil=lambda raw: raw[:20] + bytes(255 - byte for byte in raw[20:]))
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(folder, "train")


def test_empty_file_is_named(write):
    with pytest.raises(InputError, match="not a whole IDX file"):
        read(write(zipped=False, spoil=lambda raw: b""), "train")


def test_as_many_labels_as_images_are_needed(write):
    with pytest.raises(InputError, match=r"6 images in .* but 5 labels in"):
        read(write(labels=LABELS[:5]), "train")


def test_label_outside_the_classes_is_named_with_its_row(write):
    with pytest.raises(InputError, match="train-labels-idx1-ubyte: row 2 has label 10, but there are 10 classes"):
        read(write(labels=np.array([9, 0, 10, 3, 1, 7], np.uint8)), "train")


def test_missing_labels_file_is_named(write, tmp_path):
    write()
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match="train-labels-idx1-ubyte"):
        read(tmp_path, "train")


def test_failed_download_names_the_setting_and_the_files(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise RuntimeError("no network")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", offline)
    with pytest.raises(InputError, match=r"pool\.source\.path .*train-images-idx3-ubyte.*no network"):
        read(tmp_path, "train")
