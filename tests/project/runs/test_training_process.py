"""The command of a run as a child: what it reports, how it is ended, and that it ends with its parent."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pt4al.project.runs import training_process
from pt4al.project.runs.training_process import TrainingProcess, Work

# Stands for a command: reports, then waits until nobody holds the other end of its input.
PLAYED = """
import json, os, sys
for event in ({"bar": "rehearsal", "done": 0, "total": 2}, {"step": "build_pool"},
              {"bar": "decode", "done": 420, "total": 1200}, {"step": "cycle_0.train_main"},
              {"message": "Run mine, cycle 0: 0 of 10 answers"}):
    sys.stdout.write(json.dumps(event) + "\\n")
    sys.stdout.flush()
if sys.argv[1:] != ["--ends"]:
    sys.stdin.read()
sys.exit(75)
"""


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "played.py").write_text(PLAYED)
    monkeypatch.setattr(training_process, "CHILD", "played")
    return tmp_path


def test_what_a_command_does_is_said_in_words(played):
    seen: list[Work] = []
    process = TrainingProcess(played, ["--ends"], seen.append)
    assert process.wait() == training_process.WAITS
    assert seen == [
        Work("Checking the settings", 0, 2),
        Work("Decoding pictures"),
        Work("Decoding pictures", 420, 1200),
        Work("Training the model"),
    ]
    assert process.message == "Run mine, cycle 0: 0 of 10 answers"


def test_a_command_that_is_stopped_has_ended_when_that_returns(played):
    process = TrainingProcess(played, [], lambda work: None)
    process.stop()
    assert process._process.poll() is not None


@pytest.mark.external
def test_a_command_ends_when_its_parent_has_gone(finished: Path):
    """A pipe that nobody holds any more is all that a kill -9 leaves."""
    command = [sys.executable, "-m", "pt4al.project.runs.training_child", "--env=tiny", "--params=run.name=orphan"]
    process = subprocess.Popen(
        command, cwd=finished, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _, messages = process.communicate("")
    assert process.returncode == 130, messages


def test_a_wrong_setting_is_reported_as_its_sentence(finished: Path):
    command = [sys.executable, "-m", "pt4al.project.runs.training_child", "--env=tiny", "--params=query.measur=margin"]
    process = subprocess.Popen(command, cwd=finished, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process.stdout, process.stdin:
        reported = process.stdout.read()
    assert process.wait() == 1
    assert "did you mean 'measure'?" in json.loads(reported)["error"]
