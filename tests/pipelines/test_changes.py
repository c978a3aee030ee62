"""A run goes on with other settings: what is there stays, what comes is made with them."""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest

from pt4al.project.runs.finished_run import open_run
from pt4al.project.runs.folder import RunFolder
from support.people import NAME, answer, go, table, write_photos
from support.projects import copy_project, make_project, newest, run, typed

OTHERWISE = {
    "run": {"name": NAME, "change": True},
    "cycles": {"number": 4, "budget": 6},
    "query": {"strategy": "top", "measure": "entropy"},
    "main": {
        "network": "resnet8_w24",
        "start_from": "fresh",
        "frozen": 0,
        "schedule": {"epochs": 1, "minimum_steps": 4},
    },
}


def hashes(project: Path, cycles: int, name: str = NAME) -> dict[str, str]:
    """Of every file of a run's first cycles, in all layers."""
    found = {}
    for cycle in range(cycles):
        for path in sorted(project.glob(f"data/0*/{name}/cycle_{cycle}/**/*")):
            if path.is_file():
                found[str(path.relative_to(project))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def refused(project: Path, **blocks: Any) -> str:
    with pytest.raises(click.ClickException) as error:
        go(project, **blocks)
    return error.value.message


@pytest.fixture(scope="module")
def two_cycles(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, pd.Series]:
    """A people's run that has finished two of its three cycles, and waits for the third."""
    folder = make_project(tmp_path_factory.mktemp("changes"), empty_store)
    before = Path.cwd()
    os.chdir(folder)
    try:
        truth = write_photos(folder / "raw")
        go(folder)
        for cycle in range(2):
            answer(folder, cycle, truth.get)
            go(folder)
    finally:
        os.chdir(before)
    return folder, truth


@pytest.fixture
def project(two_cycles: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, pd.Series]:
    folder = copy_project(two_cycles[0], tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder, two_cycles[1]


def test_a_run_goes_on_with_another_network_budget_strategy_threads_and_class(project: tuple) -> None:
    folder, truth = project
    earlier = hashes(folder, 2)
    asked = table(folder, 2, "query")
    oracle = {"kind": "people", "classes": ["shirt", "shoe", "bag", "hat"]}
    blocks = OTHERWISE | {"engine": {"threads": 2}, "oracle": oracle}
    assert "round 3 of 4: 0 of 10 answers" in go(folder, **blocks)
    pd.testing.assert_frame_equal(table(folder, 2, "query"), asked)  # what was asked for stays
    later = {name: block for name, block in blocks.items() if name != "run"}  # the word is said once
    answer(folder, 2, lambda image: "hat" if image == asked["id"].iloc[0] else truth[image])
    assert "round 4 of 4: 0 of 6 answers" in go(folder, **later)
    answer(folder, 3, truth.get)
    assert go(folder, **later) == ""
    assert hashes(folder, 2) == earlier
    curve = pd.read_csv(newest(folder, "08_reporting", NAME, "learning_curve.csv"))
    assert list(curve["labels"]) == [10, 20, 30, 36]
    made = json.loads((folder / f"data/05_model_input/{NAME}/cycle_2/settings.json").read_text())
    assert made["query"]["query.measure"] == "margin"
    assert made["network"]["main.start_from"] == "fresh"
    chosen = table(folder, 3, "label_set").query("why != 'control'").drop_duplicates("cycle")
    assert list(chosen["why"]) == ["random", "margin", "margin", "entropy"]
    told = open_run(NAME, folder, "tiny").changes
    assert len(told) == 1
    assert told[0].startswith("from the training of cycle 2 on, whose query was there already: cycles.budget 10 -> 6")
    leaks = pd.read_parquet(newest(folder, "08_reporting", NAME, "leak_check.parquet"))
    assert leaks["ok"].all(), leaks


def test_a_network_of_each_chapter_can_be_opened(project: tuple) -> None:
    folder, truth = project
    go(folder, **OTHERWISE)
    answer(folder, 2, truth.get)
    go(folder, **OTHERWISE)
    opened = open_run(NAME, folder, "tiny")
    assert opened.cycles == 3
    assert [opened.network(cycle).trunk[0].out_channels for cycle in (1, 2)] == [16, 24]


def test_a_run_goes_on_as_a_probe_of_other_features(project: tuple) -> None:
    folder, truth = project
    earlier = hashes(folder, 2)
    probe = {
        "run": {"name": NAME, "change": True},
        "features": {"network": "efficientnet_lite0", "size": 32},
        "main": {"start_from": "features", "frozen": "all"},
        "query": {"strategy": "uncertainty_herding", "features": "cached"},
        "engine": {"threads": 2},
    }
    go(folder, **probe)
    answer(folder, 2, truth.get)
    assert go(folder, **probe) == ""
    assert hashes(folder, 2) == earlier
    history = RunFolder(folder / "data", NAME).history()
    first, now = history.first, history.now
    assert now.folders["pretext"].startswith("pretext_")
    assert (folder / "data/06_models" / now.folders["pretext"]).exists()  # not trained again for two threads
    assert len(list(folder.glob("data/06_models/pretext_*"))) == 1
    assert first.settings["features.network"] != now.settings["features.network"]
    assert open_run(NAME, folder, "tiny").network(2).size is not None


def test_a_change_needs_a_word_and_says_from_when_on(project: tuple) -> None:
    folder, _ = project
    before = hashes(folder, 3)
    told = refused(folder, cycles={"number": 3, "budget": 6})
    assert "`cycles.budget`: 10 then, 6 now" in told
    assert "from the training of cycle 2 on, whose query was there already: run.change=true" in told
    assert hashes(folder, 3) == before
    assert not RunFolder(folder / "data", NAME).history_file.exists()


FIXED = {
    "the seed": ({"run": {"name": NAME, "seed": 3, "change": True}}, "A run keeps its `run.seed`."),
    "the size of pictures": (
        {
            "run": {"name": NAME, "change": True},
            "pool": {"source": {"path": "raw"}, "size": 32, "limit": {"train": None, "test": None}},
        },
        "A run keeps its `pool.size`.",
    ),
    "fewer cycles": ({"cycles": {"number": 2, "budget": 10}}, "The run has 3 cycles: `cycles.number` can't be less"),
    "batches": (
        {"run": {"name": NAME, "change": True}, "query": {"scope": "batch"}, "cycles": {"number": 4, "budget": 5}},
        "Its ranking was cut into 3 batches",
    ),
}


@pytest.mark.parametrize("blocks, told", FIXED.values(), ids=FIXED)
def test_what_can_never_change_is_refused_with_its_reason(project: tuple, blocks: dict, told: str) -> None:
    assert told in refused(project[0], **blocks)


def test_a_run_goes_back_if_nothing_was_made_in_between(project: tuple) -> None:
    folder, _ = project
    go(folder, **OTHERWISE)
    record = RunFolder(folder / "data", NAME)
    assert len(record.history().chapters) == 2
    go(folder, run={"name": NAME, "change": True})
    assert (
        record.history().sentences()[-1].endswith(": ")
        or record.history().now.settings == record.history().first.settings
    )


def test_killed_around_a_change_the_same_command_goes_on(project: tuple) -> None:
    folder, truth = project
    earlier = hashes(folder, 2)
    answer(folder, 2, truth.get)
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; from pathlib import Path; from support.people import go; "
        f"print('imported', flush=True); print(go(Path({str(folder)!r}), **{OTHERWISE!r}))"
    )
    for seconds in (0.5, 2):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout.readline() == b"imported\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        process.wait()
    assert "round 4 of 4: 0 of 6 answers" in go(folder, **OTHERWISE)
    assert hashes(folder, 2) == earlier


def test_a_finished_recorded_run_has_two_more_cycles(copied: Path) -> None:
    record = RunFolder(copied / "data", "tiny")
    cycles = record.configuration()["cycles.number"]
    earlier = hashes(copied, cycles, "tiny")
    run(copied, cycles={"number": cycles + 2})
    assert hashes(copied, cycles, "tiny") == earlier
    assert len(pd.read_csv(newest(copied, "08_reporting", "tiny", "learning_curve.csv"))) == cycles + 2
    assert record.history().sentences() == [f"from cycle {cycles} on: cycles.number {cycles} -> {cycles + 2}"]


def test_a_history_says_which_commands_make_the_run_again(copied: Path) -> None:
    run(copied, cycles={"number": 4}, query={"strategy": "top", "measure": "entropy"}, run={"change": True})
    said = typed(copied, "history", "--run=tiny").output.splitlines()
    assert said[0].startswith("from cycle 3 on: cycles.number 3 -> 4, query.measure")
    again = [line.removeprefix("kedro ") for line in said if line.startswith("kedro run ")]
    assert len(again) == 2
    for line in again:
        line = line.replace("run.name=tiny", "run.name=again")
        done = typed(copied, *shlex.split(line))
        assert done.exit_code == 0, done.output
    for cycle in range(4):
        queries = [RunFolder(copied / "data", name).read("query.parquet", cycle) for name in ("tiny", "again")]
        pd.testing.assert_frame_equal(*queries)


def test_a_history_of_no_run_names_those_there_are(copied: Path) -> None:
    done = typed(copied, "history", "--run=tini")
    assert done.exit_code == 1
    assert "there is no run 'tini'" in done.output
    assert "did you mean 'tiny'" in done.output
    assert "Traceback" not in done.output
