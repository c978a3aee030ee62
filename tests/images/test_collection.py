"""A collection hands over ids, labels and pictures that belong together."""

import numpy as np
import pytest

from pt4al.errors import InputError


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
    sample = collect(pictures).sample(20, np.random.default_rng(0))
    found = list(sample.pictures(np.arange(20)))
    assert [picture.decode().removeprefix("bytes of ") for picture in found] == list(sample.index["id"])
    numbers = [int(name.split()[1]) for name in sample.index["id"]]
    assert numbers == sorted(set(numbers))
    assert len(sample) == 20


def test_same_generator_draws_the_same_sample(collect):
    draw = lambda seed: list(collect([b""] * 50).sample(20, np.random.default_rng(seed)).index["id"])  # noqa: E731
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_sample_of_a_sample_still_finds_its_pictures(collect):
    rng, pictures = np.random.default_rng(0), [bytes([row]) for row in range(50)]
    sample = collect(pictures).sample(20, rng).sample(5, rng)
    assert [f"picture {picture[0]}" for picture in sample.pictures(np.arange(5))] == list(sample.index["id"])


def test_no_limit_takes_everything(collect):
    assert len(collect([b""] * 3).sample(None, np.random.default_rng(0))) == 3


def test_sample_larger_than_the_source_is_refused_with_both_numbers(collect):
    with pytest.raises(InputError, match=r"`pool.limit` asks for 4 pictures of a source that has 3"):
        collect([b""] * 3).sample(4, np.random.default_rng(0))
