"""Collect what the cells of a comparison have left into tables, one row an observation."""

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.pipelines.comparison.runs import Runs
from pt4al.pipelines.report.nodes import without_repeats
from pt4al.training.tasks import Task

CELL = ["arm", "seed", "repeat", "run"]


def curves(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and cycle: the cell, `cycle`, `labels`, `pool` and all metrics.

    Raises
    ------
    InputError
        If cells learnt from different images.
    """
    table = _stacked(plan, runs, "learning_curve")
    other = table[table["pool"] != table["pool"].iloc[0]]
    if len(other):
        raise InputError(
            f"{other['run'].iloc[0]} learnt from other images than the cells before it: the source, or "
            "`pool`, has changed since; give the comparison another name (comparison.name=...)"
        )
    return table.assign(cycle=table.groupby("run").cumcount())


def queries(
    plan: pd.DataFrame, runs: Runs, classes: list[str], task: Task, cycles: int
) -> pd.DataFrame:
    """Return one row a cell, cycle and class: `images` (of masks: pixels) of that class asked for so far."""
    found = []
    for cell in plan.to_dict("records"):
        answers = runs.read("label_set", cell["run"], cycle=f"cycle_{cycles - 1}")
        counted = np.zeros(len(classes), int)
        for cycle, asked in answers.groupby("cycle"):
            numbers = task.targets(asked["label"], classes).flatten().numpy()
            # Masks may hold 255, which stands for no class.
            counted = counted + np.bincount(numbers, minlength=256)[: len(classes)]
            rows = pd.DataFrame({"class": classes, "images": counted})
            found.append(rows.assign(**{name: cell[name] for name in CELL}, cycle=cycle))
    return pd.concat(found, ignore_index=True)


def seconds(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and stage: `seconds`.

    Cells that share a pretext network each count the time of the one that trained it; the pool,
    which all share, is left out.
    """
    table = _stacked(plan, runs, "timings", also=["pretext"])
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
    """Return one row a cell and cycle from the second on: `images`, `correlation`, `low`, `high`."""
    return _stacked(plan, runs, "pretext_audit")


def leaks(plan: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Return one row a cell and check: `check`, `ok`, `found`. Cells without checks have none."""
    return _stacked(plan, runs, "leak_check").reindex(columns=[*CELL, "check", "ok", "found"])


def _stacked(
    plan: pd.DataFrame, runs: Runs, name: str, also: list[str] | None = None
) -> pd.DataFrame:
    columns = CELL + (also or [])
    tables = {cell["run"]: runs.read(name, cell["run"]) for cell in plan.to_dict("records")}
    if name == "timings":
        tables = {
            run: table if table is None else without_repeats(table) for run, table in tables.items()
        }
    found = [
        table.assign(**{column: cell[column] for column in columns})
        for cell in plan.to_dict("records")
        if (table := tables[cell["run"]]) is not None and len(table)
    ]
    if not found:
        return pd.DataFrame(columns=columns)
    together = pd.concat(found, ignore_index=True)
    return together[columns + [column for column in together if column not in columns]]
