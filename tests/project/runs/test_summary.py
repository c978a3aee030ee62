"""A run ends with what it found, and with what to type next."""

import logging
import re
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from pt4al.project.runs import heartbeat
from pt4al.project.runs.heartbeat import Heartbeat
from support.projects import run


def said(copied: Path, caplog: pytest.LogCaptureFixture, **settings: dict) -> list[str]:
    """Make the report again, and return what was said."""
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="pt4al"):
        run(copied, pipeline="report", **settings)
    return [record.getMessage() for record in caplog.records if record.name.startswith("pt4al.project.runs.messages")]


def test_the_last_lines_are_verdict_curve_audit_page_and_next_command(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result, curve, ranking, report, command = said(copied, caplog)[-5:]
    assert re.match(r"result: [\d.]+ % accuracy with 60 labels \(95 % interval ", result)
    assert result.endswith("No baseline yet: can't say whether choosing helped.")
    assert curve.startswith("curve: 20 -> 60 labels, accuracy ")
    assert ranking.startswith("ranking, which chose nothing here: ")
    assert "pretext loss and the main model's loss correlate" in ranking
    assert report == f"report: {(copied / 'data/08_reporting/tiny/report.html').as_uri()}"
    assert command.startswith("whether choosing helped, this says: ")
    assert "--env=tiny --params=run.name=tiny-random,query.start=random" in command


def test_terminal_and_page_give_one_verdict(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    curve = copied / "data/08_reporting/tiny/learning_curve.csv"
    other = copied / "data/08_reporting/tiny-random/learning_curve.csv"
    other.parent.mkdir()
    better = pd.read_csv(curve).assign(accuracy=0.9)
    better.to_csv(other, index=False)
    lines = said(copied, caplog)
    (result,) = [line for line in lines if line.startswith("result: ")]
    assert re.match(r"result: [\d.]+ points below random with 60 labels \(95 % interval ", result)
    assert not any("whether choosing helped" in line for line in lines)
    page = (copied / "data/08_reporting/tiny/report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", page)
    lead, _, interval = result.removeprefix("result: ").partition(" (")
    assert lead in text
    assert interval.removesuffix(")") in text


def test_a_run_of_an_older_version_has_a_report_without_what_it_did_not_keep(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for kept in copied.glob("data/07_model_output/tiny/cycle_*/test_predictions.parquet"):
        shutil.rmtree(kept)
    reads = copied / "data/08_reporting/tiny/reads.jsonl"
    with reads.open("a", encoding="utf-8") as log:
        log.write('{"node": "draw_pictures", "dataset": "run_curves"}\n')
    lines = said(copied, caplog)
    assert any(line.startswith("result: ") and "of 200 test images" in line for line in lines)
    page = (copied / "data/08_reporting/tiny/report.html").read_text(encoding="utf-8")
    assert "Where it fails" not in page
    assert "Labels leaked" not in page


def test_a_node_that_takes_no_time_is_not_told(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not any("check_leaks" in line for line in said(copied, caplog))


def test_a_long_node_is_told_of_again_and_again_until_it_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "PAUSE", 0.01)
    beat = Heartbeat()
    with caplog.at_level(logging.INFO, logger="pt4al"):
        beat.start("cycle_0.train_main")
        end = time.monotonic() + 30
        while len(caplog.records) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        beat.stop()
    assert "cycle_0.train_main: 0 s so far" in caplog.messages
