"""Benchmark `overhead`: the seconds that Kedro, MLflow and DVC add to the work."""

import tempfile
from pathlib import Path

import pandas as pd

from document import Section
from project import Done, Project
from pt4al.training.precision import Hardware

TEXT = """
Seconds from typing a command to its prompt: medians, and medians of the rounds' differences. The work is the run
`--env=tiny` (300 images, 3 cycles), from decoding to the learning curve; *plain* is `benchmarks/plain.py`, which does
the same with the core alone and leaves labels, networks and curve as plain files. Pages, pictures, reasons and checks,
which only Kedro's run makes, are work too: the seconds of their nodes are *apart* and not in *adds*. Both ways asked
for the same labels in each cycle; the hashes of the queries' ids are {queries}.
Goal: at most 10 s more than plain.

With DVC each stage is a process of its own, which pays for Kedro's start again: `dvc repro` took {repro:.0f} s for the
published run made as small as the tiny one (stages: {stages}). Stage `{stage}` does next to nothing, so its seconds are
those of a start.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Run tiny runs in a copy of the project, one way after the other."""
    repeats, stage = (1, "pool") if quick else (3, "ranking")
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder, "project"))
        params = f"engine.precision={hardware.precision}"
        rounds = [_round(project, params) for _ in range(repeats)]
        queries = {done.queries for ways in rounds for done in ways.values()}
        if len(queries) > 1:
            raise AssertionError(f"Kedro's runs and the plain ones ask for different labels: {queries}")
        whole, stages = _published(project, stage if quick else "")
        dvc = [_dvc(project, stage, stage if quick else "") for _ in range(repeats)]
    text = TEXT.format(queries=queries.pop(), repro=whole, stages=stages, stage=stage)
    return Section("overhead", _table(rounds, pd.DataFrame(dvc), stage), text)


def _round(project: Project, params: str) -> dict[str, Done]:
    """Do one run each way."""
    (project.folder / "mlflow.db").unlink(missing_ok=True)
    return {"fresh": project.kedro(params), "existing": project.kedro(params), "plain": project.plain(params)}


def _published(project: Project, part: str) -> tuple[float, int]:
    """Return the seconds of `dvc repro` and how many stages it ran."""
    project.shrink_published()
    project.time("dvc", "init", "--no-scm", "--quiet")
    seconds, output = project.time("dvc", "repro", *filter(None, [part]))
    return seconds, output.count("Running stage")


def _dvc(project: Project, stage: str, part: str) -> dict[str, float]:
    """Return the seconds of a `dvc repro` with nothing to do, and of one stage with and without DVC."""
    return {
        "no-op": project.time("dvc", "repro", *filter(None, [part]))[0],
        "stage": project.time("dvc", "repro", "--force", "--single-item", stage)[0],
        "kedro": project.time("kedro", "run", "--env=published", f"--pipelines={stage}")[0],
    }


def _table(rounds: list[dict[str, Done]], dvc: pd.DataFrame, stage: str) -> pd.DataFrame:
    takes = pd.DataFrame([{way: done.seconds for way, done in ways.items()} for ways in rounds])
    apart = pd.DataFrame([{way: done.apart for way, done in ways.items()} for ways in rounds])
    adds = (takes - apart).sub(takes["plain"], axis=0)
    rows = [
        ("`kedro run`, making mlflow.db", adds["fresh"], takes["fresh"], apart["fresh"]),
        ("`kedro run`, mlflow.db exists", adds["existing"], takes["existing"], apart["existing"]),
        ("plain", None, takes["plain"], None),
        (f"stage `{stage}` by `dvc repro`", dvc["stage"] - dvc["kedro"], dvc["stage"], None),
        (f"stage `{stage}` by `kedro run`", None, dvc["kedro"], None),
        ("`dvc repro`, nothing has changed", None, dvc["no-op"], None),
    ]
    told = [(what, *map(_median, seconds)) for what, *seconds in rows]
    return pd.DataFrame(told, columns=["what", "adds", "takes", "of it apart"])


def _median(seconds: pd.Series | None) -> str:
    return "" if seconds is None else f"{seconds.median():.1f} s"
