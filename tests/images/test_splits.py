"""A source is divided into pool and test split by its own splits, or by a share that depends on ids alone."""

import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.splits import divide


def source(splits: list[str | None], labels: list[str | None] | None = None, masked: list[bool] | None = None):
    """A collection of one picture a split, labelled unless said otherwise."""
    rows = range(len(splits))
    index = pd.DataFrame(
        {
            "id": pd.Series([f"{row}.png" for row in rows], dtype="str"),
            "source": pd.Series(["album"] * len(splits), dtype="str"),
            "split": pd.Series(splits, dtype="str"),
            "label": pd.Series(["a"] * len(splits) if labels is None else labels, dtype="str"),
            "stamp": pd.Series(["1"] * len(splits), dtype="str"),
        }
    )
    pictures = lambda wanted: (bytes([row]) for row in wanted)  # noqa: E731
    masks = None if masked is None else pictures
    return Collection(index, ["a"], pictures, masks, None if masked is None else np.array(masked))


def splits(parts: dict[str, Collection]) -> dict[str, list[str]]:
    return {name: list(part.index["split"].unique()) for name, part in parts.items()}


def test_auto_takes_the_sources_test_split():
    assert splits(divide(source(["train", "val", "test"]), "auto")) == {"train": ["train"], "test": ["test"]}


def test_auto_takes_val_where_test_has_no_labels():
    found = divide(source(["train", "val", "test"], ["a", "a", None]), "auto")
    assert splits(found) == {"train": ["train"], "test": ["val"]}


def test_auto_takes_val_where_test_has_no_masks():
    found = divide(source(["train", "val", "test"], [None] * 3, [True, True, False]), "auto")
    assert splits(found) == {"train": ["train"], "test": ["val"]}


def test_auto_holds_out_a_fifth_where_there_are_no_splits():
    found = divide(source([None] * 1000), "auto")
    assert len(found["train"]) + len(found["test"]) == 1000
    assert 160 < len(found["test"]) < 240
    assert not set(found["train"].index["id"]) & set(found["test"].index["id"])


def test_auto_holds_out_nothing_where_there_are_no_labels():
    assert {name: len(part) for name, part in divide(source([None] * 9, [None] * 9), "auto").items()} == {
        "train": 9,
        "test": 0,
    }


def test_a_share_of_the_training_pictures_is_held_out():
    found = divide(source(["train"] * 1000 + ["test"] * 10), 0.5)
    assert set(found["test"].index["split"]) == {"train"}
    assert 430 < len(found["test"]) < 570


def test_what_is_held_out_stays_when_pictures_come():
    few, many = divide(source([None] * 50), "auto"), divide(source([None] * 100), "auto")
    assert set(few["test"].index["id"]) <= set(many["test"].index["id"])
    assert set(few["train"].index["id"]) <= set(many["train"].index["id"])


def test_pictures_stay_with_their_ids():
    for part in divide(source([None] * 30), 0.4).values():
        numbers = [f"{picture[0]}.png" for picture in part.pictures(np.arange(len(part)))]
        assert numbers == list(part.index["id"])


def test_unknown_split_is_one_error_with_the_known_ones():
    with pytest.raises(InputError, match=r"`pool.test` is 'vall', which is no split.*did you mean 'val'\?"):
        divide(source(["train", "val"]), "vall")


def test_split_of_a_source_without_splits_is_one_error_with_the_way_out():
    with pytest.raises(InputError, match=r"'val'.*it has none; say a share to hold out"):
        divide(source([None] * 3), "val")
