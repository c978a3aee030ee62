"""Node of stage `report` that writes the page."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pt4al.pages.facts import Failures, Metric, RunPage, Source, Step
from pt4al.pages.run import render_run_page
from pt4al.pipelines.report import identity
from pt4al.pipelines.report.agreement import with_pictures
from pt4al.pipelines.report.history import RunHistory
from pt4al.pipelines.report.nodes import without_repeats
from pt4al.pipelines.report.suspects import suspect_facts
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.next_commands import (
    chooses_at_random,
    one_more_round,
    use_model,
)
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.history import History
from pt4al.statistics import feature_checks as features
from pt4al.statistics.label_savings import compare_in_words


@dataclass(frozen=True)
class PageInputs:
    """What the page is made from: a field has the name of its dataset."""

    run_history: RunHistory
    chapters: History | None
    curves: dict[str, pd.DataFrame]
    verdict: dict[str, Any]
    failures: dict[str, Any]
    failure_pictures: dict[str, bytes]
    default_parameters: dict[str, Any]
    runs: Runs
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
    map_preview: dict[str, bytes] = field(default_factory=dict)
    worth: dict | None = None
    worth_picture: dict[str, bytes] = field(default_factory=dict)
    probe_metrics: dict[str, float] | None = None
    suspects: pd.DataFrame | None = None
    agreement: dict[str, Any] = field(default_factory=dict)


def write_page(**inputs: Any) -> str:
    """Return the report as one HTML page. `inputs`: see PageInputs."""
    return render_run_page(_facts(PageInputs(**inputs)))


def _facts(inputs: PageInputs) -> RunPage:
    history = inputs.run_history
    settings = history.settings
    curve = history.learning_curve
    return RunPage(
        title=f"Active learning run {history.name}",
        marks=identity.marks(history, inputs.runs[history.name]),
        verdict=inputs.verdict,
        metrics=[Metric(*metric) for metric in history.task.metrics],
        intake=_intake(inputs.problems, inputs.duplicates),
        source=Source(**inputs.source_summary),
        intake_link=inputs.intake_link,
        steps=_steps(history, inputs.verdict, inputs.next_commands),
        summary=curve.drop(columns="pool").to_dict("records"),
        controlled="images" in curve,
        people=settings.oracle.kind == "people",
        beside=_beside(history, inputs.curves, inputs.verdict),
        failures=_failures(inputs),
        pretext_checks=inputs.pretext_checks.to_dict("records"),
        features=settings.features.network,
        feature_checks=inputs.feature_checks.to_dict("records"),
        feature_verdict=_feature_verdict(history, inputs.probe_metrics),
        ranked=settings.query.uses_ranking,
        leaks=inputs.leak_check.to_dict("records"),
        audit=history.pretext_audit.to_dict("records"),
        figures=_figures(inputs),
        worth=inputs.worth,
        suspects=suspect_facts(inputs.suspects, history.pool),
        agreement=with_pictures(inputs.agreement, history.pool),
        seconds=float(without_repeats(inputs.timings)["seconds"].sum()),
        notes=_notes(settings) + _given_again(history) + _turns(inputs.chapters),
        changed=identity.changed_settings(settings, inputs.default_parameters),
        settings=identity.all_settings(settings),
    )


def _figures(inputs: PageInputs) -> dict[str, bytes]:
    drawn = inputs.pictures | inputs.worth_picture | inputs.reason_sheets
    return drawn | inputs.map_preview


def _beside(
    history: RunHistory, curves: dict[str, pd.DataFrame], verdict: dict[str, Any]
) -> list[str]:
    """Return a sentence on each run that is shown beside this one, as far as the headline says less."""
    own = history.learning_curve
    key = history.metric.key
    return [
        compare_in_words(own, curve, name, key)
        for name, curve in curves.items()
        if name != history.name and (name != verdict["random"] or verdict["outcome"] == "above")
    ]


def _failures(inputs: PageInputs) -> Failures | None:
    if not inputs.failures:
        return None
    return Failures(**inputs.failures, pictures=inputs.failure_pictures)


def _steps(history: RunHistory, verdict: dict[str, Any], commands: dict[str, str]) -> list[Step]:
    """Return what is still missing, and the commands that bring it."""
    settings = history.settings
    at_random = chooses_at_random(flat(settings.model_dump(mode="json")))
    steps = []
    if len(history.learning_curve) < settings.cycles.number:
        label = f"kedro label --run={history.name}"
        if history.task.dense:
            label = f"kedro label-studio push --run={history.name}"
        steps.append(Step("The next round: label, then go on:", [label, commands["run"]]))
    elif settings.oracle.kind == "people":
        steps += _after_people(history, commands)
    elif _has_room(history):
        steps.append(Step("One more cycle:", [commands["longer"]]))
    if at_random or "images" in history.learning_curve:
        return steps
    if verdict["random"] is None:
        why = (
            "Whether choosing helped: a run like this one that chooses at random, and then this "
            "page again:"
        )
        steps.insert(0, Step(why, [commands["baseline"], commands["report"]]))
    elif commands["comparison"]:
        why = "One run each is an indication: the same by many seeds, by a rule stated before:"
        steps.insert(0, Step(why, [commands["comparison"]]))
    else:
        why = (
            "One run each is an indication: the same with another seed, and its baseline after it:"
        )
        steps.insert(0, Step(why, [commands["seed"]]))
    return steps


def _after_people(history: RunHistory, commands: dict[str, str]) -> list[Step]:
    """Return what to do when people have labelled all rounds: use the model, or label on."""
    settings = history.settings
    predict = use_model(history.name, settings.pool.source.path)
    steps = [Step("Let the model name the other pictures:", [predict])]
    if _has_room(history):
        page = not history.task.dense and isinstance(settings.cycles.budget, int)
        more = one_more_round(history.name, settings.cycles.number) if page else commands["longer"]
        steps.append(Step("One more round:", [more]))
    return steps


def _has_room(history: RunHistory) -> bool:
    """Whether the pool holds images for a round more."""
    budgets = history.settings.cycles.budgets
    return sum(budgets) + budgets[-1] <= len(history.pool)


def _notes(settings: Parameters) -> list[str]:
    """Return what a reader might otherwise take for granted."""
    notes = []
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


def _given_again(history: RunHistory) -> list[str]:
    """Return how many labels were given once more to images that had one."""
    given = int(history.learning_curve["labels"].iloc[-1])
    images = len(history.label_set)
    if given <= images:
        return []
    return [
        f"Of the {given:,} labels that are counted here {given - images:,} were given once more, "
        f"to images whose label looked wrong: {images:,} images have one."
    ]


def _turns(chapters: History | None) -> list[str]:
    """Return what has changed within the run, which the curve shows as upright lines."""
    if chapters is None:
        return []
    return [f"The run's settings have changed {line}." for line in chapters.sentences()]


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
