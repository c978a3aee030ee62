"""Agreement: known cases, and what can't be said."""

from pathlib import Path

import pytest

from pt4al.labelling.agreement import agreement
from pt4al.labelling.answers import Answer, AnswerLog


def history(folder: Path, **said: str):
    """Each person's labels, a letter an image; `.` for none."""
    log = AnswerLog(folder)
    for who, labels in said.items():
        log.add(
            Answer(id=f"{number}", label=label, annotator=who, source="page")
            for number, label in enumerate(labels)
            if label != "."
        )
    return log.read()


def test_one_person_agrees_with_nobody(tmp_path: Path) -> None:
    assert agreement(history(tmp_path, ada="abab")) is None
    assert agreement(history(tmp_path / "two", ada="ab..", bob="..ab")) is None


def test_a_few_images_are_counted_and_no_more(tmp_path: Path) -> None:
    told = agreement(history(tmp_path, ada="abab", bob="abaa"))
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
    assert told in agreement(history(tmp_path, **said))
