"""A comparison: cells run side by side, are skipped when finished, go on when killed, and are judged together."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

from pt4al.files import records
from pt4al.pipelines.comparison.execution import Run, run_all
from pt4al.pipelines.comparison.plan import Cell, cells
from support.comparisons import SMALL, parameters
from support.projects import copy_project, kedro, make_project, run, tables

# Smaller than tiny: what is tested is not how well it learns.
TYPED = "comparison.name=c,comparison.repeated=null,cycles.number=2,cycles.budget=10,main.schedule.epochs=1"
CELLS = ["c-random-s0", "c-margin-s0", "c-random-s1", "c-margin-s1"]
COMMAND = ["run", "--pipelines=comparison", "--env=tiny", f"--params={TYPED}"]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, list[psutil.Process]]:
    """A project whose comparison was killed once a cell had trained, and the processes that the comparison had."""
    folder = make_project(tmp_path_factory.mktemp("compared"), empty_store)
    command = [sys.executable, "-m", "kedro", *COMMAND]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((folder / "data/06_models").glob("c-*/cycle_0/network.safetensors/*/*")):
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    return folder, children


@pytest.fixture(scope="module")
def compared(killed: tuple[Path, list[psutil.Process]]) -> Path:
    """A project in which a comparison of two arms and two seeds is finished. Tests read it."""
    done = kedro(*COMMAND, cwd=killed[0])
    assert done.returncode == 0, done.stderr
    return killed[0]


def read(project: Path, table: str) -> pd.DataFrame:
    return pd.read_csv(project / "data/08_reporting/c" / f"{table}.csv")


def contents(folder: Path, name: str) -> dict[str, bytes]:
    """The newest version of files of a name, by their place."""
    found = sorted(path for path in folder.glob(f"**/{name}") if path.is_file() and path.suffix != ".sha256")
    return {re.sub(r"[0-9-]+T[0-9.]+Z", "", str(path.relative_to(folder))): path.read_bytes() for path in found}


def test_a_killed_comparison_leaves_no_process_behind(killed: tuple[Path, list[psutil.Process]]) -> None:
    assert len(killed[1]) >= 2
    assert not psutil.wait_procs(killed[1], timeout=120)[1]


@pytest.mark.slow
def test_ctrl_c_ends_a_comparison_and_its_workers_at_once(project: Path) -> None:
    command = [sys.executable, "-m", "kedro", *COMMAND]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not list((project / "data/06_models").glob("c-*/cycle_0/network.safetensors/*/*")):
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(120) == -signal.SIGINT
        assert not psutil.wait_procs(children, timeout=120)[1]
        said = process.stderr.read()
    assert "the same command goes on" in said
    assert not (project / "data/05_model_input/c-margin-s1").exists()  # no other cell is begun


def test_a_killed_and_resumed_cell_asks_for_the_same_as_one_typed_alone(compared: Path, project: Path) -> None:
    command = read(compared, "plan").set_index("run").loc["c-margin-s0", "command"]
    alone = kedro(*shlex.split(command)[1:], cwd=project)
    assert alone.returncode == 0, alone.stderr
    assert tables(project, "c-margin-s0") == tables(compared, "c-margin-s0")
    results = ("08_reporting", "*metrics.json"), ("08_reporting", "learning_curve.csv"), ("06_models", "network.*")
    for layer, name in results:
        there, here = (contents(root / "data" / layer / "c-margin-s0", name) for root in (compared, project))
        assert here
        assert here == there


def test_every_cell_is_a_run_of_its_own_and_on_the_page(compared: Path) -> None:
    page = (compared / "data/08_reporting/c/comparison.html").read_text()
    curves = read(compared, "cells")
    assert list(curves["run"].unique()) == CELLS
    assert list(curves["labels"]) == [10, 20] * 4
    for name in CELLS:
        assert f"<td>{name}</td>" in page
        assert len(tables(compared, name)) > 0


def test_a_cell_draws_no_page_until_somebody_types_its_command(compared: Path) -> None:
    drawn = ("report.html", "pictures", "ranking_agreement.parquet")
    assert not [path for name in drawn for path in (compared / "data/08_reporting").glob(f"c-*/**/{name}")]
    assert "A run without a link has no page yet" in (compared / "data/08_reporting/c/comparison.html").read_text()


def test_a_cell_s_page_is_drawn_without_training_and_linked_by_the_comparison(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_training: None
) -> None:
    folder = copy_project(compared, tmp_path / "copied")
    monkeypatch.chdir(folder)
    cell = next(cell for cell in cells(parameters(folder), SMALL) if cell.run == "c-margin-s0")
    run(folder, "report", **cell.settings)
    assert (folder / "data/08_reporting/c-margin-s0/report.html").exists()
    run(folder, "comparison", **SMALL)
    assert 'href="../c-margin-s0/report.html"' in (folder / "data/08_reporting/c/comparison.html").read_text()


def test_cells_of_one_seed_share_pool_and_pretext_network(compared: Path) -> None:
    assert len(list((compared / "data/06_models").glob("pretext_*/pretext_network.safetensors/*"))) == 2
    assert len(list((compared / "data/02_intermediate").glob("pool_*/pool/*"))) == 1
    pretext = read(compared, "seconds").query("stage == 'pretext'")
    assert len(pretext[["seed", "seconds"]].drop_duplicates()) == 2
    assert (pretext["seconds"] > 0).all()


def test_each_label_asked_for_is_counted_once(compared: Path) -> None:
    counted = read(compared, "queries").groupby(["run", "cycle"])["images"].sum()
    assert list(counted.loc["c-margin-s0"]) == [10, 20]


def test_every_cell_was_checked_for_leaks(compared: Path) -> None:
    leaks = read(compared, "leaks")
    assert set(leaks["run"]) == set(CELLS)
    assert leaks["ok"].all()


def test_mlflow_groups_the_cells_by_arm_in_one_colour_each(compared: Path) -> None:
    client = MlflowClient(f"sqlite:///{compared}/mlflow.db")
    experiment = client.get_experiment_by_name("pt4al")
    found = [cell.data.tags for cell in client.search_runs([experiment.experiment_id], "tags.`al.comparison` = 'c'")]
    assert sorted((tags["al.arm"], tags["al.seed"]) for tags in found) == [
        *(("margin", "0"), ("margin", "1"), ("random", "0"), ("random", "1"))
    ]
    assert {tags["al.role"] for tags in found} == {"study"}
    assert len({(tags["al.arm"], tags["mlflow.runColor"]) for tags in found}) == 2
    note = experiment.tags["mlflow.note.content"]
    assert note.count("Comparison c: http:") == 1
    assert note.startswith("Learning curves of all runs: http://127.0.0.1:5000/#/")


def test_mlflow_has_no_run_but_the_cells(compared: Path) -> None:
    client = MlflowClient(f"sqlite:///{compared}/mlflow.db")
    experiment = client.get_experiment_by_name("pt4al").experiment_id
    named = {found.info.run_name for found in client.search_runs([experiment]) if "al.cycle" not in found.data.tags}
    assert named == set(CELLS)


def test_the_same_command_again_leaves_the_cells_as_they_are(compared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(compared)
    monkeypatch.setattr(
        "pt4al.pipelines.comparison.workers.Workers.run",
        lambda _, errands: ((shard, pytest.fail("a cell was run")) for shard in errands),
    )
    run(compared, "comparison", **SMALL)
    assert sorted(path.name for path in (compared / "data/05_model_input").iterdir() if path.is_dir()) == sorted(CELLS)


def test_a_cell_that_mlflow_was_not_told_of_is_told_by_the_same_command(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_project(compared, tmp_path / "copied")
    monkeypatch.chdir(folder)
    assert all(row_of(folder, name)["logged"] for name in CELLS)
    records.write(
        folder / "data/05_model_input/c-margin-s0/mlflow_run.json", row_of(folder, CELLS[1]) | {"logged": False}
    )
    told = []
    monkeypatch.setattr(
        "pt4al.pipelines.comparison.workers.Workers.run",
        lambda _, errands: ((shard, told.append(shard[0].cell.run)) for shard in errands),
    )
    run(folder, "comparison", **SMALL)
    assert told == ["c-margin-s0"]


def row_of(project: Path, name: str) -> dict:
    """What a run knows of its row in MLflow."""
    return records.recall(project / "data/05_model_input" / name / "mlflow_run.json")


def test_mlflow_has_of_a_cell_what_it_has_of_any_run(compared: Path) -> None:
    client = MlflowClient(f"sqlite:///{compared}/mlflow.db")
    row = client.get_run(row_of(compared, "c-margin-s0")["run_id"])
    assert row.info.status == "FINISHED"
    assert [entry.step for entry in client.get_metric_history(row.info.run_id, "accuracy")] == [10, 20]
    assert row.data.tags["pool.read"].startswith("read ")
    assert row.data.tags["pool.sha256"]
    assert row.data.params["query.measure"] == "margin"
    children = client.search_runs(
        [row.info.experiment_id], f"tags.`mlflow.parentRunId` = '{row.info.run_id}' and tags.`al.role` = 'cycle'"
    )
    assert sorted(child.data.tags["al.cycle"] for child in children) == ["0", "1"]
    for child in children:
        assert child.info.status == "FINISHED"
        assert child.data.metrics.keys() >= {"accuracy", "training_loss"}
        assert [file.path for file in client.list_artifacts(child.info.run_id)] == ["query.parquet", "settings.json"]


def test_changed_settings_are_refused_with_the_cell_s_name(compared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(compared)
    with pytest.raises(click.ClickException) as refused:
        run(compared, "comparison", **SMALL | {"cycles": {"number": 2, "budget": 7}})
    assert "run 'c-random-s0' was started with other settings" in refused.value.message
    assert "`cycles.budget`: 10 then, 7 now" in refused.value.message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"query": {"mesure": "margin"}}, "`query.mesure` is unknown: did you mean 'measure'?"),
        ({"query": {"scope": "batch"}, "cycles": {"budget": 200}}, "200"),
        ({"run": {"seed": 3}}, "`comparison.arms.wrong.run` is not an arm's to set"),
    ],
)
def test_an_arm_s_mistake_is_one_message_before_anything_runs(project: Path, settings: dict, message: str) -> None:
    comparison = SMALL["comparison"] | {"arms": {"wrong": settings}, "compared": ["random", "margin", "wrong"]}
    with pytest.raises(click.ClickException) as refused:
        run(project, "comparison", **SMALL | {"comparison": comparison})
    assert "comparison.arms.wrong" in refused.value.message
    assert message in refused.value.message
    assert not (project / "data/05_model_input/c-random-s0").exists()


def test_every_cell_ranks_the_comparisons_share_but_an_arms_own(project: Path) -> None:
    settings = parameters(project)
    assert all(cell.settings.get("ranking") is None for cell in cells(settings, SMALL))
    settings["comparison"] |= {
        "share": 0.8,
        "compared": ["random", "margin", "released"],
        "arms": {**settings["comparison"]["arms"], "margin": {"ranking": {"share": 0.5}}},
    }
    found = {cell.arm: cell for cell in cells(settings, SMALL)}
    shares = {arm: cell.parameters.ranking.share for arm, cell in found.items()}
    assert shares == {"random": 0.8, "margin": 0.5, "released": 0.8}
    assert found["released"].parameters.ranking.order == "released"
    assert "ranking.share=0.8" in found["random"].command("tiny")


def one_by_one(run_cell: Callable[[Cell, list[str]], str | None]) -> Run:
    """What runs errands as workers do, but one after another."""
    return lambda errands: ((shard, run_cell(shard[0].cell, shard[0].pipelines)) for shard in errands)


def test_what_cells_share_is_made_first_and_once(project: Path) -> None:
    found, log = cells(parameters(project), SMALL), []
    assert [cell.run for cell in found] == CELLS
    run_cell = lambda cell, pipelines: log.append((cell.run, pipelines[-1]))  # noqa: E731
    ended = list(run_all(found, one_by_one(run_cell), lambda: log.append("shared made")))
    assert log[0] == ("c-random-s0", "pool")
    assert sorted(log[1:3]) == [("c-random-s0", "pretext"), ("c-random-s1", "pretext")]
    assert log[3] == "shared made"
    assert sorted(log[4:]) == sorted((name, "cell") for name in CELLS)
    assert sorted((cell.run, reason) for cell, reason in ended) == sorted((name, None) for name in CELLS)


def test_cells_whose_pretext_network_failed_are_not_tried_and_the_others_go_on(project: Path) -> None:
    tried = []

    def failing(cell, pipelines):
        tried.append((cell.run, pipelines[-1]))
        return "no memory" if tried[-1] == ("c-random-s0", "pretext") else None

    ended = {cell.run: reason for cell, reason in run_all(cells(parameters(project), SMALL), one_by_one(failing))}
    assert ended == dict.fromkeys(CELLS[:2], "pretext of c-random-s0: no memory") | dict.fromkeys(CELLS[2:])
    assert ("c-margin-s0", "cell") not in tried
