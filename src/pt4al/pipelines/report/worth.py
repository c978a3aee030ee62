"""Nodes of stage `report` for runs with control slices or reasons: what the labels bought, why each image was asked."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.agreement import agreement
from pt4al.annotation.log import AnswerLog
from pt4al.images.pool import ImagePool
from pt4al.plots import explanations as sheets
from pt4al.plots.label_value import draw
from pt4al.plots.style import pictures
from pt4al.project.configuration.parameters import check
from pt4al.randomness import stream
from pt4al.statistics import label_value as worths
from pt4al.training.tasks import TASKS


def weigh(
    learning_curve: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    parameters: dict,
    *controls: Any,
    history: pd.DataFrame | None = None,
) -> dict:
    """Return what the labels bought, by the control slices' metrics of each cycle: see `reporting.worth`.

    `history`: what people have answered.
    """
    settings = check(parameters)
    metric = TASKS[settings.main.task].metric
    curve = pd.DataFrame(controls).rename(columns={metric: "value"}).dropna(subset="value")
    curve = curve[["labels", "value", "low", "high", "images"]]
    if curve.empty:
        return {}
    found = worths.worth(
        curve,
        _reference(
            run_curves, learning_curve, settings.report.baselines, settings.run.name, metric
        ),
        curve["labels"].iloc[-1] + np.cumsum(settings.cycles.budgets[len(controls) :], dtype=float),
        settings.report.stop.model_dump(),
        settings.report.price.model_dump(),
        pd.Series(dtype=float) if history is None else history["seconds"],
        stream(settings.run.seed, "forecast"),
        nested=not settings.control.train,
    )
    return found | {"agreement": None if history is None else agreement(history)}


def weigh_people(answer_log: AnswerLog, *facts: Any) -> dict:
    """Return what the labels bought that people gave: how long it took them, and whether they agree."""
    return weigh(*facts, history=answer_log.read())


def draw_worth(worth: dict, parameters: dict) -> dict[str, bytes]:
    """Return the picture of what the labels bought; none before anything is measured."""
    metric = TASKS[check(parameters).main.task].metric
    return (
        pictures({"worth": partial(draw, worth["curve"], worth["forecast"], metric)})
        if worth
        else {}
    )


def draw_reasons(
    pool: ImagePool, label_set: pd.DataFrame, *reasons: pd.DataFrame
) -> dict[str, bytes]:
    """Return a sheet a cycle: why its images were chosen."""
    labels = label_set.set_index("id")["label"]
    shown = partial(_pictures, pool)
    return pictures(
        {
            f"reasons_{cycle}": partial(
                sheets.sheet, table, shown, labels, f"Query of cycle {cycle}: why these images"
            )
            for cycle, table in enumerate(reasons)
        }
    )


def _pictures(pool: ImagePool, ids: list[str]) -> np.ndarray:
    return pool.gather(pool.rows(pd.Series(ids))).numpy()


def _reference(
    run_curves: dict[str, pd.DataFrame],
    own: pd.DataFrame,
    baselines: list[str],
    name: str,
    metric: str,
) -> pd.DataFrame | None:
    """The learning curve of a run that chose at random from the same pool, if there is one."""
    for other in baselines:
        curve = run_curves.get(other)
        if (
            other != name
            and curve is not None
            and set(curve["pool"]) == set(own["pool"])
            and metric in curve
        ):
            return curve.rename(columns={metric: "value"})[["labels", "value"]].dropna()
    return None
