"""A run ends with what it found, and with what to type next."""

import logging
import time
from pathlib import Path

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


def test_the_last_lines_are_curve_audit_page_and_next_command(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    result, ranking, report, command = said(copied, caplog)[-4:]
    assert result.startswith("result: 20 -> 60 labels, accuracy ")
    assert "pretext loss and the main model's loss correlate" in ranking
    assert report == f"report: {(copied / 'data/08_reporting/tiny/report.html').as_uri()}"
    assert command.startswith("no baseline yet")
    assert "--env=tiny --params=run.name=tiny-random,query.start=random" in command


def test_a_baseline_takes_the_place_of_the_command_that_makes_one(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    curve = copied / "data/08_reporting/tiny/learning_curve.csv"
    other = copied / "data/08_reporting/tiny-random/learning_curve.csv"
    other.parent.mkdir()
    other.write_bytes(curve.read_bytes())
    lines = said(copied, caplog)
    assert any(line.startswith("With 60 labels this run has") and "tiny-random" in line for line in lines)
    assert not any("no baseline yet" in line for line in lines)


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
