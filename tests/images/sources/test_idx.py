"""Source `idx` reads the files of MNIST and its successors, gzipped or not."""

import gzip

import numpy as np
import pytest
import torchvision.datasets

from pt4al.errors import InputError
from pt4al.images.sources.idx import FASHION, FILES, read, recognises

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5), np.uint8)
LABELS = np.array([9, 0, 3, 3, 1, 7], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "fashion_mnist"


@pytest.fixture
def write(place):
    """Write both files of a split; `spoil` changes the bytes of the images' file."""

    def make(images=IMAGES, labels=LABELS, split="train", zipped=True, folder=place, spoil=lambda raw: raw):
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(FILES[split], (images, labels), strict=True):
            raw = gzip.compress(idx(array)) if zipped else idx(array)
            (folder / f"{name}{'.gz' if zipped else ''}").write_bytes(spoil(raw) if array is images else raw)
        return folder

    return make


@pytest.mark.parametrize("zipped", [True, False])
def test_images_and_labels_of_both_splits_are_those_written(write, zipped):
    write(zipped=zipped)
    folder = write(zipped=zipped, split="test", images=IMAGES[::-1], labels=LABELS[::-1])
    collection = read(str(folder))
    np.testing.assert_array_equal(list(collection.pictures(np.arange(12))), [*IMAGES, *IMAGES[::-1]])
    assert list(collection.index["label"]) == [FASHION[label] for label in [*LABELS, *LABELS[::-1]]]
    assert collection.classes == FASHION
    assert list(collection.index["id"][[0, 1, 11]]) == ["train/00000", "train/00001", "test/00005"]
    assert list(collection.index["split"]) == ["train"] * 6 + ["test"] * 6


def test_pictures_are_those_of_the_asked_rows(write):
    np.testing.assert_array_equal(list(read(str(write())).pictures(np.array([1, 4]))), IMAGES[[1, 4]])


def test_files_may_lie_where_torchvision_puts_them(write, tmp_path):
    write(folder=tmp_path / "FashionMNIST" / "raw")
    assert read(str(tmp_path)).classes == FASHION
    assert read(str(tmp_path / "FashionMNIST" / "raw")).classes == FASHION
    assert recognises(str(tmp_path))


def test_classes_of_other_data_are_numbers_up_to_the_highest_of_both_splits(write, tmp_path):
    labels = np.array([11, 0, 3, 3, 1, 7], np.uint8)
    write(folder=tmp_path / "emnist")
    collection = read(str(write(folder=tmp_path / "emnist", split="test", labels=labels)))
    assert collection.classes == [str(number) for number in range(12)]
    assert list(collection.index["label"]) == [str(label) for label in [*LABELS, *labels]]


def test_pictures_larger_than_a_block_are_those_of_the_asked_rows(write):
    images = np.random.default_rng(1).integers(0, 256, (6, 700, 600), np.uint8)
    rows = np.array([0, 2, 3, 5])
    np.testing.assert_array_equal(list(read(str(write(images=images))).pictures(rows)), images[rows])


@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_file_is_named(write, zipped):
    folder = write(zipped=zipped, spoil=lambda raw: raw[:-9])
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(str(folder))


@pytest.mark.parametrize("zipped", [True, False])
def test_spoilt_file_is_named(write, zipped):
    folder = write(zipped=zipped, spoil=lambda raw: raw[:2] + bytes(byte ^ 255 for byte in raw[2:]))
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(str(folder))


def test_spoilt_middle_of_a_gzipped_file_is_named(write):
    compressible = np.tile(IMAGES, (1, 9, 9))
    folder = write(images=compressible, spoil=lambda raw: raw[:20] + bytes(255 - byte for byte in raw[20:]))
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        read(str(folder))


def test_empty_file_is_named(write):
    with pytest.raises(InputError, match="not a whole IDX file"):
        read(str(write(zipped=False, spoil=lambda raw: b"")))


def test_as_many_labels_as_images_are_needed(write):
    with pytest.raises(InputError, match=r"6 images in .* but 5 labels in"):
        read(str(write(labels=LABELS[:5])))


def test_label_outside_the_classes_is_named_with_its_row(write):
    with pytest.raises(InputError, match=r"train-labels-idx1-ubyte\.gz: row 2 has label 10, but there are 10 classes"):
        read(str(write(labels=np.array([9, 0, 10, 3, 1, 7], np.uint8))))


@pytest.mark.parametrize("split", ["train", "test"])
def test_missing_labels_file_is_named(write, place, split):
    write()
    write(split=split)
    (place / f"{FILES[split][1]}.gz").unlink()
    with pytest.raises(InputError, match=FILES[split][1]):
        read(str(place))


def test_failed_download_names_the_setting_and_the_files(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise RuntimeError("no network")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", offline)
    with pytest.raises(InputError, match=r"pool\.source\.path .*train-images-idx3-ubyte.*no network"):
        read(str(tmp_path))


def test_layout_is_recognised_by_its_files(write, tmp_path):
    assert recognises(str(write()))
    assert not recognises(str(tmp_path))
    assert not recognises(str(tmp_path / "nothing"))


@pytest.mark.parametrize("zipped", [True, False])
def test_files_may_have_the_names_of_mnists_copies(write, tmp_path, zipped):
    folder = write(folder=tmp_path / "mnist", zipped=zipped)
    write(folder=folder, split="test", zipped=zipped)
    for file in list(folder.iterdir()):
        file.rename(folder / file.name.replace("-idx", ".idx"))
    assert recognises(str(folder))
    assert len(read(str(folder))) == 12


def test_highest_label_of_a_byte_is_a_class(write, tmp_path):
    labels = np.array([255, 0, 3, 3, 1, 7], np.uint8)
    assert len(read(str(write(labels=labels, folder=tmp_path / "mnist"))).classes) == 256
