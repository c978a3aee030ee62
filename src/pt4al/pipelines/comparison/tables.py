"""Collect what the cells of a comparison have left into tables, one row an observation."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.files import records
from pt4al.masks import count
from pt4al.pipelines.report.nodes import without_repeats
from pt4al.project.runs.folder import Runs
from pt4al.training.tasks import Task

CELL = ["arm", "seed", "repeat", "run"]
TIMINGS = ["stage", "node", "seconds"]


def curves(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and cycle: the cell, `cycle`, `labels`, `pool` and all metrics.

    Raises
    ------
    InputError
        If cells learnt from different images.
    """
    table = _stacked(plan, runs, "learning_curve.csv")
    other = table[table["pool"] != table["pool"].iloc[0]]
    if len(other):
        raise InputError(
            f"{other['run'].iloc[0]} learnt from other images than the cells before it: "
            "the source, or `pool`, has changed since; "
            "give the comparison another name (comparison.name=...)"
        )
    return table.assign(cycle=table.groupby("run").cumcount())


def queries(
    plan: pd.DataFrame, runs: Runs, classes: list[str], task: Task, cycles: int
) -> pd.DataFrame:
    """Return `images` (of masks: pixels) asked for so far, one row a cell, cycle and class."""
    tables = []
    for cell in plan.to_dict("records"):
        answers = runs[cell["run"]].read("label_set.parquet", cycles - 1)
        counted = np.zeros(len(classes), int)
        for cycle, asked in answers.groupby("cycle"):
            numbers = task.targets(asked["label"], classes).numpy()
            counted = counted + count(numbers, len(classes))
            rows = pd.DataFrame({"class": classes, "images": counted})
            tables.append(rows.assign(**{name: cell[name] for name in CELL}, cycle=cycle))
    return pd.concat(tables, ignore_index=True)


def seconds(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and stage: `seconds`.

    Cells that share a pretext network each count the time of the one that trained it; the pool,
    which all share, is left out.
    """
    table = _stacked(plan, runs, "timings.jsonl", reader=_timings, also=["pretext"])
    table = table[table["stage"] != "pool"].assign(
        stage=table["stage"].str.replace(r"cycle_\d+", "cycles", regex=True)
    )
    shared = table[table["stage"] == "pretext"].groupby("pretext")["seconds"].sum()
    own = (
        table[table["stage"] != "pretext"]
        .groupby([*CELL, "stage"], sort=False)["seconds"]
        .sum()
        .reset_index()
    )
    trained = plan[CELL].assign(stage="pretext", seconds=plan["pretext"].map(shared).fillna(0))
    return pd.concat([trained, own], ignore_index=True)


def audits(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return `images`, `correlation`, `low`, `high`; one row a cell and cycle but the first."""
    return _stacked(plan, runs, "pretext_audit.parquet")


def leaks(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and check: `check`, `ok`, `found`. Cells without checks have none."""
    table = _stacked(plan, runs, "leak_check.parquet")
    return table.reindex(columns=[*CELL, "check", "ok", "found"])


def _timings(path: Path) -> pd.DataFrame:
    return without_repeats(pd.DataFrame(records.rows(path, TIMINGS), columns=TIMINGS))


def _stacked(
    plan: pd.DataFrame,
    runs: Runs,
    file: str,
    reader: Callable[[Path], pd.DataFrame] | None = None,
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Return one file of all cells that have it, with these columns of the plan first."""
    columns = [*CELL, *also]
    tables = []
    for cell in plan.to_dict("records"):
        table = runs[cell["run"]].read(file, reader=reader)
        if table is not None and len(table):
            tables.append(table.assign(**{column: cell[column] for column in columns}))
    if not tables:
        return pd.DataFrame(columns=columns)
    together = pd.concat(tables, ignore_index=True)
    return together[columns + [column for column in together if column not in columns]]
