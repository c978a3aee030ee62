"""Nodes of stage `comparison`."""

import logging
import math
import os
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from tqdm import tqdm

from pt4al.cluster.seam import LOCAL, Cluster
from pt4al.errors import InputError, counted
from pt4al.files import records
from pt4al.pages.comparison import draw_comparison, render_comparison_page
from pt4al.pages.facts import ComparisonPage, Metric
from pt4al.pipelines.comparison import tables
from pt4al.pipelines.comparison.execution import Progress, run_all
from pt4al.pipelines.comparison.plan import Cell, cells
from pt4al.pipelines.comparison.workers import Workers
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import Runs
from pt4al.randomness import stream
from pt4al.statistics.comparison import ComparisonSettings, compare
from pt4al.statistics.verdict import Rule
from pt4al.training.tasks import TASKS

logger = logging.getLogger(__name__)


def run_cells(
    plan: pd.DataFrame, parameters: dict, project: dict[str, Any], runs: Runs
) -> pd.DataFrame:
    """Run the cells that are not finished; return the plan with each run's page, `report`.

    Raises
    ------
    InputError
        If cells failed, once the others are finished.
    """
    checked = parse(parameters)
    comparison = checked.comparison
    left = [cell for cell in cells(parameters, project["typed"]) if not _finished(cell, runs)]
    folder = runs[comparison.name].reports
    done = len(plan) - len(left)
    logger.info(
        "%d of %d cells are finished; %s/plan.csv has the command of each", done, len(plan), folder
    )
    workers = Workers(project, (folder / "logs").resolve(), _cluster(checked))
    failed = {}
    progress = Progress(len(left))
    with tqdm(total=len(left), desc="cells", unit=" cells", disable=None) as bar:
        for cell, reason in run_all(left, workers.run, progress.restart):
            bar.update()
            if reason is not None:
                failed[cell.run] = reason
            logger.info(progress.line(cell, "failed" if reason else _result(cell, runs)))
    if failed:
        named = [f"  {run}: {reason}" for run, reason in failed.items()]
        done = (
            f"{len(failed)} of {len(plan)} cells failed; what is finished stays, and the same "
            "command goes on:"
        )
        raise InputError("\n".join([done, *named]))
    return plan.assign(report=[_link(runs, run) for run in plan["run"]])


def collect(
    finished: pd.DataFrame, classes: list[str], parameters: dict, runs: Runs
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return learning curves, classes asked for, seconds, audits and leak checks of the cells."""
    settings = parse(parameters)
    return (
        tables.curves(finished, runs),
        tables.queries(finished, runs, classes, TASKS[settings.main.task], settings.cycles.number),
        tables.seconds(finished, runs),
        tables.audits(finished, runs),
        tables.leaks(finished, runs),
    )


@dataclass(frozen=True)
class CellTables:
    """Tables of all cells of a comparison, with columns `arm` and `seed`."""

    curves: pd.DataFrame
    queries: pd.DataFrame
    seconds: pd.DataFrame
    audits: pd.DataFrame
    leaks: pd.DataFrame


def judge(
    finished: pd.DataFrame, parameters: dict, runs: Runs, **collected: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, bytes], str]:
    """Return a comparison's summary, paired tests, penalties, savings, pictures and page.

    `collected` are the fields of `CellTables`.
    """
    left = CellTables(**collected)
    checked = parse(parameters)
    comparison = checked.comparison
    task = TASKS[checked.main.task]
    metric = task.metric
    settings = ComparisonSettings(
        metric=metric,
        reference=comparison.reference,
        rule=Rule(**comparison.rule.model_dump()),
        low_budget=comparison.low_budget,
        others={name: read_others(name, metric, runs) for name in comparison.others},
    )
    results = compare(left.curves, settings, stream(0, "bootstrap"))
    # The repetition of an arm is there for the noise floor alone.
    once = {"queries": left.queries, "seconds": left.seconds, "audits": left.audits}
    once = {name: table[table["repeat"] == 0] for name, table in once.items()}
    pictures = draw_comparison(results, {"cells": left.curves, **once}, settings)
    page = render_comparison_page(
        ComparisonPage(
            title=f"Comparison {comparison.name}",
            metric=Metric(*task.metrics[0]),
            results=results,
            settings=settings,
            arms={arm: _words(comparison.arms[arm]) for arm in comparison.compared},
            runs=finished,
            leaks=left.leaks,
            seconds=once["seconds"],
            figures=pictures,
        )
    )
    logger.info("%s", results.verdict.headline)
    penalties = results.penalties.rename_axis("arm").reset_index()
    return results.summary, results.paired, penalties, results.savings, pictures, page


def _finished(cell: Cell, runs: Runs) -> bool:
    run = runs[cell.run]
    curve = run.read("learning_curve.csv")
    number = cell.parameters.cycles.number
    whole = curve is not None and len(curve) == number
    made = [run.newest(name) for name in ("pretext_audit.parquet", "leak_check.parquet")]
    made.append(run.newest("label_set.parquet", number - 1))
    return whole and None not in made and _logged(cell, runs)  # a damaged one may have been removed


def _logged(cell: Cell, runs: Runs) -> bool:
    """Whether MLflow has all of a cell: it may have been away, or the process killed."""
    row = runs[cell.run].newest("mlflow_run.json")
    return row is None or records.recall(row).get("logged", True)


def _result(cell: Cell, runs: Runs) -> str:
    metric = TASKS[cell.parameters.main.task].metric
    curve = runs[cell.run].read("learning_curve.csv")
    return f"{metric} {100 * curve[metric].iloc[-1]:.1f} %"


def _cluster(parameters: Parameters) -> Cluster:
    """Return who runs cells: on a cluster as many at once as the engine's workers may be."""
    cluster = parameters.engine.workforce
    comparison = parameters.comparison
    workers = cluster.workers
    if cluster.address == LOCAL:
        workers = comparison.workers
        _warn_of_threads(workers, comparison.threads)
    return replace(
        cluster, workers=workers, threads=comparison.threads, patience=math.inf, warm=False
    )


def _warn_of_threads(workers: int, threads: int) -> None:
    cores = os.cpu_count() or 1
    if workers * threads > cores:
        logger.warning(
            "%s of %s on %s get in each other's way, up to ten times slower: "
            "lower comparison.workers or comparison.threads",
            counted(workers, "worker"),
            counted(threads, "thread"),
            counted(cores, "core"),
        )


def _link(runs: Runs, run: str) -> str:
    """Where a run's page is, seen from the comparison's; empty where nobody has asked for one."""
    folder = runs[run]
    version = folder.newest("report.html")
    if version is None:
        return ""
    plain = folder.reports / version.name
    page = plain if plain.is_file() else version
    return f"../{page.relative_to(folder.reports.parent).as_posix()}"


def read_others(name: str, metric: str, runs: Runs) -> pd.DataFrame:
    """Return the cells of a comparison on other data.

    InputError if there are none, or of another metric.
    """
    table = runs[name].read("cells.csv")
    if table is None or metric not in table:
        lack = "is not there: run it first" if table is None else f"has no {metric}"
        raise InputError(f"`comparison.others`: {name} {lack}")
    return table


def _words(settings: dict) -> str:
    return (
        ", ".join(f"{name}: {value}" for name, value in flat(settings).items()) or "as the default"
    )
