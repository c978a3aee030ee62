"""Node of stage `report` that writes the page."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pt4al.pages.facts import METRICS, RunPage, Source
from pt4al.pages.run import render_run_page
from pt4al.pipelines.report.history import RunHistory
from pt4al.pipelines.report.nodes import without_repeats
from pt4al.pipelines.report.suspects import suspect_facts
from pt4al.project.configuration.identity import BESIDE, flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.statistics import feature_checks as features
from pt4al.statistics.label_savings import compare_in_words

RANKED = {"strata"}  # these look at the ranking, whatever the scope


@dataclass(frozen=True)
class PageInputs:
    """What the page is made from: a field has the name of its dataset."""

    run_history: RunHistory
    run_curves: dict[str, pd.DataFrame]
    timings: pd.DataFrame
    problems: pd.DataFrame
    duplicates: pd.DataFrame
    source_summary: dict
    intake_link: str
    next_commands: dict[str, str]
    pretext_checks: pd.DataFrame
    feature_checks: pd.DataFrame
    leak_check: pd.DataFrame
    pictures: dict[str, bytes]
    reason_sheets: dict[str, bytes] = field(default_factory=dict)
    worth: dict | None = None
    worth_picture: dict[str, bytes] = field(default_factory=dict)
    probe_metrics: dict[str, float] | None = None
    suspects: pd.DataFrame | None = None


def write_page(**inputs: Any) -> str:
    """Return the report as one HTML page. `inputs`: see PageInputs."""
    return render_run_page(_facts(PageInputs(**inputs)))


def _facts(inputs: PageInputs) -> RunPage:
    history = inputs.run_history
    settings = history.settings
    curve = history.learning_curve
    metric = METRICS[history.task.metric]
    baselines = history.baselines(inputs.run_curves)
    return RunPage(
        title=f"Active learning run {history.name}",
        run=flat(settings.model_dump(exclude=BESIDE)),
        metric=metric,
        intake=_intake(inputs.problems, inputs.duplicates),
        source=Source(**inputs.source_summary),
        intake_link=inputs.intake_link,
        next_commands=inputs.next_commands,
        summary=curve.drop(columns="pool").to_dict("records"),
        controlled="images" in curve,
        baselines=list(baselines),
        beside=[
            compare_in_words(curve, other, name, metric.key) for name, other in baselines.items()
        ],
        pretext_checks=inputs.pretext_checks.to_dict("records"),
        features=settings.features.network,
        feature_checks=inputs.feature_checks.to_dict("records"),
        feature_verdict=_feature_verdict(history, inputs.probe_metrics),
        leaks=inputs.leak_check.to_dict("records"),
        audit=history.pretext_audit.to_dict("records"),
        figures=inputs.pictures | inputs.worth_picture | inputs.reason_sheets,
        worth=inputs.worth,
        suspects=suspect_facts(inputs.suspects, history.pool),
        seconds=float(without_repeats(inputs.timings)["seconds"].sum()),
        notes=_notes(settings),
    )


def _notes(settings: Parameters) -> list[str]:
    """Return what a reader might otherwise take for granted."""
    notes = []
    if not _uses_ranking(settings):
        notes.append(
            "The ranking by pretext loss chose no image of this run; it is shown, and audited, all "
            "the same."
        )
    if settings.features.network != "pretext":
        notes.append(
            f"Features are those of {settings.features.network}, which others have trained on "
            "labelled photos: the labels counted here are not all that was ever labelled."
        )
    if settings.main.start_from == "pretext":
        notes.append(
            "Each cycle's network started from the trunk of the pretext network, which saw the "
            "pool unlabelled."
        )
    return notes


def _uses_ranking(settings: Parameters) -> bool:
    query = settings.query
    return (
        query.scope != "pool"
        or query.start == "even_intervals"
        or query.options.get("weight") == "loss"
        or query.strategy in RANKED
    )


def _feature_verdict(history: RunHistory, probe: dict[str, float] | None) -> str | None:
    if probe is None:
        return None
    trained = history.learning_curve.iloc[-1].to_dict()
    return features.verdict(history.settings.features.network, probe, trained)


def _intake(problems: pd.DataFrame, duplicates: pd.DataFrame) -> str | None:
    """Return what became of the source's files; None where nothing did."""
    parts = []
    if len(problems):
        parts.append(f"{problems['id'].nunique():,} could not be used")
    if len(duplicates):
        parts.append(f"{duplicates['id'].nunique():,} occur more than once")
    if not parts:
        return None
    return f"Of the source's pictures {' and '.join(parts)}: the intake report shows them."
