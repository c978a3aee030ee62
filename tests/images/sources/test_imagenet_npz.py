"""Source `imagenet_npz` reads reduced ImageNet row by row, stored or deflated."""

import tracemalloc

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.images.sources.imagenet_npz import read, recognises
from support.layouts_imagenet import write_imagenet_npz

NAMES = ["crane n03126707", "crane n02012849", "goldfish", "tench"]


@pytest.fixture(params=[np.savez, np.savez_compressed])
def folder(tmp_path, request):
    return write_imagenet_npz(tmp_path / "imagenet64", np.random.default_rng(0), side=16, save=request.param)


def planes(folder, name):
    with np.load(folder / f"{name}.npz") as arrays:
        return arrays["data"].reshape(len(arrays["labels"]), 3, 16, 16).transpose(0, 2, 3, 1), arrays["labels"]


def test_pictures_and_labels_are_those_written(folder):
    collection = read(str(folder))
    parts = [planes(folder, name) for name in ("train_data_batch_1", "train_data_batch_2", "val_data")]
    np.testing.assert_array_equal(
        list(collection.pictures(np.arange(len(collection)))), np.concatenate([pixels for pixels, _ in parts])
    )
    assert list(collection.index["label"]) == [NAMES[label - 1] for _, labels in parts for label in labels]
    assert list(collection.index["split"]) == ["train"] * 40 + ["val"] * 16
    assert list(collection.index["id"][[0, 20, 55]]) == [
        "train_data_batch_1/000000",
        "train_data_batch_2/000000",
        "val_data/000015",
    ]


def test_pictures_are_those_of_the_asked_rows_across_files(folder):
    rows = np.array([3, 19, 20, 41])
    every = list(read(str(folder)).pictures(np.arange(56)))
    np.testing.assert_array_equal(list(read(str(folder)).pictures(rows)), [every[row] for row in rows])


def test_classes_without_names_are_numbers_to_1000(folder):
    (folder / "map_clsloc.txt").unlink()
    collection = read(str(folder))
    assert collection.classes == [str(number) for number in range(1, 1001)]
    assert collection.index["label"][0] == str(planes(folder, "train_data_batch_1")[1][0])


def test_tenth_file_comes_after_the_second(folder):
    (folder / "train_data_batch_2.npz").rename(folder / "train_data_batch_10.npz")
    (folder / "train_data_batch_1.npz").rename(folder / "train_data_batch_9.npz")
    assert list(read(str(folder)).index["id"][[0, 20]]) == ["train_data_batch_9/000000", "train_data_batch_10/000000"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_memory_stays_at_a_few_megabytes(tmp_path, save):
    data = np.zeros((8192, 3072), np.uint8)  # 24 MiB
    data[:, 0] = np.arange(8192) % 256
    save(tmp_path / "train_data_batch_1.npz", data=data, labels=np.ones(8192, int))
    del data
    collection = read(str(tmp_path))
    tracemalloc.start()
    firsts = [int(picture[0, 0, 0]) for picture in collection.pictures(np.array([0, 4000, 8191]))]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert firsts == [0, 4000 % 256, 8191 % 256]
    assert peak < 2**23


def test_truncated_file_is_named(folder):
    file = folder / "train_data_batch_2.npz"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"train_data_batch_2\.npz: cannot be read"):
        read(str(folder))


def test_spoilt_pixels_are_an_error_when_they_are_read(folder):
    file = folder / "train_data_batch_1.npz"
    raw = file.read_bytes()
    middle = len(raw) // 2
    file.write_bytes(raw[:middle] + bytes(255 - byte for byte in raw[middle : middle + 50]) + raw[middle + 50 :])
    with pytest.raises(InputError, match=r"train_data_batch_1\.npz: cannot be read"):
        list(read(str(folder)).pictures(np.arange(20)))


@pytest.mark.parametrize(
    "arrays",
    [
        {"data": np.zeros((2, 12), np.float32), "labels": [1, 1]},
        {"data": np.zeros((2, 13), np.uint8), "labels": [1, 1]},
        {"data": np.asfortranarray(np.zeros((2, 12), np.uint8)), "labels": [1, 1]},
        {"data": np.zeros(12, np.uint8), "labels": [1]},
    ],
    ids=["not bytes", "not a square", "by columns", "one dimension"],
)
def test_array_of_another_shape_is_named(tmp_path, arrays):
    np.savez(tmp_path / "train_data_batch_1.npz", **arrays)
    with pytest.raises(InputError, match=r"train_data_batch_1\.npz: `data` is .*needs bytes"):
        read(str(tmp_path))


def test_arrays_of_objects_are_refused_since_they_are_pickles(tmp_path):
    np.savez(tmp_path / "train_data_batch_1.npz", data=np.zeros((1, 12), np.uint8), labels=np.array([{}], object))
    with pytest.raises(InputError, match=r"train_data_batch_1\.npz: cannot be read .*pickle"):
        read(str(tmp_path))


def test_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "train_data_batch_1.npz", labels=[1])
    with pytest.raises(InputError, match=r"train_data_batch_1\.npz: cannot be read .*data\.npy"):
        read(str(tmp_path))


@pytest.mark.parametrize("label", [0, 1001])
def test_label_outside_the_classes_is_named_with_its_row(tmp_path, label):
    np.savez(tmp_path / "train_data_batch_1.npz", data=np.zeros((2, 12), np.uint8), labels=[1, label])
    with pytest.raises(InputError, match=f"row 1 has label {label}; labels go from 1 to 1000"):
        read(str(tmp_path))


def test_as_many_labels_as_pictures_are_needed(tmp_path):
    np.savez(tmp_path / "train_data_batch_1.npz", data=np.zeros((2, 12), np.uint8), labels=[1])
    with pytest.raises(InputError, match="2 pictures, but `labels` has the shape"):
        read(str(tmp_path))


def test_names_with_a_gap_are_an_error(folder):
    (folder / "map_clsloc.txt").write_text("n02119789 1 kit_fox\nn02100735 3 English_setter\n")
    with pytest.raises(InputError, match=r"map_clsloc\.txt: needs lines such as"):
        read(str(folder))


def test_no_training_files_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"holds no train_data_batch_1\.npz .*pool\.source\.path"):
        read(str(tmp_path))


def test_layout_is_recognised_by_its_files(folder, tmp_path):
    assert recognises(str(folder))
    assert not recognises(str(tmp_path))
    assert not recognises(str(tmp_path / "nothing"))
