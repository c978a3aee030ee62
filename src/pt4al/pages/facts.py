"""What each page says, as data: one class a page, whose fields are the names in its template.

Figures are PNG files by name; a page leaves out those that are missing.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pt4al.statistics.comparison import Comparison, ComparisonSettings


@dataclass(frozen=True)
class Metric:
    """The main number of a page: its column in the tables, and its name in words."""

    key: str
    name: str


METRICS = {"accuracy": Metric("accuracy", "accuracy"), "miou": Metric("miou", "mean IoU")}


@dataclass(frozen=True)
class Source:
    """What was read, in a sentence; warnings before decoding; and warnings after it, `found`."""

    sentence: str
    warnings: list[str]
    found: list[str]


@dataclass(frozen=True)
class RunPage:
    """A run's report.

    Attributes
    ----------
    title
        A line.
    run
        The configuration: name to value.
    metric
        The main number.
    summary
        One dict a cycle: `labels`, the metric (0 to 1) and perhaps `balanced_accuracy`,
        `pixel_accuracy`, `loss`; of control images also `low`, `high`, `images`.
    controlled
        Whether control images stand in for a test split.
    baselines, beside
        Names of the runs shown beside this one, and a sentence on each.
    figures
        `learning_curve`, `iou_by_class`, `query_0`, `reasons_0`, `panels_0` ..., `hardest`,
        `easiest`, `losses_by_batch`, `class_balance`, `ranking_agreement`, `audit`,
        `seconds_by_stage`, `worth`.
    seconds
        The run's time.
    notes
        Sentences on what a reader might otherwise take for granted.
    source, intake_link, intake
        What was read; where the intake report lies; what became of the source's files, in words.
    next_commands
        `baseline` starts a run that chooses at random; `report` makes this page again.
    worth
        What the labels bought: see `pt4al.statistics.label_value.label_value`; None: not measured.
    features, feature_checks, feature_verdict
        The network whose features were used; dicts with `sentence`; a sentence.
    pretext_checks
        Dicts with `alarm`, `sentence`.
    audit
        Dicts with `cycle`, `sentence`.
    leaks
        Dicts with `check`, `ok`, `found`.
    suspects
        Labels that are likely wrong: see `suspects.html`; None: none was looked at.
    """

    title: str
    run: dict[str, Any]
    metric: Metric
    summary: list[dict]
    baselines: list[str]
    audit: list[dict]
    figures: dict[str, bytes]
    seconds: float
    notes: list[str]
    next_commands: dict[str, str]
    beside: list[str] = field(default_factory=list)
    controlled: bool = False
    source: Source | None = None
    intake_link: str = ""
    intake: str | None = None
    worth: dict | None = None
    features: str = ""
    feature_checks: list[dict] = field(default_factory=list)
    feature_verdict: str | None = None
    pretext_checks: list[dict] = field(default_factory=list)
    leaks: list[dict] = field(default_factory=list)
    suspects: dict | None = None


@dataclass(frozen=True)
class ComparisonPage:
    """A comparison.

    Attributes
    ----------
    title
        A line.
    metric
        The main number.
    results, settings
        What the cells say, and by which settings.
    arms
        The settings of each arm, in words.
    runs
        `run`, `arm`, `seed`, `repeat`, `report` (where its page is, seen from this one; empty if it
        has none).
    leaks
        `run`, `check` (a sentence), `ok`; may be empty.
    seconds
        `arm`, `run`, `seconds`.
    figures
        See `pt4al.pages.comparison.draw_comparison`.
    """

    title: str
    metric: Metric
    results: Comparison
    settings: ComparisonSettings
    arms: dict[str, str]
    runs: pd.DataFrame
    leaks: pd.DataFrame
    seconds: pd.DataFrame
    figures: dict[str, bytes]


@dataclass(frozen=True)
class IntakePage:
    """What became of a source's pictures.

    Attributes
    ----------
    title
        A line.
    read, warnings
        Sentences on what was read.
    counts
        One dict a split: `split`, `total` (images) and `classes` (labels by class name; empty
        without labels).
    frame
        `height`, `width`, `channels`, `fit`.
    size
        A sentence on why images have their size.
    problems
        Dicts with `file`, `reason`.
    duplicates
        The rows of `pt4al.images.duplicates.find`, with `label`, `other_label`, and whether both
        are one file (`linked`).
    narrow
        The rows of `pt4al.images.ranges.narrow`.
    figures
        `sample`, `duplicates`.
    """

    title: str
    read: str
    warnings: list[str]
    counts: list[dict]
    frame: dict[str, Any]
    size: str
    problems: list[dict]
    duplicates: list[dict]
    narrow: list[dict]
    figures: dict[str, bytes]


@dataclass(frozen=True)
class PredictionsPage:
    """What a model takes pictures for.

    Attributes
    ----------
    title
        A line.
    path
        Where the pictures are.
    images
        How many.
    counts
        Images by class; empty of masks.
    problems
        Dicts with `source`, `reason`.
    figures
        `surest`, `least_sure`.
    """

    title: str
    path: str
    images: int
    counts: dict[str, int]
    problems: list[dict]
    figures: dict[str, bytes]


@dataclass(frozen=True)
class ColdStartPage:
    """First queries, compared.

    Attributes
    ----------
    title
        A line.
    best
        The `start` that beats random ones most often, and at how many budgets (`wins`); None: none
        does.
    budgets
        How many there are.
    verdicts
        Sentences.
    rows
        The rows of `pt4al.statistics.cold_start.summarise`; None for what is missing.
    fixed
        Starts that chose the same query with every seed.
    figures
        `accuracy`.
    """

    title: str
    best: dict[str, Any] | None
    budgets: int
    verdicts: list[str]
    rows: list[dict]
    fixed: list[str]
    figures: dict[str, bytes]
