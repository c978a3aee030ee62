"""A collection hands over ids, labels and pictures that belong together."""

import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.images.collection import stable_uniform

A_PNG = 0.9043371479396303  # what `a.png` drew when this was written


def test_id_that_stands_for_two_pictures_is_refused(collect):
    with pytest.raises(InputError, match="'twin' stands for 2 pictures"):
        collect([b"", b"", b""], ids=["twin", "other", "twin"])


def test_labels_leave_out_pictures_that_have_none(collect):
    collection = collect([b"", b"", b""])
    collection.index.loc[1, "label"] = None
    assert collection.labels.to_dict("list") == {"id": ["picture 0", "picture 2"], "label": ["a", "a"]}


def test_named_replaces_class_names_in_their_order(collect):
    renamed = collect([b"", b""]).named(["cat", "dog"])
    assert renamed.classes == ["cat", "dog"]
    assert list(renamed.labels["label"]) == ["cat", "dog"]


def test_named_none_keeps_the_classes(collect):
    assert collect([b""]).named(None).classes == ["a", "b"]


def test_wrong_number_of_class_names_is_refused_with_both_numbers(collect):
    with pytest.raises(InputError, match=r"`pool.classes` names 3 classes; the source has 2"):
        collect([b""]).named(["cat", "dog", "bird"])


def test_class_name_given_twice_is_refused(collect):
    with pytest.raises(InputError, match=r"`pool.classes`.*'cat'"):
        collect([b"", b""]).named(["cat", "cat"])


def test_sample_keeps_ids_and_pictures_together_in_their_order(collect):
    pictures = [f"bytes of picture {row}".encode() for row in range(50)]
    sample = collect(pictures).sample(20)
    found = list(sample.pictures(np.arange(20)))
    assert [picture.decode().removeprefix("bytes of ") for picture in found] == list(sample.index["id"])
    numbers = [int(name.split()[1]) for name in sample.index["id"]]
    assert numbers == sorted(set(numbers))
    assert len(sample) == 20


def test_sample_stays_when_other_pictures_come(collect):
    few, many = [f"{row}.png" for row in range(50)], [f"{row}.png" for row in range(-50, 50)]
    first = set(collect([b""] * 50, few).sample(20).index["id"])
    among = set(collect([b""] * 100, many).sample(40).index["id"])
    assert len(among & set(few)) > 10
    assert among & set(few) <= first or first <= among


def test_sample_of_a_sample_still_finds_its_pictures(collect):
    pictures = [bytes([row]) for row in range(50)]
    sample = collect(pictures).sample(20).sample(5)
    assert [f"picture {picture[0]}" for picture in sample.pictures(np.arange(5))] == list(sample.index["id"])


def test_lots_spread_evenly_and_are_the_same_on_every_day():
    drawn = stable_uniform(pd.Series([f"{row}.png" for row in range(2000)], dtype="str"))
    assert np.histogram(drawn, 10, (0, 1))[0].min() > 150
    assert stable_uniform(pd.Series(["a.png"], dtype="str"))[0] == pytest.approx(A_PNG)


def test_no_limit_takes_everything(collect):
    assert len(collect([b""] * 3).sample(None)) == 3


def test_sample_larger_than_the_source_is_refused_with_both_numbers(collect):
    with pytest.raises(InputError, match=r"`pool.limit` asks for 4 pictures of a source that has 3"):
        collect([b""] * 3).sample(4)
