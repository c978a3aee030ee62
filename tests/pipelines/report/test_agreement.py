"""What a report says of people who label the same images."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch

from pt4al.annotation.log import Answer, AnswerLog
from pt4al.pipelines.report.agreement import compare_people, with_pictures


def history(rule: str) -> SimpleNamespace:
    oracle = SimpleNamespace(annotators=3, disagreement=rule, skipped="replace")
    pool = SimpleNamespace(
        ids=pd.Series(list("0123")),
        rows=lambda ids: ids.astype(int).to_numpy(),
        gather=lambda rows: torch.zeros((len(rows), 1, 4, 4), dtype=torch.uint8),
    )
    return SimpleNamespace(settings=SimpleNamespace(oracle=oracle), pool=pool)


def log(folder: Path) -> AnswerLog:
    """Of images 0 to 4, of which 4 has left the pool, three people differ on 0, 1 (a tie) and 4."""
    answers = AnswerLog(folder)
    for who, labels in {"ada": "aaaaa", "bob": "abaaa", "cy": "bcaab"}.items():
        answers.add(
            Answer(id=str(number), label=label, annotator=who, source="page") for number, label in enumerate(labels)
        )
    return answers


def test_disputed_images_are_counted_and_those_of_the_pool_shown_with_their_pictures(tmp_path: Path):
    facts = compare_people(history("majority"), log(tmp_path))
    assert json.loads(json.dumps(facts, allow_nan=False))["rows"] == facts["rows"]
    counts = [facts[name] for name in ("images", "disputed", "ties", "overruled")]
    assert counts == [5, 3, 1, 0]
    assert [(row["id"], row["tie"], row["taken"]) for row in facts["rows"]] == [("1", True, None), ("0", False, "a")]
    assert facts["annotators"][0]["annotator"] == "cy"
    shown = with_pictures(facts, history("majority").pool)
    assert all(row["picture"].startswith(b"\x89PNG") for row in shown["rows"])


def test_where_the_newest_answer_counts_the_page_says_how_often_that_is_not_the_majoritys(tmp_path: Path):
    assert compare_people(history("latest"), log(tmp_path))["overruled"] == 2


def test_one_person_alone_has_nothing_to_say_of_agreement(tmp_path: Path):
    answers = AnswerLog(tmp_path)
    answers.add([Answer(id="0", label="a", annotator="ada", source="page")])
    facts = compare_people(history("latest"), answers)
    assert facts == {}
    assert with_pictures(facts, history("latest").pool) == {}
