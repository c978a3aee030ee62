"""Nodes of stage `report` that draw."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pt4al.errors import counted
from pt4al.files.stored_table import StoredTable
from pt4al.images.pool import ImagePool
from pt4al.masks import count
from pt4al.pipelines.report.history import RunHistory, by_cycle, turns_of
from pt4al.pipelines.report.nodes import without_repeats
from pt4al.plots import heat_maps, run
from pt4al.plots.contact_sheets import contact_sheet, differing
from pt4al.plots.explanations import explanation_sheet
from pt4al.plots.label_value import draw_label_value
from pt4al.plots.mask_panels import mask_panels
from pt4al.plots.style import pictures
from pt4al.project.runs.history import History
from pt4al.selection.why import sentence

Drawings = dict[str, Callable[[], Figure | bytes]]
Maps = dict[str, np.ndarray]  # `predictions` and `uncertainties` of the first images of a query

PANELS = 6  # images of the first query, which no model has seen
EXTREMES = 40  # pictures on the sheets of the hardest and the easiest
QUERIED = 60  # pictures, at most, on the sheet of a query


def draw_pictures(
    history: RunHistory,
    ranking: StoredTable,
    ranking_agreement: pd.DataFrame,
    curves: dict[str, pd.DataFrame],
    timings: pd.DataFrame,
    chapters: History | None,
    **maps: Maps,
) -> dict[str, bytes]:
    """Return every picture of the report by name. `maps`: `cycle_1.maps` and so on.

    `curves`: the run's own first, see `judge_run`.
    """
    turns = {} if chapters is None else turns_of(history.learning_curve, chapters)
    ranked = ranking.read(["id", "pretext_loss", "batch"])
    drawings: Drawings = {
        "learning_curve": partial(run.learning_curve, curves, history.task.metric, turns),
        "losses_by_batch": partial(run.losses_by_batch, ranked),
        "audit": partial(run.audit, history.pretext_audit),
        "seconds_by_stage": partial(run.seconds_by_stage, without_repeats(timings)),
        **_class_drawings(history),
        **_extreme_drawings(history.pool, ranked),
    }
    if len(ranking_agreement):
        drawings["ranking_agreement"] = partial(heat_maps.ranking_agreement, ranking_agreement)
    labels = history.labels
    seen_by_models = by_cycle(maps, "maps")
    for cycle, query in history.queries.items():
        labelled = _answered(history, query, cycle)
        shown = query[labelled].reset_index(drop=True)
        drawings[f"query_{cycle}"] = partial(_query_sheet, history.pool, shown, labels)
        if history.task.dense:
            seen = {
                name: values[labelled[: len(values)]]
                for name, values in seen_by_models.get(cycle, {}).items()
            }
            drawings[f"panels_{cycle}"] = partial(_query_panels, history, shown, seen, cycle)
    return pictures(drawings)


def _answered(history: RunHistory, query: pd.DataFrame, cycle: int) -> np.ndarray:
    """Return which images of a query were asked for and labelled, (N,), bool.

    People skip images; and of those that stand in for skipped ones, what was not needed may have
    been asked for in a later cycle.
    """
    cycles = history.label_set.set_index("id")["cycle"].reindex(query["id"]).to_numpy(float)
    if "role" not in query:
        return ~np.isnan(cycles)
    spare = query["role"].to_numpy() == "reserve"
    return np.where(spare, cycles == cycle, ~np.isnan(cycles))


def draw_worth(worth: dict, history: RunHistory) -> dict[str, bytes]:
    """Return the picture of what the labels bought; none before anything is measured."""
    if not worth:
        return {}
    metric = history.task.metric
    return pictures({"worth": partial(draw_label_value, worth["curve"], worth["forecast"], metric)})


def draw_reasons(history: RunHistory, **reasons: pd.DataFrame) -> dict[str, bytes]:
    """Return a sheet a cycle: why its images were chosen. `reasons`: `cycle_0.reasons` ..."""
    drawings: Drawings = {}
    for cycle, table in by_cycle(reasons, "reasons").items():
        drawings[f"reasons_{cycle}"] = partial(
            explanation_sheet,
            table,
            partial(_images, history.pool),
            history.labels,
            _why,
        )
    return pictures(drawings)


def _why(reason: Mapping[str, Any]) -> str:
    """Return why an image was chosen; of runs of older versions, what is known of it."""
    said = sentence(reason)
    if said is not None:
        return said
    known = [] if pd.isna(reason["score"]) else [f"Score {reason['score']:.3f}."]
    others = int(reason["stands_for"]) - 1
    known.append(f"Stands for {counted(others, 'other unlabelled image')}.")
    return " ".join(known)


def _class_drawings(history: RunHistory) -> Drawings:
    counts = _class_counts(history)
    when = "cycle"
    if history.settings.oracle.kind == "people":  # who know cycle 0 as round 1
        when = "round"
        counts.columns += 1
    if not history.task.dense:
        return {"class_balance": partial(heat_maps.class_balance, counts, "images", when)}
    metrics = history.learning_curve.drop(columns="pool").to_dict("records")
    return {
        "class_balance": partial(heat_maps.class_balance, counts, "pixels", when),
        "iou_by_class": partial(heat_maps.iou_by_class, metrics),
    }


def _class_counts(history: RunHistory) -> pd.DataFrame:
    """Return labels, or pixels, of each class (row) in each cycle (column)."""
    classes = history.classes
    counts = {}
    for cycle, answers in history.label_set.groupby("cycle"):
        numbers = history.task.targets(answers["label"], classes).numpy()
        counts[cycle] = count(numbers, len(classes))
    return pd.DataFrame(counts, index=classes)


def _extreme_drawings(pool: ImagePool, ranking: pd.DataFrame) -> Drawings:
    hardest = ranking.sort_values("pretext_loss", ascending=False)
    easiest = ranking.sort_values("pretext_loss")
    return {
        "hardest": partial(_extremes, pool, hardest, "highest"),
        "easiest": partial(_extremes, pool, easiest, "lowest"),
    }


def _extremes(pool: ImagePool, ordered: pd.DataFrame, which: str) -> bytes:
    shown = ordered.head(EXTREMES)
    captions = differing(list(shown["pretext_loss"]))
    title = f"The {len(shown):,} of {len(ordered):,} images with the {which} pretext loss"
    return contact_sheet(_images(pool, shown["id"]), captions, title)


def _query_sheet(pool: ImagePool, query: pd.DataFrame, labels: pd.Series) -> bytes:
    shown = query.head(QUERIED)
    scores = ["" if pd.isna(score) else f"\n{score:.2f}" for score in shown["score"]]
    names = ["" if isinstance(label, bytes) else label for label in labels.loc[shown["id"]]]
    captions = [f"{name}{score}".strip() for name, score in zip(names, scores, strict=True)]
    under = "label and score" if any(scores) else "label"
    title = f"The first {len(shown):,} of {len(query):,}, with {under}"
    if len(shown) == len(query):
        title = f"All {len(query):,}, with {under}"
    return contact_sheet(_images(pool, shown["id"]), captions, title)


def _query_panels(history: RunHistory, query: pd.DataFrame, maps: Maps, cycle: int) -> bytes:
    title = "Query of cycle 0"
    count = PANELS
    if maps:
        title = f"Query of cycle {cycle}, as the model that chose it saw it"
        count = len(maps["predictions"])
    shown = query.head(count)
    truths = history.task.targets(history.labels.loc[shown["id"]], history.classes).numpy()
    captions = ["" if pd.isna(score) else f"{score:.2f}" for score in shown["score"]]
    return mask_panels(
        _images(history.pool, shown["id"]),
        truths,
        maps.get("predictions"),
        maps.get("uncertainties"),
        history.classes,
        captions,
        title,
    )


def _images(pool: ImagePool, ids: pd.Series | list[str]) -> np.ndarray:
    return pool.gather(pool.rows(pd.Series(ids))).numpy()
