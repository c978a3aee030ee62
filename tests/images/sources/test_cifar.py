"""Source `cifar` reads the pickles of CIFAR-10 and CIFAR-100, and runs nothing that they name."""

import os
import pickle

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.images.sources.cifar import read, recognises

CLASSES = ["cat", "dog", "frog"]


def batch(rng, key="labels"):
    return {"data": rng.integers(0, 256, (4, 3072), np.uint8), key: [int(n) for n in rng.integers(0, 3, 4)]}


def dump(file, entries):
    file.write_bytes(pickle.dumps(entries, protocol=2))


@pytest.fixture
def cifar10(tmp_path):
    """Write CIFAR-10's seven files; return the folder and the batches by name."""
    folder, rng = tmp_path / "cifar-10-batches-py", np.random.default_rng(0)
    folder.mkdir()
    batches = {name: batch(rng) for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]}
    for name, entries in batches.items():
        dump(folder / name, entries)
    dump(folder / "batches.meta", {"label_names": CLASSES, "num_vis": 3072})
    return folder, batches


def colours(batches):
    return np.concatenate([entries["data"] for entries in batches]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def test_cifar10_is_what_was_written(cifar10):
    folder, batches = cifar10
    collection = read(str(folder))
    np.testing.assert_array_equal(list(collection.pictures(np.arange(24))), colours(batches.values()))
    labels = [CLASSES[label] for entries in batches.values() for label in entries["labels"]]
    assert collection.classes == CLASSES
    assert list(collection.index["label"]) == labels
    assert list(collection.index["split"]) == ["train"] * 20 + ["test"] * 4
    assert list(collection.index["id"][[0, 23]]) == ["data_batch_1/00000", "test_batch/00003"]


def test_pictures_are_those_of_the_asked_rows_across_files(cifar10):
    folder, batches = cifar10
    rows = np.array([1, 3, 4, 22])
    np.testing.assert_array_equal(list(read(str(folder)).pictures(rows)), colours(batches.values())[rows])


def test_path_may_be_the_parent(cifar10):
    assert len(read(str(cifar10[0].parent))) == 24


def test_cifar100_has_its_fine_labels(tmp_path):
    folder, rng = tmp_path / "cifar-100-python", np.random.default_rng(0)
    folder.mkdir()
    batches = [batch(rng, "fine_labels") | {"coarse_labels": [9] * 4} for _ in range(2)]
    dump(folder / "train", batches[0])
    dump(folder / "test", batches[1])
    dump(folder / "meta", {"fine_label_names": CLASSES, "coarse_label_names": ["animals"]})
    collection = read(str(tmp_path))
    np.testing.assert_array_equal(list(collection.pictures(np.arange(8))), colours(batches))
    assert list(collection.index["label"]) == [CLASSES[label] for part in batches for label in part["fine_labels"]]
    assert list(collection.index["split"]) == ["train"] * 4 + ["test"] * 4


def test_text_of_python_2_is_read(cifar10):
    folder, _ = cifar10
    # What Python 2 wrote: {'label_names': ['cat', 'dog', 'frog']} in bytes, U being its short text.
    folder.joinpath("batches.meta").write_bytes(b"\x80\x02}U\x0blabel_names](U\x03catU\x03dogU\x04froges.")
    assert read(str(folder)).classes == CLASSES


class Malicious:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["batches.meta", "data_batch_3"])
def test_command_in_a_pickle_is_refused_and_not_run(cifar10, tmp_path, name, protocol):
    evil = Malicious(os.system, f"touch {tmp_path / 'run'}")
    (cifar10[0] / name).write_bytes(pickle.dumps({"data": evil}, protocol=protocol))
    with pytest.raises(InputError, match=rf"{name}: names (posix|nt)\.system"):
        read(str(cifar10[0]))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("function", [eval, exec, getattr, np.load, np.fromfile, __import__])
def test_names_beyond_arrays_are_refused(cifar10, function):
    dump(cifar10[0] / "data_batch_1", Malicious(function, "1"))
    with pytest.raises(InputError, match=f"data_batch_1: names .*{function.__name__}"):
        read(str(cifar10[0]))


def test_spoilt_file_is_named(cifar10):
    file = cifar10[0] / "data_batch_2"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(InputError, match="data_batch_2: cannot be read"):
        read(str(cifar10[0]))


def test_missing_batch_is_named(cifar10):
    (cifar10[0] / "data_batch_4").unlink()
    with pytest.raises(InputError, match="data_batch_4: cannot be read"):
        read(str(cifar10[0]))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([1, 2], "holds a list"),
        ({"labels": [0]}, "has labels; needs `data`"),
        ({"data": np.zeros((1, 3072), np.uint8)}, "has data; needs `labels`"),
        ({"data": np.zeros((1, 3071), np.uint8), "labels": [0]}, "`data` must be an array of bytes"),
        ({"data": [0] * 3072, "labels": [0]}, "`data` must be an array of bytes"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}, "2 pictures but 1 `labels`"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0, 3]}, "row 1 has label 3, but there are 3 classes"),
    ],
)
def test_contents_of_another_kind_are_named(cifar10, entries, message):
    dump(cifar10[0] / "data_batch_1", entries)
    with pytest.raises(InputError, match=f"data_batch_1: {message}"):
        read(str(cifar10[0]))


def test_neither_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"cifar-10-batches-py nor cifar-100-python .*pool\.source\.path"):
        read(str(tmp_path))


def test_layout_is_recognised_by_its_files(cifar10, tmp_path):
    assert recognises(str(cifar10[0]))
    assert recognises(str(tmp_path))
    assert not recognises(str(tmp_path / "nothing"))


def test_two_classes_of_one_name_stay_two(cifar10):
    folder, _ = cifar10
    dump(folder / "batches.meta", {"label_names": ["caf\u00e9", "cafe\u0301", "frog"]})
    assert read(str(folder)).classes == ["caf\u00e9 0", "caf\u00e9 1", "frog"]
