"""Which other runs a run is compared with: those on the same pool, with the same numbers of labels."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pt4al.files import records
from pt4al.files.digests import Damaged
from pt4al.images.pool import ImagePool
from pt4al.pipelines.report.history import RunHistory
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.next_commands import baseline_of, chooses_at_random
from pt4al.project.runs.folder import RunFolder, Runs
from pt4al.statistics.run_verdict import MeasuredRun, judge, too_early

MOST = 4  # other runs that nobody named, beside a run's curve
# What a run's models are made by: a run that differs in it is no baseline of a way of choosing.
TRAINING = ("main.", "features.", "cycles.", "control.", "ranking.share")


@dataclass(frozen=True)
class Other:
    """Another run on the same pool.

    Attributes
    ----------
    name, curve
        The run's.
    settings
        Those that it was started with, by dotted name; empty where they are not known.
    named
        Whether the setting `report.baselines` names it, or it was made to be this run's baseline.
    """

    name: str
    curve: pd.DataFrame
    settings: dict[str, Any]
    named: bool

    @property
    def at_random(self) -> bool:
        """Whether it chose at random; by its name, where its settings are not known."""
        if self.settings:
            return chooses_at_random(self.settings)
        return self.name == "random" or self.name.endswith("-random")


def judge_run(
    history: RunHistory,
    test_pool: ImagePool,
    predictions: pd.DataFrame,
    run_curves: dict[str, pd.DataFrame],
    runs: Runs,
    worth: dict | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return the curves of this run and of those beside it, and whether choosing helped.

    The first of the curves is the run's own, with its interval, `low` and `high`, where that is
    known. The verdict is what `pt4al.statistics.run_verdict.judge` returns, with `random`: the name of the
    run that chose at random, or None; `more`: how many runs there is no place for; and `early`:
    whether control images say too little. `worth` is what `weigh` has found, with control images.
    """
    others = find_others(history, run_curves, runs)
    random = next((other for other in others if _is_baseline(history, other)), None)
    shown = [random] if random else []
    named = [other for other in others if other.named and other is not random]
    rest = [other for other in others if not other.named and other is not random]
    shown += named + rest[:MOST]
    verdict = judge(
        _measured(history, test_pool, predictions),
        None if random is None else _measured_other(history, random, runs[random.name]),
        history.metric.name,
        chooses_at_random(flat(history.settings.model_dump(mode="json"))),
    )
    early = _too_early(history, worth or {})
    verdict |= early or {}
    verdict["early"] = early is not None
    verdict["random"] = None if random is None else random.name
    verdict["more"] = len(others) - len(shown)
    curves = {history.name: _with_interval(history.learning_curve, verdict["rows"])}
    return curves | {other.name: other.curve for other in shown}, verdict


def _with_interval(curve: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    ends = pd.DataFrame(rows, index=curve.index)[["low", "high"]].astype(float)
    return curve if ends.isna().all(axis=None) else curve.assign(**ends)


def find_others(
    history: RunHistory, run_curves: dict[str, pd.DataFrame], runs: Runs
) -> list[Other]:
    """Return the runs that this one can be compared with, the likeliest baselines first.

    Whatever their names: who had the same numbers of labels, at least as far as this run has got.
    A run that the settings name is there with other numbers of labels, too.
    """
    named = [baseline_of(history.name), *history.settings.report.baselines]
    own = history.learning_curve
    others = []
    for name, curve in history.baselines(run_curves).items():
        is_named = name in named
        if is_named or has_labels(curve, own):
            settings = records.recall(runs[name].configuration_file)
            others.append(Other(name, curve, settings, is_named))
    seed = history.settings.run.seed
    order = {name: place for place, name in enumerate(named)}

    def place(other: Other) -> tuple:
        another_seed = other.settings.get("run.seed") != seed
        return order.get(other.name, len(order)), another_seed, other.name

    return sorted(others, key=place)


def has_labels(curve: pd.DataFrame, own: pd.DataFrame) -> bool:
    """Whether a curve begins with the same numbers of labels as another."""
    return list(curve["labels"].head(len(own))) == list(own["labels"])


def _is_baseline(history: RunHistory, other: Other) -> bool:
    """Whether it chose at random, and is like this run but for that, as far as that is known."""
    if not other.at_random or not has_labels(other.curve, history.learning_curve):
        return False
    own = flat(history.settings.model_dump(mode="json"))
    prefixes = TRAINING
    if history.settings.main.start_from == "pretext" or history.settings.features.from_pretext:
        prefixes += ("pretext.",)
    compared = [name for name in own if name.startswith(prefixes) and name in other.settings]
    return all(own[name] == other.settings[name] for name in compared)


def _too_early(history: RunHistory, worth: dict) -> dict[str, Any] | None:
    curve = history.learning_curve
    if "images" not in curve:
        return None
    settings = history.settings
    rounds_left = settings.cycles.number - len(curve)
    return too_early(curve, worth.get("together"), not settings.control.train, rounds_left)


def _measured(history: RunHistory, test_pool: ImagePool, predictions: pd.DataFrame) -> MeasuredRun:
    curve = _valued(history, history.learning_curve)
    if history.task.dense or "images" in curve:
        return MeasuredRun(history.name, curve)
    right = right_by_image(predictions)
    images = len(test_pool) if right is None else len(right)
    return MeasuredRun(history.name, curve, right, images)


def _measured_other(history: RunHistory, other: Other, folder: RunFolder) -> MeasuredRun:
    cycle = len(history.learning_curve) - 1
    try:
        predictions = folder.read("test_predictions.parquet", cycle)
    except Damaged:  # no run ends for another one's file
        predictions = None
    right = None if predictions is None else right_by_image(predictions)
    return MeasuredRun(other.name, _valued(history, other.curve), right)


def right_by_image(predictions: pd.DataFrame) -> pd.Series | None:
    """Return whether a model is right about each image, by id; None where that is not known."""
    if "id" not in predictions or predictions.empty:
        return None
    right = predictions["label"] == predictions["predicted"]
    return right.set_axis(predictions["id"])


def _valued(history: RunHistory, curve: pd.DataFrame) -> pd.DataFrame:
    return curve.rename(columns={history.task.metric: "value"})
