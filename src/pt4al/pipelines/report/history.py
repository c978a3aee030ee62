"""What a run has done, gathered by the names of its datasets: what its report reads."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.project.configuration.next_commands import baseline_of
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.training.tasks import TASKS, Task


@dataclass(frozen=True)
class RunHistory:
    """What a run has done, cycle by cycle.

    Attributes
    ----------
    settings
        The run's parameters.
    pool
        The images that were chosen from.
    classes
        Names, by number.
    start_label_set, label_set
        Before cycle 0 and after the last cycle: `id`, `label`, `cycle`.
    queries, answers
        By cycle: what was asked for, and what the oracle answered.
    learning_curve
        One row a cycle: `labels`, `pool` and the metrics.
    pretext_audit
        One row a cycle from cycle 1 on: see `pt4al.statistics.correlation.audit`.
    """

    settings: Parameters
    pool: ImagePool
    classes: list[str]
    start_label_set: pd.DataFrame
    label_set: pd.DataFrame
    queries: dict[int, pd.DataFrame]
    answers: dict[int, pd.DataFrame]
    learning_curve: pd.DataFrame
    pretext_audit: pd.DataFrame

    @property
    def name(self) -> str:
        """The run's name."""
        return self.settings.run.name

    @property
    def task(self) -> Task:
        """The main task."""
        return TASKS[self.settings.main.task]

    @property
    def labels(self) -> pd.Series:
        """The labels by id, after the last cycle."""
        return self.label_set.set_index("id")["label"]

    def baselines(self, run_curves: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Return the curves to compare with that exist and were learnt from the same pool.

        See `find_baselines`.
        """
        return find_baselines(self.settings, self.learning_curve, run_curves)


def find_baselines(
    settings: Parameters, own: pd.DataFrame, run_curves: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the curves to compare a run's own with, if they were learnt from the same pool.

    Those of `report.baselines`, and of the run that chose at random beside this one.
    """
    run = settings.run.name
    metric = TASKS[settings.main.task].metric
    curves = {}
    for name in [*settings.report.baselines, baseline_of(run)]:
        curve = run_curves.get(name)
        if name == run or curve is None:
            continue
        measured_alike = metric in curve and ("images" in curve) == ("images" in own)
        if curve["pool"].equals(own["pool"]) and measured_alike:
            curves[name] = curve
    return curves


def gather_history(
    parameters: dict,
    pool: ImagePool,
    classes: list[str],
    start_label_set: pd.DataFrame,
    label_set: pd.DataFrame,
    learning_curve: pd.DataFrame,
    pretext_audit: pd.DataFrame,
    **of_cycles: pd.DataFrame,
) -> RunHistory:
    """Gather what a run has done. `of_cycles`: `cycle_0.query`, `cycle_0.answers` and so on."""
    return RunHistory(
        settings=parse(parameters),
        pool=pool,
        classes=classes,
        start_label_set=start_label_set,
        label_set=label_set,
        queries=by_cycle(of_cycles, "query"),
        answers=by_cycle(of_cycles, "answers"),
        learning_curve=learning_curve,
        pretext_audit=pretext_audit,
    )


def by_cycle(datasets: dict[str, Any], name: str) -> dict[int, Any]:
    """Return the datasets of one name by cycle, in order: `cycle_3.query` is `query` of cycle 3."""
    numbers = {}
    for dataset, content in datasets.items():
        cycle, _, own_name = dataset.partition(".")
        if own_name == name:
            numbers[int(cycle.removeprefix("cycle_"))] = content
    return dict(sorted(numbers.items()))
