"""Benchmark `overhead`: the seconds that Kedro, MLflow and DVC add to the work."""

import tempfile
from pathlib import Path

import pandas as pd

from document import Section
from project import Project
from pt4al.training.precision import Hardware

TEXT = """
Seconds from typing a command to its prompt: medians, and medians of the rounds' differences. The work is the run
`--env=tiny` (300 images, 3 cycles), all of it, from decoding to the report; *plain* is `benchmarks/plain.py`, which
does the same with the core alone and leaves its tables, networks and page as plain files. Both asked for the same
labels in each cycle; the hashes of the queries' ids are {queries}.
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
        runs, queries = zip(*(_runs(project, params) for _ in range(repeats)), strict=True)
        if len(set(queries)) > 1:
            raise AssertionError(f"rounds ask for different labels: {set(queries)}")
        whole, stages = _published(project, stage if quick else "")
        dvc = [_dvc(project, stage, stage if quick else "") for _ in range(repeats)]
    table = _table(pd.DataFrame(runs), pd.DataFrame(dvc), stage)
    return Section("overhead", table, TEXT.format(queries=queries[0], repro=whole, stages=stages, stage=stage))


def _runs(project: Project, params: str) -> tuple[dict[str, float], str]:
    """Return the seconds of one run each way, and the hashes of the queries, which must be the same."""
    (project.folder / "mlflow.db").unlink(missing_ok=True)
    found = {"fresh": project.kedro(params), "existing": project.kedro(params), "plain": project.plain(params)}
    queries = {way: hashes for way, (_, hashes) in found.items()}
    if len(set(queries.values())) > 1:
        raise AssertionError(f"Kedro's run and the plain one ask for different labels: {queries}")
    return {way: seconds for way, (seconds, _) in found.items()}, queries["plain"]


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


def _table(runs: pd.DataFrame, dvc: pd.DataFrame, stage: str) -> pd.DataFrame:
    def row(what: str, takes: pd.Series, less: pd.Series | None = None) -> dict[str, str]:
        adds = "" if less is None else f"{(takes - less).median():+.1f} s"
        return {"what": what, "adds": adds, "takes": f"{takes.median():.1f} s"}

    return pd.DataFrame(
        [
            row("`kedro run`, making mlflow.db", runs["fresh"], runs["plain"]),
            row("`kedro run`, mlflow.db exists", runs["existing"], runs["plain"]),
            row("plain", runs["plain"]),
            row(f"stage `{stage}` by `dvc repro`", dvc["stage"], dvc["kedro"]),
            row(f"stage `{stage}` by `kedro run`", dvc["kedro"]),
            row("`dvc repro`, nothing has changed", dvc["no-op"]),
        ]
    )
