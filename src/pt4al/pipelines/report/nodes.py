"""Nodes of stage `report` that compute tables."""

import numpy as np
import pandas as pd

from pt4al.annotation import audit
from pt4al.annotation.log import AnswerLog, effective
from pt4al.images.pool import ImagePool
from pt4al.pipelines.leakage import check_reads
from pt4al.pipelines.report.history import RunHistory, by_cycle
from pt4al.project.configuration.next_commands import baseline_of
from pt4al.project.runs.history import History
from pt4al.randomness import stream
from pt4al.statistics import correlation
from pt4al.statistics.label_value import LabellingPlan, label_value

AGAIN = {"report", "cold_start"}  # stages that are made again at each command


def collect_curve(
    pool: ImagePool, **metrics: dict[str, float]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the learning curve, one row a cycle, and the last cycle's metrics.

    `metrics`: `cycle_0.metrics` and so on. Column `pool` says which images were learnt from: curves
    of other pools can't be compared.
    """
    rows = list(by_cycle(metrics, "metrics").values())
    return pd.DataFrame(rows).assign(pool=pool.sha256[:12]), rows[-1]


def collect_audit(**audits: pd.DataFrame) -> pd.DataFrame:
    """Return the pretext audit, one row a cycle. `audits`: `cycle_1.audit` and so on."""
    return correlation.audit(by_cycle(audits, "audit"))


def check_leaks(
    history: RunHistory, chapters: History | None, test_pool: ImagePool, reads: pd.DataFrame
) -> pd.DataFrame:
    """Return whether queries and trainings read only labels that were asked for.

    Columns: `check`, `ok`, `found`. All readings of evaluations are in `reads`, since the history
    has the learning curve. `chapters`: with which settings the cycles were made.
    """
    budgets = history.settings.cycles.budgets
    if chapters is not None:
        budgets = [chapters.budget(cycle) for cycle in history.queries]
    compared = audit.compare(
        history.start_label_set,
        list(history.queries.values()),
        list(history.answers.values()),
        history.label_set,
        budgets,
        test_pool.ids,
    )
    return pd.concat([compared, check_reads(reads)], ignore_index=True)


def weigh(
    history: RunHistory,
    run_curves: dict[str, pd.DataFrame],
    answer_log: AnswerLog | None = None,
    **controls: dict,
) -> dict:
    """Return what the labels bought, by the metrics of each cycle's control slice.

    See `pt4al.statistics.label_value.label_value`. `controls`: `cycle_0.control` and so on.
    `answer_log`: of people, says what it took them.
    """
    measured = list(by_cycle(controls, "control").values())
    curve = pd.DataFrame(measured).rename(columns={history.task.metric: "value"})
    curve = curve.dropna(subset="value")[["labels", "value", "low", "high", "images"]]
    if curve.empty:
        return {}
    settings = history.settings
    to_come = settings.cycles.budgets[len(measured) :]
    plan = LabellingPlan(
        ahead=curve["labels"].iloc[-1] + np.cumsum(to_come, dtype=float),
        thresholds=settings.report.stop.model_dump(),
        price=settings.report.price.model_dump(),
    )
    given = None if answer_log is None else effective(answer_log.read())
    return label_value(
        curve,
        _reference(history, run_curves),
        plan,
        given,
        stream(settings.run.seed, "forecast"),
        nested=not settings.control.train,
    )


def without_repeats(timings: pd.DataFrame) -> pd.DataFrame:
    """Return timings in which a node that always runs counts once; what grew counts each time."""
    again = timings.duplicated(["stage", "node"], keep="last") & timings["stage"].isin(AGAIN)
    return timings[~again]


def _reference(history: RunHistory, run_curves: dict[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Return the curve of a run that chose at random from the same pool; None if there is none."""
    metric = history.task.metric
    pools = set(history.learning_curve["pool"])
    for name in [baseline_of(history.name), *history.settings.report.baselines]:
        curve = run_curves.get(name)
        if name == history.name or curve is None or metric not in curve:
            continue
        if set(curve["pool"]) == pools:
            return curve.rename(columns={metric: "value"})[["labels", "value"]].dropna()
    return None
