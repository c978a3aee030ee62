"""One sentence says what was read; what a person may have meant otherwise is a warning."""

import numpy as np
import pytest

from pt4al.images.sources import read
from pt4al.images.splits import divide
from pt4al.images.summary import listed, summarise
from support.layouts import patch, save

PIXELS = patch(np.random.default_rng(0), 0, 1, (8, 8))


def summary(folder, *names, test="auto", limit=None):
    for name in names:
        save(PIXELS, folder / name)
    source = read("auto", str(folder))
    divided = divide(source, test)
    taken = {split: part.sample(limit if split == "train" else None) for split, part in divided.items()}
    return summarise(source, divided, taken)


def several(split: str, classes: tuple[str, ...] = ("cat", "dog"), count: int = 2) -> list[str]:
    return [f"{split}/{name}/{number}.png" for name in classes for number in range(count)]


def test_sentence_says_layout_classes_splits_and_what_was_left_out(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    told = summary(tmp_path, *several("train"), *several("test"), *several("val"), "test/stray.png", limit=3)
    assert told.sentence == (
        f"read class folders at {tmp_path}: 2 classes (cat, dog); 3 pictures in the pool, 4 of the split `test` to "
        "test with; left out: 1 picture in no class folder of its split (test/stray.png), 1 file that is no picture "
        "(notes.txt), 4 pictures of the split `val`, 1 picture by `pool.limit` or `pool.imbalance`"
    )
    assert told.warnings == []


def test_share_that_is_held_out_is_told(tmp_path):
    told = summary(tmp_path, *several(".", count=20), test=0.5)
    assert "held out to test with" in told.sentence


def test_pictures_without_labels_are_told(tmp_path):
    assert "no labels; 2 pictures in the pool, none to test with" in summary(tmp_path, "a.png", "b.png").sentence


@pytest.mark.parametrize(("only", "words"), [(("cow",), "of 'cow': no network"), (("cow", "emu"), "'cow', 'emu'")])
def test_class_that_only_the_test_split_has_is_a_warning(tmp_path, only, words):
    (warning,) = summary(tmp_path, *several("train"), *several("test", ("cat", *only))).warnings
    assert warning.startswith("Only the test split has pictures")
    assert words in warning


def test_class_that_only_the_pool_has_is_none(tmp_path):
    assert summary(tmp_path, *several("train", ("cat", "dog", "cow")), *several("test")).warnings == []


def test_class_that_a_limit_left_out_of_the_pool_is_none(tmp_path):
    assert summary(tmp_path, *several("train"), *several("test"), limit=1).warnings == []


def test_source_that_is_only_looked_at_is_told_shorter(tmp_path):
    for name in ("a.png", "b.png"):
        save(PIXELS, tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    told = listed(read("auto", str(tmp_path)))
    assert told == (
        f"read a folder of pictures at {tmp_path}: 2 pictures; left out: 1 file that is no picture (notes.txt)"
    )


def test_class_without_a_picture_in_pool_and_test_split_is_a_warning(tmp_path):
    names = [*several("train"), *several("test", ("unknown",)), *several("val")]
    (warning,) = summary(tmp_path, *names, test="val").warnings
    assert warning.startswith("No picture of the pool or the test split is of 'unknown'")


def test_class_named_like_a_missing_value_is_a_warning(tmp_path):
    (warning,) = summary(tmp_path, *several("train", ("NA", "dog")), *several("test", ("NA", "dog"))).warnings
    assert warning.startswith("'NA' is taken for the name of a class")


def test_pictures_without_a_split_are_told(tmp_path):
    for name in "abc":
        save(PIXELS, tmp_path / f"{name}.png")
    (tmp_path / "table.csv").write_text("path,split\na.png,train\nb.png,test\nc.png,\n")
    source = read("auto", str(tmp_path / "table.csv"))
    divided = divide(source, "test")
    assert "left out: 1 picture without a split" in summarise(source, divided, divided).sentence
