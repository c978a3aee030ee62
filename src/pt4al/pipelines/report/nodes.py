"""Nodes of stage `report`."""

from typing import Any

import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.parameters import Parameters, check, flat
from pt4al.reporting import figures, page, statistics

EXTREMES = 40  # pictures on the sheets of the hardest and the easiest
QUERIED = 60  # pictures, at most, on the sheet of a query


def collect_curve(pool: ImagePool, *metrics: dict[str, float]) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the learning curve, one row a cycle, and the last cycle's metrics.

    Column `pool` says which images were learnt from: curves of other pools can't be compared.
    """
    return pd.DataFrame(metrics).assign(pool=pool.sha256[:12]), metrics[-1]


def collect_audit(*audits: pd.DataFrame) -> pd.DataFrame:
    """Return the pretext audit, one row a cycle from cycle 1 on."""
    return statistics.audit(dict(enumerate(audits, start=1)))


def draw(
    pool: ImagePool,
    ranking: pd.DataFrame,
    label_set: pd.DataFrame,
    classes: list[str],
    learning_curve: pd.DataFrame,
    pretext_audit: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    timings: pd.DataFrame,
    parameters: dict,
    *queries: pd.DataFrame,
) -> dict[str, bytes]:
    """Return every picture of the report, as PNG by name."""
    settings = check(parameters)
    curves = {settings.run.name: learning_curve, **_baselines(settings, learning_curve, run_curves)}
    drawn = {
        "learning_curve": figures.learning_curve(curves),
        "losses_by_batch": figures.losses_by_batch(ranking),
        "class_balance": figures.class_balance(label_set, classes),
        "audit": figures.audit(pretext_audit),
        "seconds_by_stage": figures.seconds_by_stage(timings),
        "hardest": _extremes(
            pool, ranking.sort_values("pretext_loss", ascending=False), "Hardest for the pretext task"
        ),
        "easiest": _extremes(pool, ranking.sort_values("pretext_loss"), "Easiest for the pretext task"),
    }
    labels = label_set.set_index("id")["label"]
    sheets = {f"query_{cycle}": _query_sheet(pool, query, labels, cycle) for cycle, query in enumerate(queries)}
    return {name: figures.png(figure) for name, figure in (drawn | sheets).items()}


def write_page(
    pictures: dict[str, bytes],
    learning_curve: pd.DataFrame,
    pretext_audit: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    timings: pd.DataFrame,
    parameters: dict,
) -> str:
    """Return the report as one HTML page."""
    settings = check(parameters)
    facts: dict[str, Any] = {
        "title": f"Active learning run {settings.run.name}",
        "run": flat(settings.model_dump(exclude={"report"})),
        "summary": learning_curve.drop(columns="pool").to_dict("records"),
        "baselines": list(_baselines(settings, learning_curve, run_curves)),
        "audit": pretext_audit.to_dict("records"),
        "figures": pictures,
        "seconds": float(timings["seconds"].sum()),
        "notes": _notes(settings),
    }
    return page.render(facts)


def _notes(settings: Parameters) -> list[str]:
    """What a reader might otherwise take for granted."""
    notes = []
    if settings.query.scope == "pool" and settings.query.start == "random":
        notes.append("The ranking by pretext loss chose no image of this run; it is shown, and audited, all the same.")
    if settings.main.start_from == "pretext":
        notes.append(
            "Each cycle's network started from the trunk of the pretext network, which saw the pool unlabelled."
        )
    return notes


def _baselines(
    settings: Parameters, curve: pd.DataFrame, run_curves: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The curves of the runs to compare with that exist and learnt from the same pool."""
    return {
        name: run_curves[name]
        for name in settings.report.baselines
        if name in run_curves and name != settings.run.name and run_curves[name]["pool"].equals(curve["pool"])
    }


def _extremes(pool: ImagePool, ordered: pd.DataFrame, title: str) -> Any:
    shown = ordered.head(EXTREMES)
    captions = [f"{loss:.2g}" for loss in shown["pretext_loss"]]
    return figures.contact_sheet(pool.gather(pool.rows(shown["id"])).numpy(), captions, title=f"{title} (pretext loss)")


def _query_sheet(pool: ImagePool, query: pd.DataFrame, labels: pd.Series, cycle: int) -> Any:
    shown = query.head(QUERIED)
    scores = ["" if pd.isna(score) else f"\n{score:.2f}" for score in shown["score"]]
    captions = [f"{label}{score}" for label, score in zip(labels.loc[shown["id"]], scores, strict=True)]
    title = f"Query of cycle {cycle}: the first {len(shown)} of {len(query)} (label, score)"
    return figures.contact_sheet(pool.gather(pool.rows(shown["id"])).numpy(), captions, title=title)
