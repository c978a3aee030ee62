"""Kills, second processes and changed settings: a run's files are never lost, mixed or overwritten."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from support.projects import WITHOUT_REPORT, kedro, run, tables

COMMAND = [sys.executable, "-m", "kedro", "run", "--pipelines=active_learning", "--env=tiny"]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def kill_after(nodes: int, project: Path) -> bool:
    """Start the run and kill it, as the operating system would, once `nodes` more nodes have run; False if it ended."""
    log = project / "data/08_reporting/tiny/timings.jsonl"
    target = lines(log) + nodes
    process = subprocess.Popen(COMMAND, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and lines(log) < target:
        time.sleep(0.01)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "moments",
    [(3, 7, 10), pytest.param((1, 3, 2, 3, 3, 3, 3, 3), marks=pytest.mark.slow)],
    ids=["three times", "eight times"],
)
def test_a_run_killed_again_and_again_ends_with_the_bytes_of_one_never_killed(
    moments: tuple[int, ...], finished: Path, project: Path
) -> None:
    kills = sum(kill_after(nodes, project) for nodes in moments)
    assert kills >= len(moments) - 1
    done = kedro(*COMMAND[3:], cwd=project)
    assert done.returncode == 0, done.stderr
    assert tables(project) == tables(finished)


def test_the_same_command_again_trains_nothing_and_overwrites_nothing(copied: Path, no_training: None) -> None:
    before = {path: path.stat().st_mtime_ns for path in (copied / "data/05_model_input").glob("**/*.parquet")}
    run(copied)
    after = {path: path.stat().st_mtime_ns for path in (copied / "data/05_model_input").glob("**/*.parquet")}
    assert after == before


def test_changed_settings_under_the_same_name_are_refused_by_name(
    finished: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    with pytest.raises(click.ClickException) as refused:
        run(finished, cycles={"budget": 7}, query={"measure": "entropy"})
    message = refused.value.message
    assert "`cycles.budget`: 20 then, 7 now" in message
    assert "`query.measure`: 'margin' then, 'entropy' now" in message
    assert "run.name" in message
    assert "run.fresh=true" in message


def test_a_fresh_start_keeps_the_old_files(copied: Path) -> None:
    old = tables(copied)
    run(copied, WITHOUT_REPORT, run={"fresh": True}, cycles={"budget": 7})
    aside = [path.name for path in (copied / "data/05_model_input").glob("tiny.*")]
    assert len(aside) == 1
    assert tables(copied, aside[0]) == old
    assert tables(copied) != old


def test_a_second_process_on_one_run_is_refused_at_once(project: Path) -> None:
    from pt4al.project.runs.folder import RunFolder

    held = RunFolder(project / "data", "tiny").lock()
    done = kedro("run", "--pipelines=active_learning", "--env=tiny", cwd=project)
    held.release()
    assert done.returncode == 1
    assert "run 'tiny' is being run by another process" in done.stderr
    assert not (project / "data/06_models").exists()
