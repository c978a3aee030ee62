"""Nodes of stage `report`."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation import audit
from pt4al.images.pool import ImagePool
from pt4al.pages import render
from pt4al.pipelines.leakage import check_reads
from pt4al.plots import contact_sheets, heat_maps, mask_panels, run
from pt4al.plots.style import pictures
from pt4al.project.configuration.parameters import BESIDE, Cycles, Parameters, check, flat
from pt4al.statistics import correlation
from pt4al.statistics import feature_checks as feature_checking
from pt4al.statistics.label_savings import beside
from pt4al.training.tasks import TASKS, Task

METRICS = {"accuracy": "accuracy", "miou": "mean IoU"}
RANKED = {"strata"}  # strategies that look at the ranking, whatever the scope
AGAIN = {"report", "cold_start"}  # stages that are made again at each command
PANELS = 6  # images of the first query, which no model has seen
EXTREMES = 40  # pictures on the sheets of the hardest and the easiest
QUERIED = 60  # pictures, at most, on the sheet of a query


def collect_curve(
    pool: ImagePool, *metrics: dict[str, float]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the learning curve, one row a cycle, and the last cycle's metrics.

    Column `pool` says which images were learnt from: curves of other pools can't be compared.
    """
    return pd.DataFrame(metrics).assign(pool=pool.sha256[:12]), metrics[-1]


def collect_audit(*audits: pd.DataFrame) -> pd.DataFrame:
    """Return the pretext audit, one row a cycle from cycle 1 on."""
    return correlation.audit(dict(enumerate(audits, start=1)))


def check_leaks(
    start_label_set: pd.DataFrame,
    label_set: pd.DataFrame,
    test_pool: ImagePool,
    reads: pd.DataFrame,
    learning_curve: pd.DataFrame,
    cycles: Cycles,
    *asked: pd.DataFrame,
) -> pd.DataFrame:
    """Return `check`, `ok`, `found`: whether no query and no training read a label that was not asked for.

    `asked`: the queries, then the answers. The learning curve is only waited for: what the
    evaluations read is noted by then.
    """
    half = len(asked) // 2
    queries = list(asked[:half])
    answers = list(asked[half:])
    compared = audit.compare(
        start_label_set, queries, answers, label_set, cycles.budgets, test_pool.ids
    )
    return pd.concat([compared, check_reads(reads)], ignore_index=True)


def draw(
    pool: ImagePool,
    ranking: pd.DataFrame,
    ranking_agreement: pd.DataFrame,
    label_set: pd.DataFrame,
    classes: list[str],
    learning_curve: pd.DataFrame,
    pretext_audit: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    timings: pd.DataFrame,
    parameters: dict,
    *asked: Any,
) -> dict[str, bytes]:
    """Return every picture of the report, as PNG by name. `asked`: the queries, then the maps from cycle 1 on."""
    settings = check(parameters)
    queries = asked[: (len(asked) + 1) // 2]
    task = TASKS[settings.main.task]
    curves = {settings.run.name: learning_curve, **_baselines(settings, learning_curve, run_curves)}
    drawn = {
        "learning_curve": partial(run.learning_curve, curves, task.metric),
        "losses_by_batch": partial(run.losses_by_batch, ranking),
        "class_balance": partial(
            heat_maps.class_balance,
            _class_counts(label_set, classes, task),
            "pixels" if task.dense else "images",
        ),
        "audit": partial(run.audit, pretext_audit),
        "seconds_by_stage": partial(run.seconds_by_stage, once(timings)),
        "hardest": partial(
            _extremes,
            pool,
            ranking.sort_values("pretext_loss", ascending=False),
            "Hardest for the pretext task",
        ),
        "easiest": partial(
            _extremes, pool, ranking.sort_values("pretext_loss"), "Easiest for the pretext task"
        ),
    }
    if len(ranking_agreement):
        drawn["ranking_agreement"] = partial(heat_maps.ranking_agreement, ranking_agreement)
    labels = label_set.set_index("id")["label"]
    queries = [_shown(query, labels) for query in queries]
    drawn |= {
        f"query_{cycle}": partial(_query_sheet, pool, query, labels, cycle)
        for cycle, query in enumerate(queries)
    }
    if task.dense:
        drawn["iou_by_class"] = partial(
            heat_maps.iou_by_class, learning_curve.drop(columns="pool").to_dict("records")
        )
        mapped = [{}, *asked[len(queries) :]]
        for cycle, (query, maps) in enumerate(zip(asked[: len(queries)], mapped, strict=True)):
            shown = query["id"].isin(labels.index).to_numpy()
            maps = {name: drawn_map[shown[: len(drawn_map)]] for name, drawn_map in maps.items()}
            drawn[f"panels_{cycle}"] = partial(
                _panels, pool, queries[cycle], labels, maps, classes, cycle
            )
    return pictures(drawn)


def write_page(
    pictures: dict[str, bytes],
    learning_curve: pd.DataFrame,
    pretext_audit: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    timings: pd.DataFrame,
    problems: pd.DataFrame,
    duplicates: pd.DataFrame,
    leak_check: pd.DataFrame,
    pretext_checks: pd.DataFrame,
    feature_checks: pd.DataFrame,
    parameters: dict,
    worth: dict | None = None,
    worth_picture: dict[str, bytes] | None = None,
    reason_sheets: dict[str, bytes] | None = None,
    source_summary: dict | None = None,
    intake_link: str = "",
    probe_metrics: dict[str, float] | None = None,
) -> str:
    """Return the report as one HTML page."""
    settings = check(parameters)
    metric = TASKS[settings.main.task].metric
    baselines = _baselines(settings, learning_curve, run_curves)
    facts: dict[str, Any] = {
        "title": f"Active learning run {settings.run.name}",
        "run": flat(settings.model_dump(exclude=BESIDE)),
        "metric": {"key": metric, "name": METRICS[metric]},
        "intake": _intake(problems, duplicates),
        "source": source_summary,
        "intake_link": intake_link,
        "summary": learning_curve.drop(columns="pool").to_dict("records"),
        "baselines": list(baselines),
        "beside": [
            beside(learning_curve, curve, name, metric) for name, curve in baselines.items()
        ],
        "pretext_checks": pretext_checks.to_dict("records"),
        "features": settings.features.network,
        "feature_checks": feature_checks.to_dict("records"),
        "feature_verdict": _feature_verdict(settings, learning_curve, probe_metrics),
        "leaks": leak_check.to_dict("records"),
        "audit": pretext_audit.to_dict("records"),
        "figures": pictures | (worth_picture or {}) | (reason_sheets or {}),
        "worth": worth,
        "controlled": "images" in learning_curve,
        "seconds": float(once(timings)["seconds"].sum()),
        "notes": _notes(settings),
    }
    return render.render(facts)


def once(timings: pd.DataFrame) -> pd.DataFrame:
    """Return timings in which a node that always runs counts once, the last time; what grew counts each time."""
    again = timings.duplicated(["stage", "node"], keep="last") & timings["stage"].isin(AGAIN)
    return timings[~again]


def _notes(settings: Parameters) -> list[str]:
    """What a reader might otherwise take for granted."""
    notes = []
    query = settings.query
    unranked = (
        query.scope == "pool"
        and query.start != "even_intervals"
        and query.options.get("weight") != "loss"
    )
    if unranked and query.strategy not in RANKED:
        notes.append(
            "The ranking by pretext loss chose no image of this run; it is shown, and audited, all the same."
        )
    if settings.features.network != "pretext":
        notes.append(
            f"Features are those of {settings.features.network}, which others have trained on labelled photos: the "
            "labels counted here are not all that was ever labelled."
        )
    if settings.main.start_from == "pretext":
        notes.append(
            "Each cycle's network started from the trunk of the pretext network, which saw the pool unlabelled."
        )
    return notes


def _feature_verdict(
    settings: Parameters, curve: pd.DataFrame, probe: dict[str, float] | None
) -> str | None:
    if probe is None:
        return None
    return feature_checking.verdict(settings.features.network, probe, curve.iloc[-1].to_dict())


def _baselines(
    settings: Parameters, curve: pd.DataFrame, run_curves: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The curves of the runs to compare with that exist and learnt from the same pool."""
    return {
        name: run_curves[name]
        for name in settings.report.baselines
        if name in run_curves and name != settings.run.name and _comparable(run_curves[name], curve)
    }


def _comparable(other: pd.DataFrame, curve: pd.DataFrame) -> bool:
    return other["pool"].equals(curve["pool"]) and set(other.columns) == set(curve.columns)


def _intake(problems: pd.DataFrame, duplicates: pd.DataFrame) -> str | None:
    """What became of the source's files, where something did."""
    found = [
        f"{table['id'].nunique():,} {what}"
        for table, what in ((problems, "could not be used"), (duplicates, "occur more than once"))
        if len(table)
    ]
    return (
        f"Of the source's pictures {' and '.join(found)}: the intake report shows them."
        if found
        else None
    )


def _class_counts(label_set: pd.DataFrame, classes: list[str], task: Task) -> pd.DataFrame:
    """Labels, or pixels, of each class (row) in each cycle (column)."""
    counts = {}
    for cycle, answers in label_set.groupby("cycle"):
        numbers = task.targets(answers["label"], classes).flatten().numpy()
        counts[cycle] = np.bincount(numbers, minlength=256)[: len(classes)]
    return pd.DataFrame(counts, index=classes)


def _extremes(pool: ImagePool, ordered: pd.DataFrame, title: str) -> Any:
    shown = ordered.head(EXTREMES)
    captions = [f"{loss:.2g}" for loss in shown["pretext_loss"]]
    return contact_sheets.contact_sheet(
        pool.gather(pool.rows(shown["id"])).numpy(), captions, title=f"{title} (pretext loss)"
    )


def _shown(query: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """A query without images that have no label: people skipped them, or did not need them."""
    return query[query["id"].isin(labels.index)].reset_index(drop=True)


def _query_sheet(pool: ImagePool, query: pd.DataFrame, labels: pd.Series, cycle: int) -> Any:
    shown = query.head(QUERIED)
    scores = ["" if pd.isna(score) else f"\n{score:.2f}" for score in shown["score"]]
    names = ["" if isinstance(label, bytes) else label for label in labels.loc[shown["id"]]]
    captions = [f"{name}{score}".strip() for name, score in zip(names, scores, strict=True)]
    title = f"Query of cycle {cycle}: the first {len(shown)} of {len(query)} (label, score)"
    return contact_sheets.contact_sheet(
        pool.gather(pool.rows(shown["id"])).numpy(), captions, title=title
    )


def _panels(
    pool: ImagePool,
    query: pd.DataFrame,
    labels: pd.Series,
    maps: dict[str, np.ndarray],
    classes: list[str],
    cycle: int,
) -> Any:
    shown = query.head(len(maps["predictions"]) if maps else PANELS)
    truths = TASKS["segmentation"].targets(labels.loc[shown["id"]], classes).numpy()
    captions = ["" if pd.isna(score) else f"{score:.2f}" for score in shown["score"]]
    return mask_panels.panels(
        pool.gather(pool.rows(shown["id"])).numpy(),
        truths,
        maps.get("predictions"),
        maps.get("uncertainties"),
        classes,
        captions,
        title=f"Query of cycle {cycle}, as the model that chose it saw it"
        if maps
        else "Query of cycle 0",
    )
