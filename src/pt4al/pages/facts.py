"""What each page says, as data: one class a page, whose fields are the names in its template.

Figures are pictures by name (`pt4al.plots.kinds`); a page leaves out those that are missing.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pt4al.statistics.comparison import Comparison, ComparisonSettings


@dataclass(frozen=True)
class Metric:
    """A number of a page: its column in the tables, its name in words, and whether it is a share of 1."""

    key: str
    name: str
    share: bool = True


@dataclass(frozen=True)
class Source:
    """What was read, in a sentence; warnings before decoding; and warnings after it, `found`."""

    sentence: str
    warnings: list[str]
    found: list[str]


@dataclass(frozen=True)
class Failures:
    """Where the last model fails.

    Attributes
    ----------
    measured
        Images that it was measured on; None where pixels are counted.
    classes
        The worst first: `label`, `count` (images or pixels), `value` (0 to 1), perhaps `low`,
        `high`.
    pairs
        Most confused first: `label`, `predicted`, `count`, `share` of the label's.
    wrong
        The images it is surest of, and wrong: `id`, `label`, `predicted`, `probability`,
        `picture` (a name).
    advice
        A sentence on what to label next, or None.
    pictures
        PNG files by name.
    """

    measured: int | None
    classes: list[dict]
    pairs: list[dict]
    wrong: list[dict]
    advice: str | None
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What to type next: why, and the commands."""

    why: str
    commands: list[str]


@dataclass(frozen=True)
class RunPage:
    """A run's report.

    Attributes
    ----------
    title
        A line.
    marks
        What tells this run from others, in a few words each: strategy, data set, seed, date.
    verdict
        What the run has reached: see `pt4al.statistics.run_verdict.judge`, with `random`, `early`
        and `more` of `pt4al.pipelines.report.baselines.judge_run`; None before anything is
        evaluated.
    metrics
        Columns of the table, the main number first.
    summary
        One dict a cycle: `labels`, the metrics; of control images also `low`, `high`, `images`.
    controlled
        Whether control images stand in for a test split.
    people
        Whether people label: they know cycle 0 as round 1.
    beside
        Sentences on the other runs that are shown beside this one.
    figures
        `learning_curve`, `iou_by_class`, `query_0`, `reasons_0`, `panels_0` ..., `hardest`,
        `easiest`, `losses_by_batch`, `class_balance`, `ranking_agreement`, `audit`,
        `seconds_by_stage`, `worth`, `map` (whose page lies beside the report).
    seconds
        The run's time.
    notes
        Sentences on what a reader might otherwise take for granted.
    changed, settings
        The settings that differ from the defaults, and all of them, as YAML.
    source, intake_link, intake
        What was read; where the intake report lies; what became of the source's files, in words.
    steps
        What to type next.
    failures
        Where the last model fails; None: not known.
    worth
        What the labels bought: see `pt4al.statistics.label_value.label_value`; None: not measured.
    features, feature_checks, feature_verdict
        The network whose features were used; dicts with `sentence`; a sentence.
    ranked
        Whether the ranking chose any image of the run.
    pretext_checks
        Dicts with `alarm`, `sentence`.
    audit
        Dicts with `cycle`, `sentence`.
    leaks
        Dicts with `check`, `ok`, `found`.
    suspects
        Labels that are likely wrong: see `suspects.html`; None: none was looked at.
    agreement
        How far people agree: see `agreement.html`; empty: no two labelled the same image.
    """

    title: str
    marks: list[str]
    verdict: dict[str, Any] | None
    metrics: list[Metric]
    summary: list[dict]
    audit: list[dict]
    figures: dict[str, bytes]
    seconds: float
    notes: list[str]
    changed: str
    settings: str
    steps: list[Step] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    controlled: bool = False
    people: bool = False
    ranked: bool = True
    source: Source | None = None
    intake_link: str = ""
    intake: str | None = None
    failures: Failures | None = None
    worth: dict | None = None
    features: str = ""
    feature_checks: list[dict] = field(default_factory=list)
    feature_verdict: str | None = None
    pretext_checks: list[dict] = field(default_factory=list)
    leaks: list[dict] = field(default_factory=list)
    suspects: dict | None = None
    agreement: dict = field(default_factory=dict)


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
    notes
        Sentences at the top: where the table is, and what to beware of.
    """

    title: str
    path: str
    images: int
    counts: dict[str, int]
    problems: list[dict]
    figures: dict[str, bytes]
    notes: list[str] = field(default_factory=list)


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
