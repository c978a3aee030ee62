"""Agreement: known cases, and what can't be said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.agreement import agreement
from pt4al.annotation.log import Answer, AnswerLog
from support.people import log_of


def test_one_person_agrees_with_nobody(tmp_path: Path) -> None:
    assert agreement(log_of(tmp_path, ada="abab").read()) is None
    assert agreement(log_of(tmp_path / "two", ada="ab..", bob="..ab").read()) is None


def test_a_few_images_are_counted_and_no_more(tmp_path: Path) -> None:
    told = agreement(log_of(tmp_path, ada="abab", bob="abaa").read())
    assert told == "2 people labelled 4 images in common and agree on 75 % of them; that is too few to say more."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"ada": "ab" * 6, "bob": "ab" * 6}, "Cohen's kappa is 1.00"),
        ({"ada": "ab" * 6, "bob": "ba" * 6}, "Cohen's kappa is -1.00"),
        ({"ada": "aabb" * 3, "bob": "abab" * 3}, "Cohen's kappa is 0.00"),
        (
            {"ada": "ab" * 6, "bob": "ab" * 6, "eve": "ab" * 6},
            "Fleiss's kappa over the 12 images that 3 labelled is 1.00",
        ),
        ({"ada": "a" * 12, "bob": "a" * 12}, "only one class was named"),
    ],
)
def test_kappa_is_the_textbooks(tmp_path: Path, said: dict, told: str) -> None:
    assert told in agreement(log_of(tmp_path, **said).read())


def test_it_tells_intervals_and_which_classes_are_mixed_up(tmp_path: Path) -> None:
    said = log_of(tmp_path, ada="aabbccccaabbcccc" * 2, bob="aabbccccaabbccca" * 2).read()
    told = agreement(said)
    assert told == agreement(said)
    assert "agree on 94 % of them (95 % interval 80 to 98); Cohen's kappa is 0.90 (" in told
    assert told.endswith("Most often 'a' stands against 'c': on 2 images.")


def test_masks_reviews_and_skips_are_left_out(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    for who in ("ada", "bob"):
        log.add([Answer(id="m", label=log.keep_mask(b"png"), annotator=who, source="label_studio")])
        log.add([Answer(id="s", label=None, annotator=who, source="page")])
        log.add([Answer(id="r", label="cat", annotator=who, source="page", review=who == "bob")])
    assert agreement(log.read()) is None


def test_of_several_people_those_images_count_that_as_many_have_labelled(tmp_path: Path) -> None:
    told = agreement(log_of(tmp_path, ada="ab" * 10, bob="ab" * 10, eve="ab" * 6 + "." * 8).read())
    assert "3 people labelled 20 images in common" in told
    assert "Fleiss's kappa over the 12 images that 3 labelled is 1.00, almost perfect" in told


@given(st.lists(st.tuples(*[st.sampled_from("abc.")] * 3), max_size=14))
def test_whatever_was_said_something_can_be_told(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    said = {who: "".join(row[place] for row in rows) for place, who in enumerate(("ada", "bob", "eve"))}
    told = agreement(log_of(tmp_path_factory.mktemp("log"), **said).read())
    common = sum(sum(label != "." for label in row) > 1 for row in rows)
    assert (told is None) == (common == 0)
    assert told is None or ("nan" not in told and f"labelled {common} images" in told)
