"""Pictures in a folder for each class: read with torchvision."""

from pathlib import Path

import pandas as pd
import pytest
from torchvision.datasets import ImageFolder

from pt4al.annotation.formats.class_folders import write_class_folders
from pt4al.errors import InputError
from support.exports import files, labelled

LABELS = {"a/1.jpg": "cat", "b/1.jpg": "cat", "c d/ü?.png": "T-shirt/top", "4": ".."}


def test_torchvision_reads_each_picture_with_its_class(tmp_path: Path) -> None:
    labels = labelled(LABELS)
    told = write_class_folders(tmp_path / "out", labels, files(labels))
    read = ImageFolder(tmp_path / "out")
    table = pd.read_csv(tmp_path / "out/labels.csv").set_index("file")
    assert len(read) == 4
    grey = {}
    for (path, number), (picture, same) in zip(read.samples, read, strict=True):
        row = table.loc[Path(path).relative_to(tmp_path / "out").as_posix()]
        assert number == same
        grey[row["id"]] = picture.getpixel((0, 0))[0]
        assert row["label"] == LABELS[row["id"]]
    assert grey == dict(zip(LABELS, range(4), strict=True))
    assert read.classes == ["%2E%2E", "T-shirt%2Ftop", "cat"]
    assert told == ["class '..' is in the folder '%2E%2E'", "class 'T-shirt/top' is in the folder 'T-shirt%2Ftop'"]


def test_a_class_without_pictures_has_no_folder_and_is_told(tmp_path: Path) -> None:
    labels = labelled({"a": "cat"}, classes=["cat", "dog"])
    told = write_class_folders(tmp_path / "out", labels, files(labels))
    assert told == ["class 'dog' has no picture, and no folder"]
    assert ImageFolder(tmp_path / "out").classes == ["cat"]


def test_yolo_finds_its_folder_for_training(tmp_path: Path) -> None:
    labels = labelled({"a": "cat", "b": "dog"})
    write_class_folders(tmp_path / "out", labels, files(labels), "train")
    assert ImageFolder(tmp_path / "out/train").classes == ["cat", "dog"]


def test_nothing_is_written_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    labels = labelled({"a": "cat"})
    with pytest.raises(InputError, match="holds something"):
        write_class_folders(tmp_path / "out", labels, files(labels))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    labels = labelled({"a": "cat"})
    write_class_folders(tmp_path / "out", labels, files(labels))
    assert (tmp_path / "out/cat/a.png").is_file()


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    labels = labelled({"a": "cat", "b": "dog"})

    def broken():
        yield from list(files(labels))[:1]
        raise InputError("picture 'b' can't be read")

    with pytest.raises(InputError, match="picture 'b'"):
        write_class_folders(tmp_path / "out", labels, broken())
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_can_have_no_folder_is_told_before_a_picture_is_read(tmp_path: Path) -> None:
    labels = labelled({"a": "x" * 300})

    def unread():
        raise AssertionError("read")
        yield

    with pytest.raises(InputError, match="too long for a folder's name"):
        write_class_folders(tmp_path / "out", labels, unread())
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_read_one_after_another(tmp_path: Path) -> None:
    labels = labelled({"a": "cat", "b": "cat"})

    def watched():
        for number, file in enumerate(files(labels)):
            assert len(list(tmp_path.rglob("*.png"))) == number
            yield file

    write_class_folders(tmp_path / "out", labels, watched())
