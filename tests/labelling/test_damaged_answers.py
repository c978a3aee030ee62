"""A disk that changes the log of answers changes no answer: what is damaged is left out and told."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.labelling.answers import Answer, AnswerLog

BITS = 300  # tried of about 4,000


def said(image: str, label: str, **facts) -> Answer:
    return Answer(id=image, label=label, annotator="ada", source="page", **facts)


def test_no_flipped_bit_makes_another_answer_and_each_lost_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", "cat", key="1"), said("b", "dog", key="2", seconds=1.5)])
    whole = log.path.read_bytes()
    truth = log.read().astype(object).where(log.read().notna(), None).to_dict("records")
    for bit in np.random.default_rng(0).choice(8 * len(whole), BITS, replace=False):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        log.path.write_bytes(changed)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            table = AnswerLog(tmp_path).read()
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        assert [row for row in rows if row not in truth] == [], bit
        last = bit // 8 == len(whole) - 1  # the newline at the end: part of a line, which somebody may be writing
        assert len(rows) == 2 or "can't be read and is left out" in caplog.text or last, bit


def test_lines_from_before_have_no_checksum_and_count(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", "cat", key="1")])
    row = json.loads(log.path.read_bytes())
    row.pop("check")
    log.path.write_text(json.dumps(row) + "\n")
    assert list(AnswerLog(tmp_path).read()["label"]) == ["cat"]


@pytest.mark.parametrize(
    "change", [{"key": ["a"]}, {"key": None}, {"seconds": "long"}, {"seconds": None}, {"review": "perhaps"}]
)
def test_a_line_of_other_types_is_left_out(tmp_path: Path, change: dict, caplog: pytest.LogCaptureFixture) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", "cat", key="1")])
    row = json.loads(log.path.read_bytes()) | change
    row.pop("check")
    with log.path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    log.add([said("b", "dog", key="2")])
    assert list(AnswerLog(tmp_path).read()["key"]) == ["1", "2"]
    assert "line 2 can't be read and is left out" in caplog.text


def test_a_damaged_mask_is_one_sentence(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    label = log.keep_mask(b"png")
    next(tmp_path.glob("masks/*.png")).write_bytes(b"pnh")
    with pytest.raises(InputError, match="is damaged"):
        log.mask(label)
